"""Lists of plan objects: filters, order, paging and the JSON of the answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .engine import Engine
from .oql import Query
from .runs import JobState
from .wire import job_json
from .wire_dependencies import dependencies_json

__all__ = ["JobListing", "filtered", "page_bounds"]

_Json = dict[str, Any]
_Predicate = Callable[[Any], bool]


class JobListing:
    """The jobs of one engine as JSON, made again only when a job has changed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._made: dict[tuple[str, bool], tuple[int, _Json, str]] = {}

    def job(self, job: JobState, *, may_act: bool) -> _Json:
        """One job without dependencies."""
        return self._entry(job, may_act=may_act)[1]

    def job_with_dependencies(self, job: JobState, *, may_act: bool) -> _Json:
        """One job in full."""
        return self.job(job, may_act=may_act) | {"dependencies": dependencies_json(self.engine, job)}

    def find(self, query: Query, selected: _Predicate, *, may_act: bool) -> list[JobState]:
        """The jobs that match, in the query's order or else in the plan's."""
        needs_dependencies = any(field.startswith("dependencies.") for field in query.fields)
        make = self.job_with_dependencies if needs_dependencies else self.job
        jobs = self.engine.jobs
        found = filtered((make(job, may_act=may_act) for job in jobs.values()), query, selected)
        return [jobs[one["id"]] for one in found]

    def text(self, job: JobState, *, may_act: bool) -> str:
        """One job without dependencies as JSON text."""
        return self._entry(job, may_act=may_act)[2]

    def count(self, selected: _Predicate, group_by: Sequence[str]) -> _Json:
        """`GroupedCountResponse`; groups are named by their values, joined with commas."""
        found = [one for job in self.engine.jobs.values() if selected(one := self.job(job, may_act=False))]
        answer: _Json = {"count": len(found)}
        if group_by:
            groups = Counter(",".join(_GROUPS[field](one) for field in group_by) for one in found)
            answer["groupedCount"] = dict(groups)
        return answer

    def _entry(self, job: JobState, *, may_act: bool) -> tuple[int, _Json, str]:
        key = (job.plan.id, may_act)
        made = self._made.get(key)
        if made is None or made[0] != job.version:
            found = job_json(self.engine, job, may_act=may_act)
            made = self._made[key] = (
                job.version,
                found,
                json.dumps(found, ensure_ascii=False, separators=(",", ":")),
            )
        return made


_GROUPS: dict[str, Callable[[_Json], str]] = {
    "workstation": lambda one: str(one["workstation"]),
    "status": lambda one: str(one["lastRunCommonStatus"]),
    "folder": lambda one: str(one["folder"]),
}


def filtered(objects: Any, query: Query, selected: _Predicate) -> list[Any]:
    """The objects that match both filters, in the query's order."""
    return query.sort([one for one in objects if selected(one) and query.matches(one)])


def page_bounds(total: int, limit: int, offset: int) -> tuple[int | None, int | None]:
    """Offsets of the next and the previous page, None where there is none."""
    following = offset + limit if offset + limit < total else None
    preceding = max(0, offset - limit) if offset > 0 else None
    return following, preceding
