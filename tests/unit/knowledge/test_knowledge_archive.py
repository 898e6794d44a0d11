from __future__ import annotations

import struct
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.archive import unpack
from knowledge.errors import DocumentRejectedError
from tests.support.office import make_zip


def _unpack(data: bytes, max_bytes: int = 2_000_000) -> dict[str, bytes]:
    return dict(unpack(data, max_bytes=max_bytes))


def _locked() -> bytes:
    """As with a password: a flag in both of the entry's headers."""
    data = bytearray(make_zip({"a.md": "text"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def _damaged() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr("a.md", "first text")
        archive.writestr("b.md", "second text")
    return file.getvalue().replace(b"second", b"SECOND")


def _lying() -> bytes:
    """Its directory says that a megabyte is ten bytes."""
    data = make_zip({"a.md": bytes(1_000_000)})
    return data.replace(struct.pack("<I", 1_000_000), struct.pack("<I", 10))


def test_files_come_by_path_without_hidden_ones() -> None:
    members = {"b/c.md": "2", "a.md": "1", ".git/x.md": "3", "b/.d.md": "4", "__MACOSX/a.md": "5", "e/": ""}
    assert _unpack(make_zip(members)) == {"a.md": b"1", "b/c.md": b"2"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a readable ZIP"),
        (b"PK\x03\x04 and nothing", "not a readable ZIP"),
        (_damaged(), "checksum"),
        (_lying(), "not a readable ZIP"),
        (_locked(), "encrypted"),
        (make_zip({"a.md": bytes(1_900_000)}), "100 times"),
        (make_zip({"a.md": "x" * 1_500_000, "b.md": "y" * 600_000}), "more than 2000000 bytes"),
        (make_zip({f"{number}.md": "" for number in range(10_001)}), "more than 10000 files"),
        (make_zip({"../a.md": "x"}), "outside"),
        (make_zip({"a/../../b.md": "x"}), "outside"),
        (make_zip({"/etc/a.md": "x"}), "outside"),
        (make_zip({"..\\a.md": "x"}), "outside"),
        (make_zip({"C:\\a.md": "x"}), "outside"),
    ],
)
def test_a_hostile_archive_gives_nothing(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejectedError, match=reason):
        _unpack(data)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_any_damage_is_refused_or_harmless(place: int, damage: bytes) -> None:
    whole = make_zip({"a.md": "first", "b/c.md": "second"})
    place %= len(whole)
    try:
        found = _unpack(whole[:place] + damage + whole[place + len(damage) :])
    except DocumentRejectedError:
        return
    assert set(found.values()) <= {b"first", b"second"}
