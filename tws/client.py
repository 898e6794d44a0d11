"""One method per operation of TWS, over REST API V2 of the master's engine server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

import aiohttp

from observability.metrics import Metrics

from . import oql, wire, wire_plan
from .errors import TwsDeniedError, TwsNotFoundError
from .fields import Fields
from .objects import Job, JobFilter, JobLog, JobPage, JobStream, JobStreamFilter, Workstation
from .settings import TwsSettings
from .transport import Transport

__all__ = ["TwsClient"]

_Row = TypeVar("_Row", Job, JobStream, Workstation)

_PAGE_ROWS = 500
"""Rows asked for at once; a job is about 5 KB of JSON."""
_MAX_WORKSTATIONS = 10_000
"""More than any plan has."""


class TwsClient:
    """What Resync can ask of one engine and do in its plan.

    Every method raises the errors of `tws.errors` and nothing else. Reads are tried again when the engine does not
    answer; changes never, since the engine may have made the one that got no answer. An answer to a change only
    means that the engine accepted it: whoever made it reads the plan until the effect shows. The reason for a change
    goes into the engine's audit trail, cut to 512 characters.
    """

    def __init__(self, settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> None:
        self._may_write = settings.write
        self._transport = Transport(settings, session, metrics)

    async def engine_version(self) -> str:
        """Who answers; also the cheapest proof that the engine is up and takes the credentials."""
        return wire.read_engine_version(await self._transport.read("/engine/info"))

    async def query_jobs(self, job_filter: JobFilter) -> JobPage:
        """The first `limit` jobs whose present state matches, by name, each once.

        `total` is the engine's count. Where statuses are asked for and there are more jobs than `limit`, it may
        include jobs that had such a status in an earlier run only.
        """
        try:
            query = wire.build_job_query(job_filter)
        except oql.ImpossibleValueError:
            return JobPage(jobs=(), total=0)
        jobs, total = await self._collect(
            "/plan/job",
            query,
            job_filter.limit,
            wire_plan.read_job,
            lambda job: wire.is_match(job, job_filter),
        )
        return JobPage(jobs=jobs, total=total)

    async def job(self, job_id: str) -> Job:
        """One job with its runs and dependencies. Raises `TwsNotFoundError`."""
        return wire_plan.read_job(Fields(await self._transport.read(_job_path(job_id), what=f"job {job_id}")))

    async def predecessors(self, job_id: str, depth: int | None = None) -> tuple[Job | JobStream, ...]:
        """What the job follows; how far is the engine's choice without `depth`. Raises `TwsNotFoundError`."""
        return await self._flow_nodes(job_id, "predecessors", depth)

    async def successors(self, job_id: str, depth: int | None = None) -> tuple[Job | JobStream, ...]:
        """What follows the job; how far is the engine's choice without `depth`. Raises `TwsNotFoundError`."""
        return await self._flow_nodes(job_id, "successors", depth)

    async def job_log(self, run_id: str) -> JobLog:
        """The log of one run; beyond `max_log_bytes` its beginning and end. Raises `TwsNotFoundError`."""
        window = await self._transport.read_log(f"{_run_path(run_id)}/joblog", what=f"run {run_id}")
        return JobLog(run_id=run_id, text=window.to_text(), is_truncated=window.is_truncated)

    async def query_job_streams(self, stream_filter: JobStreamFilter) -> tuple[JobStream, ...]:
        """The first `limit` job streams that match, by name, each once."""
        try:
            query = wire.build_job_stream_query(stream_filter)
        except oql.ImpossibleValueError:
            return ()
        rows, _ = await self._collect(
            "/plan/jobstream", query, stream_filter.limit, wire_plan.read_job_stream
        )
        return rows

    async def workstations(self) -> tuple[Workstation, ...]:
        """All workstations of the plan, each once."""
        rows, _ = await self._collect("/plan/workstation", {}, _MAX_WORKSTATIONS, wire_plan.read_workstation)
        return rows

    async def rerun(self, run_id: str, reason: str) -> None:
        """Asks for a new run of the job that the run belongs to. Raises `TwsRejectedError` when that is illegal."""
        # The body is empty on purpose: without a JSON object the engine answers 415.
        await self._change(f"{_run_path(run_id)}/action/rerun", reason, what=f"run {run_id}", body={})

    async def hold(self, job_id: str, reason: str) -> None:
        """Asks for priority 0. Raises `TwsRejectedError` when that is illegal."""
        await self._change_job(job_id, "hold", reason)

    async def release(self, job_id: str, reason: str) -> None:
        """Asks to let the job go: its priority, or its dependencies. Raises `TwsRejectedError` when illegal."""
        await self._change_job(job_id, "release", reason)

    async def cancel(self, job_id: str, reason: str) -> None:
        """Asks to cancel: successors go on, a running process is not killed. Raises `TwsRejectedError`."""
        await self._change_job(job_id, "cancel", reason)

    async def _flow_nodes(self, job_id: str, side: str, depth: int | None) -> tuple[Job | JobStream, ...]:
        query = {} if depth is None else {"depth": str(depth)}
        payload = await self._transport.read(f"{_job_path(job_id)}/{side}", query, what=f"job {job_id}")
        return wire.read_results(payload, wire_plan.read_flow_node)

    async def _collect(
        self,
        path: str,
        query: Mapping[str, str],
        limit: int,
        read: Callable[[Fields], _Row],
        is_wanted: Callable[[_Row], bool] = lambda _: True,
    ) -> tuple[tuple[_Row, ...], int]:
        """Reads pages until there are `limit` wanted rows or the engine has no more.

        Gives them and the engine's count, less what was read and not wanted. The offset is counted here, as
        `next` is an absolute URL of a host that the engine chose: following it could send the credentials elsewhere.
        """
        page_rows = max(1, min(limit, _PAGE_ROWS))
        rows: dict[str, _Row] = {}
        other: set[str] = set()
        offset = 0
        while True:
            payload = await self._transport.read(
                path, {**query, "limit": str(page_rows), "offset": str(offset)}
            )
            page = wire.read_results(payload, read)
            rows |= {row.id: row for row in page if is_wanted(row)}
            other |= {row.id for row in page if row.id not in rows}
            if len(rows) >= limit or not page or not wire.has_next(payload):
                total = max(wire.read_count(payload) - len(other), len(rows))
                return tuple(rows.values())[: max(0, limit)], total
            offset += page_rows

    async def _change_job(self, job_id: str, verb: str, reason: str) -> None:
        await self._change(f"{_job_path(job_id)}/action/{verb}", reason, what=f"job {job_id}")

    async def _change(
        self, path: str, reason: str, *, what: str, body: Mapping[str, str] | None = None
    ) -> None:
        if not self._may_write:
            raise TwsDeniedError(403, "Resync may not change this plan: RESYNC_TWS__WRITE is off")
        await self._transport.change(path, wire.build_justification(reason), what=what, body=body)


def _job_path(job_id: str) -> str:
    return f"/plan/job/{_escape(job_id)}"


def _run_path(run_id: str) -> str:
    return f"/plan/job/run/{_escape(run_id)}"


def _escape(identifier: str) -> str:
    """One segment of a path; `.`, `..` and nothing would name another path and are the id of no object."""
    if not identifier.strip("."):
        raise TwsNotFoundError(f"an object with the id {identifier!r}")
    return quote(identifier, safe="")
