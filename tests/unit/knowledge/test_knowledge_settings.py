from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import Settings


def test_folders_and_pages_come_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = "RESYNC_KNOWLEDGE__"
    monkeypatch.setenv(
        f"{prefix}FOLDERS", '[{"path": "/srv/a"}, {"path": "/srv/b", "readers": ["group:HR"]}]'
    )
    monkeypatch.setenv(f"{prefix}PAGES", '[{"url": "https://wiki/a", "readers": "role:admin"}]')
    monkeypatch.setenv(f"{prefix}PAGE_HOSTS", '["wiki", "*.example.com"]')
    monkeypatch.setenv(f"{prefix}PAGE_NETWORKS", '["10.0.0.0/8"]')
    knowledge = Settings().knowledge
    assert [(folder.path, folder.readers) for folder in knowledge.folders] == [
        (Path("/srv/a"), frozenset()),
        (Path("/srv/b"), {"group:hr"}),
    ]
    assert [(page.url, page.readers) for page in knowledge.pages] == [("https://wiki/a", {"role:admin"})]
    assert knowledge.page_hosts == {"wiki", "*.example.com"}
    assert knowledge.page_networks == (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOLDERS", '[{"path": "/srv/a", "readers": ["role:boss"]}]'),
        ("FOLDERS", '[{"path": "/srv/a", "reader": ["role:admin"]}]'),
        ("PAGES", '[{"url": "file:///etc/passwd"}]'),
        ("FOLDER_SECONDS", "0"),
    ],
)
def test_a_mistyped_folder_or_page_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"RESYNC_KNOWLEDGE__{name}", value)
    with pytest.raises(ValidationError):
        Settings()
