from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from security.secret_files import load_or_create_secret


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "jwt.secret"
    secret = load_or_create_secret(path)
    assert len(secret) == 64
    assert load_or_create_secret(path) == secret
    assert load_or_create_secret(tmp_path / "other.secret") != secret


def test_only_the_owner_may_read_it_and_no_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "jwt.secret"
    load_or_create_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_all_who_start_together_get_the_same_secret(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.secret"
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(load_or_create_secret, [path] * 8))
        assert len(found) == 1


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwt.secret"
    load_or_create_secret(path)
    path.chmod(0o640)
    with pytest.raises(PermissionError, match=str(path)):
        load_or_create_secret(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jwt.secret"
    path.touch(mode=0o600)
    with pytest.raises(ValueError, match="empty"):
        load_or_create_secret(path)
