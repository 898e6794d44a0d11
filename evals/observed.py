"""The plan of a scenario as its master tells it over REST: read past the product, so that it can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp

Json: TypeAlias = dict[str, Any]

_API = "/twsd/api/v2"
_ALL = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Objects of the plan as JSON of REST API V2."""

    jobs: Mapping[str, Json]
    """By `STREAM.JOB`; the subjects of cases with their dependencies."""
    job_streams: Mapping[str, Json]
    workstations: Mapping[str, Json]
    resources: Mapping[str, Json]
    prompts: Sequence[Json]
    reasons: Mapping[str, Sequence[Json]]
    """By `STREAM.JOB`: why a subject has not started, as the engine itself sees it: `cause` and `owner`."""
    successors: Mapping[str, Sequence[str]]
    """By `STREAM.JOB`: names of what directly follows a subject."""

    def status(self, *common: str) -> list[str]:
        """The jobs (`STREAM.JOB`) with one of these common statuses."""
        return [name for name, job in self.jobs.items() if job["lastRunCommonStatus"] in common]


class Observer:
    """Reads from one master. Its methods raise aiohttp's errors."""

    def __init__(self, session: aiohttp.ClientSession, tws_url: str) -> None:
        self._session = session
        self._root = tws_url.removesuffix(_API)

    async def observe(self, subjects: Iterable[str]) -> Observed:
        """The whole plan, with what the subjects depend on and why they wait."""
        jobs = {f"{one['jobStreamName']}.{one['name']}": one for one in await self._list("job")}
        asked = {name: jobs[name]["id"] for name in subjects if name in jobs}
        for name, job_id in asked.items():
            jobs[name] = await self._get(f"{_API}/plan/job/{job_id}")
        streams = {one["name"]: one for one in await self._list("jobstream")}
        for name in {jobs[one]["jobStreamName"] for one in asked}:
            streams[name] = await self._get(f"{_API}/plan/jobstream/{streams[name]['id']}")
        return Observed(
            jobs=jobs,
            job_streams=streams,
            workstations={one["name"]: one for one in await self._list("workstation")},
            resources={one["name"]: one for one in await self._list("resource")},
            prompts=await self._list("prompt"),
            reasons={name: await self._get(f"/sim/reasons/{job_id}") for name, job_id in asked.items()},
            successors={
                name: [
                    one["name"]
                    for one in (await self._get(f"{_API}/plan/job/{job_id}/successors"))["results"]
                ]
                for name, job_id in asked.items()
            },
        )

    async def changes(self) -> list[Json]:
        """Every change that the master accepted."""
        return list(await self._get("/sim/actions"))

    async def _list(self, kind: str) -> list[Json]:
        return list((await self._get(f"{_API}/plan/{kind}", limit=str(_ALL)))["results"])

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(self._root + path, params=parameters) as response:
            response.raise_for_status()
            return await response.json()
