"""Secrets that the embedded and demo installations make for themselves."""

import os
import secrets
from pathlib import Path

_BYTES = 48
_OTHERS = 0o077
"""Permission bits of group and world."""


def load_or_create_secret(path: Path) -> str:
    """The secret in the file: 64 URL-safe characters, made on first use, readable by the owner only.

    Processes that start together get the same one. Raises `PermissionError` when others may read the file and
    `ValueError` when it is empty: both mean that somebody else had a hand in it.
    """
    if not path.exists():
        _create(path)
    if path.stat().st_mode & _OTHERS:
        raise PermissionError(f"{path} is readable by others; run chmod 600 or delete it")
    secret = path.read_text(encoding="ascii").strip()
    if not secret:
        raise ValueError(f"{path} is empty; delete it")
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A hard link appears with its content, and not at all if another process was first.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
