"""Keeps the beginning and the end of a job log that may be larger than memory allows: pure."""

from __future__ import annotations

__all__ = ["LogWindow"]

_HEAD_SHARE = 4
"""One part in four is the beginning (what ran); the rest is the end, where a failure tells its reason."""


class LogWindow:
    """Fed with chunks of bytes, gives the text with whole lines and a marker line for what was left out."""

    def __init__(self, max_bytes: int) -> None:
        self._head_bytes = max_bytes // _HEAD_SHARE
        self._tail_bytes = max_bytes - self._head_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the log."""
        self._size += len(chunk)
        room = self._head_bytes - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        # Cut when twice too long, so that each byte is moved once on average.
        if len(self._tail) > 2 * self._tail_bytes:
            del self._tail[: -self._tail_bytes]

    @property
    def is_truncated(self) -> bool:
        """Whether some of the log is left out."""
        return self._size > self._head_bytes + self._tail_bytes

    def to_text(self) -> str:
        """The text so far, with Unix line ends and no NUL, which PostgreSQL would refuse."""
        if not self.is_truncated:
            return _decode(bytes(self._head + self._tail))
        head = _up_to_last_line_end(bytes(self._head))
        tail = _from_first_line_start(bytes(self._tail[-self._tail_bytes :]))
        left_out = self._size - len(head) - len(tail)
        return f"{_decode(head)}[... {left_out} bytes left out ...]\n{_decode(tail)}"


def _up_to_last_line_end(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _from_first_line_start(data: bytes) -> bytes:
    return data[data.find(b"\n") + 1 :]


def _decode(data: bytes) -> str:
    text = "\n".join(_decode_line(line) for line in data.split(b"\n"))
    return text.replace("\r\n", "\n").replace("\x00", "\ufffd")


def _decode_line(line: bytes) -> str:
    # The engine says UTF-8, but a script's own lines come in the code page of the agent's machine.
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")
