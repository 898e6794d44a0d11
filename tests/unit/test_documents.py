from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli import cli
from docs.settings_table import names
from tests.support.repository import ROOT, files

_PAGES = sorted(path for path in files(".md") if not path.is_relative_to(ROOT / "manifests"))
_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=_PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_path_that_the_architecture_names_exists() -> None:
    named = [word for word in _CODE.findall((ROOT / "ARCHITECTURE.md").read_text()) if _is_path(word)]

    assert len(named) > 40
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(_commands(page, "make")) - targets == set()


def test_commands_that_are_named_exist(page: Path) -> None:
    known = set(typer.main.get_command(cli).commands)  # type: ignore[attr-defined]  # a group

    assert set(_commands(page, "resync")) - known == set()


def test_settings_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"\bRESYNC_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))

    assert {name for name in named if not _is_setting(name)} == set()


def _commands(page: Path, program: str) -> Iterator[str]:
    """The first word after the program's name, wherever a page shows the program being run."""
    text = page.read_text()
    for code in [*_CODE.findall(text), *_BLOCK.findall(text)]:
        yield from re.findall(rf"(?:^|\n|\$ )(?:\S+=\S+ )*{program} ([a-z][a-z0-9-]*)", code)


def _is_path(word: str) -> bool:
    return re.fullmatch(r"[\w.-]+(/[\w.-]*)+|\w+\.(py|toml|md|yaml)", word) is not None


def _is_setting(name: str) -> bool:
    """Whether it is a setting, a section of them, or of the tests."""
    return any(known == name or known.startswith(f"{name}__") for known in names()) or name in {
        "RESYNC_SHARED",
        "RESYNC_TEST_DATABASE_URL",
        "RESYNC_TEST_REDIS_URL",
    }
