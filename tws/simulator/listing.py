"""Lists of jobs: filters, order, groups and the JSON of the answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from .engine import Engine
from .filters import Query
from .runs import JobState
from .wire import dependencies_json, job_json

__all__ = ["JobListing"]

_Json = dict[str, Any]
_GROUPS = {"workstation": "workstation", "status": "lastRunCommonStatus", "folder": "folder"}
"""Field to group by: field of the job."""


class JobListing:
    """The jobs of one engine as JSON for callers who may act or may not, made again only when a job has changed."""

    def __init__(self, engine: Engine, *, may_act: bool) -> None:
        self.engine = engine
        self._may_act = may_act
        self._made: dict[str, tuple[int, _Json, str]] = {}

    def row(self, job: JobState) -> _Json:
        """One job without dependencies."""
        return self._entry(job)[1]

    def text(self, job: JobState) -> str:
        """One job without dependencies as JSON text."""
        return self._entry(job)[2]

    def full(self, job: JobState) -> _Json:
        """One job with dependencies."""
        return self.row(job) | {"dependencies": dependencies_json(self.engine, job)}

    def find(self, query: Query) -> list[JobState]:
        """The jobs that match, in the query's order or else in the plan's."""
        make = self.full if query.needs_dependencies else self.row
        jobs = self.engine.jobs
        return [jobs[one["id"]] for one in query.select(make(job) for job in jobs.values())]

    def count(self, query: Query, group_by: Sequence[str]) -> _Json:
        """`GroupedCountResponse`; groups are named by their values, joined with commas. Raises KeyError."""
        found = query.select(self.row(job) for job in self.engine.jobs.values())
        fields = [_GROUPS[field] for field in group_by]
        groups = Counter(",".join(one[field] for field in fields) for one in found)
        return {"count": len(found), **({"groupedCount": groups} if fields else {})}

    def _entry(self, job: JobState) -> tuple[int, _Json, str]:
        made = self._made.get(job.plan.id)
        if made is None or made[0] != job.version:
            row = job_json(self.engine, job, may_act=self._may_act)
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            made = self._made[job.plan.id] = (job.version, row, text)
        return made
