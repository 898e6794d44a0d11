"""A job log cut to size while it streams in: its beginning, its end, and lines between them that look like errors; pure."""

import re
from collections import deque

from .joblog import STEMS, is_telling

_HEAD_SHARE = 4
"""One part in four is the beginning (what ran); the rest is the end, where a failure tells its reason."""
_MOST_TELLING = 20
"""Telling lines that are kept of what is left out: so many of the first and of the last ones."""
_MOST_JUDGED = 5000
"""Lines that are looked at closely: a job that fails for each of a million records says it soon enough."""
_MOST_LINE_BYTES = 500
"""Of a telling line."""
_STEM = re.compile(b"|".join(re.escape(stem.encode()) for stem in sorted(STEMS)))
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Colours, cursor movements and titles of windows. Source: ECMA-48."""


class LogWindow:
    """Fed with chunks of bytes, gives the text with whole lines and a marker line for what was left out.

    Memory is bounded, however long the log is.
    """

    def __init__(self, max_bytes: int) -> None:
        self._head_bytes = max_bytes // _HEAD_SHARE
        self._tail_bytes = max_bytes - self._head_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._between = _Between()
        self._has_gap = False
        self._is_tail_cut = False
        self.size = 0
        """Bytes so far."""
        self.lines = 0
        """Line ends so far."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the log."""
        self.size += len(chunk)
        self.lines += chunk.count(b"\n")
        room = self._head_bytes - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        # Cut when twice too long, so that each byte is moved once on average.
        if len(self._tail) > 2 * self._tail_bytes:
            self._leave_out(len(self._tail) - self._tail_bytes)

    def skip(self) -> None:
        """What comes next does not follow what came before: nobody knows how much is between."""
        self._leave_out(len(self._tail))
        self._has_gap, self._is_tail_cut = True, False

    @property
    def is_truncated(self) -> bool:
        """Whether some of the log is left out."""
        return self._has_gap or self.size > self._head_bytes + self._tail_bytes

    def to_text(self) -> str:
        """The text so far, with Unix line ends, and without NUL, which PostgreSQL would refuse, and ANSI codes."""
        if not self.is_truncated:
            return _decode(self._head + self._tail)
        if len(self._tail) > self._tail_bytes:
            self._leave_out(len(self._tail) - self._tail_bytes)
        head = self._head[: self._head.rfind(b"\n") + 1]
        tail = self._tail[self._tail.find(b"\n") + 1 :] if self._is_tail_cut else self._tail
        telling = self._between.telling()
        left_out = self.size - len(head) - len(tail) - len(telling)
        more = "more than " if self._has_gap else ""
        return f"{_decode(head)}[... {more}{left_out} bytes left out ...]\n{_decode(telling)}{_decode(tail)}"

    def _leave_out(self, count: int) -> None:
        self._between.feed(bytes(self._tail[:count]))
        del self._tail[:count]
        self._is_tail_cut = True


class _Between:
    """Finds the telling lines of what is left out."""

    def __init__(self) -> None:
        self._first: list[bytes] = []
        self._last: deque[bytes] = deque(maxlen=_MOST_TELLING)
        self._rest = b""
        self._judged = 0

    def feed(self, chunk: bytes) -> None:
        block = self._rest + chunk
        end = block.rfind(b"\n") + 1
        self._rest = block[end:][:_MOST_LINE_BYTES]
        lowered = block.lower()
        start = 0
        while self._judged < _MOST_JUDGED and (found := _STEM.search(lowered, start, end)):
            start = block.find(b"\n", found.end(), end) + 1 or end
            self._judge(block[block.rfind(b"\n", 0, found.start()) + 1 : start])

    def telling(self) -> bytearray:
        return bytearray(b"".join((*self._first, *self._last)))

    def _judge(self, line: bytes) -> None:
        self._judged += 1
        kept = line[:_MOST_LINE_BYTES].rstrip(b"\r\n") + b"\n"
        if is_telling(_decode(bytearray(kept))):
            self._last.append(kept)
            if len(self._first) < _MOST_TELLING:
                self._first.append(self._last.pop())


def _decode(data: bytearray) -> str:
    text = "\n".join(_decode_line(line) for line in data.split(b"\n"))
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\x00", "\ufffd")


def _decode_line(line: bytearray) -> str:
    if line.count(0) * 3 > len(line):
        # Half of what Windows programs write as UTF-16 is NUL; the other half are the letters.
        line = line.replace(b"\x00", b"").removeprefix(b"\xff\xfe")
    # The engine says UTF-8, but a script's own lines come in the code page of the agent's machine.
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")
