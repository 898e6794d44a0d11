"""Job logs of an engine: the ends of long ones, and windows of any."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import TwsNotFoundError, TwsRejectedError
from .objects import JobLog
from .operations import Call, Read, place
from .transport import Transport

_MOST_STREAMED = 8 * 1024 * 1024
"""Bytes of one log that are read from its beginning; of a longer one the end is looked for by its lines."""
_MOST_LINES = 2**31 - 1
"""What the parameters of the API can name."""
_LINE_BYTES = 64
"""Usual length of a line, to choose how many lines of the end are asked for."""
_PROBE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class JobLogs:
    """Reads logs for one account; `most_bytes` is how much of each is kept, `plan` the query that selects the plan."""

    transport: Transport
    most_bytes: int
    plan: Mapping[str, str]

    async def ends(self, run_id: str) -> JobLog:
        """The log, of a long one the beginning, the end and telling lines. Raises `TwsNotFoundError`."""
        window, is_whole = await self.transport.read_log(self._call(run_id), self.most_bytes, _MOST_STREAMED)
        if not is_whole:
            last = await self._last_line(run_id, max(window.lines, 1))
            first = max(window.lines + 1, last - self.most_bytes // _LINE_BYTES)
            call = self._call(run_id, first, last)
            tail, _ = await self.transport.read_log(call, self.most_bytes, _MOST_STREAMED)
            window.skip()
            window.feed(tail.to_text().encode())
        return JobLog(run_id=run_id, text=window.to_text(), is_truncated=window.is_truncated)

    async def window(self, run_id: str, first: int, last: int) -> JobLog:
        """The lines, cut in their middle when they are too many bytes. Raises as `TwsClient.job_log_window` does."""
        if not 1 <= first <= last <= _MOST_LINES:
            raise TwsRejectedError(f"a log has no lines {first} to {last}")
        call = self._call(run_id, first, last)
        window, is_whole = await self.transport.read_log(call, self.most_bytes, _MOST_STREAMED)
        is_truncated = window.is_truncated or not is_whole
        return JobLog(run_id=run_id, text=window.to_text(), is_truncated=is_truncated)

    async def _last_line(self, run_id: str, known: int) -> int:
        """The number of the last line, by doubling and halving; `known` is one that exists."""
        beyond = known * 2
        while beyond < _MOST_LINES and await self._has_line(run_id, beyond):
            known, beyond = beyond, beyond * 2
        beyond = min(beyond, _MOST_LINES)
        while beyond - known > 1:
            middle = (known + beyond) // 2
            if await self._has_line(run_id, middle):
                known = middle
            else:
                beyond = middle
        return known

    async def _has_line(self, run_id: str, number: int) -> bool:
        try:
            call = self._call(run_id, number, number)
            found, _ = await self.transport.read_log(call, _PROBE_BYTES, _PROBE_BYTES)
        except (TwsNotFoundError, TwsRejectedError):
            return False
        return found.size > 0

    def _call(self, run_id: str, first: int | None = None, last: int | None = None) -> Call:
        lines = {} if first is None else {"from_line": str(first), "to_line": str(last)}
        path = place(Read.JOB_LOG.path, run_id)
        return Call(path=path, query={**lines, **self.plan}, what=f"run {run_id}")
