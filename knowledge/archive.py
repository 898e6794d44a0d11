"""ZIP files, and office files that are ZIP files: what is safe to unpack. Blocking, without network."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath
from zipfile import BadZipFile, ZipFile

from .errors import DocumentRejectedError

_MOST_MEMBERS = 10_000
_MOST_RATIO = 100
"""Text shrinks to a tenth and tables of zeros to a fiftieth; bombs begin above."""
_SMALL = 1_000_000
"""Bytes that no ratio makes dangerous."""
_ENCRYPTED = 0x1
_BROKEN = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, UnicodeError)
"""What `zipfile` raises on broken files, and on compressions it does not know."""


def check_zip(data: bytes, *, max_bytes: int) -> None:
    """Raises `DocumentRejectedError` for what is broken, encrypted, too large inside or names paths outside.

    What it lets pass unpacks to `max_bytes` at most: nothing gives more bytes than its entry declares.
    """
    _checked(data, max_bytes).close()


def unpack(data: bytes, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file, by path; hidden ones left out.

    Everything is checked, checksums too, before the first is given. Raises as `check_zip`.
    """
    with _checked(data, max_bytes) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            parts = PurePosixPath(info.filename).parts
            if not info.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts):
                yield info.filename, archive.read(info)


def _checked(data: bytes, max_bytes: int) -> ZipFile:
    if len(data) > max_bytes:
        raise DocumentRejectedError(f"larger than {max_bytes} bytes")
    try:
        archive = ZipFile(BytesIO(data))
        infos = archive.infolist()
        size = sum(info.file_size for info in infos)
        if len(infos) > _MOST_MEMBERS:
            raise DocumentRejectedError(f"more than {_MOST_MEMBERS} files in it")
        if any(info.flag_bits & _ENCRYPTED for info in infos):
            raise DocumentRejectedError("encrypted with a password")
        if size > max_bytes:
            raise DocumentRejectedError(f"unpacks to more than {max_bytes} bytes")
        if size > _SMALL and size > _MOST_RATIO * len(data):
            raise DocumentRejectedError(f"unpacks to more than {_MOST_RATIO} times its size")
        if any(map(_leads_outside, (info.filename for info in infos))):
            raise DocumentRejectedError("names a path outside of itself")
        broken = archive.testzip()
    except _BROKEN as error:
        raise DocumentRejectedError(f"not a readable ZIP ({type(error).__name__})") from error
    if broken is not None:
        raise DocumentRejectedError("not a readable ZIP (a checksum is wrong)")
    return archive


def _leads_outside(name: str) -> bool:
    path = PureWindowsPath(name)  # takes both slashes, and knows drives
    return bool(path.anchor) or ".." in path.parts
