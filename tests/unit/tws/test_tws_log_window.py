from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tws.log_window import LogWindow


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


def test_utf_16_and_ansi_are_readable() -> None:
    utf_16 = "Erro: não há espaço\r\nfim\r\n".encode("utf-16")
    coloured = b"\x1b[31;1mERROR\x1b[0m \x1b]0;title\x07disk full\x1b[K\n"
    assert window(4096, utf_16, coloured).to_text().startswith("Erro: não há espaço\nfim\n")
    assert window(4096, coloured).to_text() == "ERROR disk full\n"


def test_telling_lines_between_the_ends_are_kept() -> None:
    filler = b"row loaded without errors\n" * 2000
    error = b"12:00:01 ORA-01653: unable to extend table\n"
    text = window(4096, b"begin\n", filler, error[:20], error[20:], filler, b"end\n").to_text()
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    marker = text.index(" bytes left out ...]\n")
    assert marker < text.index("ORA-01653: unable to extend table\n") < text.rindex("row loaded")
    assert len(text) < 4500


def test_of_a_million_telling_lines_the_first_and_the_last_stay() -> None:
    lines = b"".join(b"ORA-01653: unable to extend table %d\n" % number for number in range(100_000))
    text = window(4096, lines).to_text()
    kept = [line for line in text.splitlines() if line.startswith("ORA-")]
    assert len(text) < 8192
    assert kept[-1].endswith(" 99999")


def test_after_a_gap_the_rest_begins_with_a_whole_line() -> None:
    made = window(4096, b"begin\n", b"middle\n" * 1000)
    made.skip()
    made.feed(b"first of the end\nlast\n")
    text = made.to_text()
    assert made.is_truncated
    assert text.endswith(" bytes left out ...]\nfirst of the end\nlast\n")
    assert "more than" in text


@given(st.lists(st.binary(max_size=300), max_size=30), st.integers(20, 200))
def test_any_bytes_become_text_that_can_be_stored(chunks: list[bytes], max_bytes: int) -> None:
    text = window(max_bytes, *chunks).to_text()
    assert "\x00" not in text
    text.encode()
