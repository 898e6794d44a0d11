from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tws.joblog import LogWindow


def window(max_bytes: int, *chunks: bytes) -> LogWindow:
    made = LogWindow(max_bytes)
    for chunk in chunks:
        made.feed(chunk)
    return made


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_a_small_log_is_kept_whole(chunks: list[bytes]) -> None:
    made = window(4096, *chunks)
    assert not made.is_truncated
    assert made.to_text() == window(4096, b"".join(chunks)).to_text()


@given(st.lists(st.text("ab\n", max_size=300), min_size=1, max_size=20), st.integers(20, 200))
def test_of_a_large_log_whole_lines_of_both_ends_stay(texts: list[str], max_bytes: int) -> None:
    whole = "".join(texts)
    made = window(max_bytes, *(text.encode() for text in texts))
    assert made.is_truncated == (len(whole) > max_bytes)
    if not made.is_truncated:
        assert made.to_text() == whole
        return
    head, marker, tail = made.to_text().partition("[... ")
    left_out, _, tail = tail.partition(" bytes left out ...]\n")
    assert marker
    assert len(head) + len(tail) <= max_bytes
    assert len(head) + len(tail) + int(left_out) == len(whole)
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert head == "" or head.endswith("\n")


def test_lines_in_the_code_page_of_the_agent_are_readable() -> None:
    text = window(4096, "início\n".encode(), "não há espaço\n".encode("cp1252")).to_text()
    assert text == "início\nnão há espaço\n"


def test_windows_line_ends_and_nul_are_replaced() -> None:
    assert window(4096, b"a\r\nb\x00c").to_text() == "a\nb\ufffdc"


def test_memory_stays_bounded() -> None:
    made = window(8192, *([b"x" * 1000 + b"\n"] * 5000))
    assert len(made.to_text()) < 10_000
    assert len(made._tail) < 3 * 8192
