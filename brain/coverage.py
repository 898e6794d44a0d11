"""What fails without a runbook, and what runbooks name that is no longer in the plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from knowledge.relations import Known, Relations, View
from tws.mirror.plans import Plans

_LOOKED_BACK = timedelta(days=30)
"""Failures that count."""
_RECENT = timedelta(days=35)
"""Jobs that run once a month are in some plan of that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A job that failed and that no runbook is about, or none that has the return code."""

    selection: str
    return_code: int | None
    times: int
    last_at: datetime
    runbook: str | None
    """Title of a runbook that is about the job, but does not name the return code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well the runbooks that somebody may read fit the plan."""

    gaps: tuple[Gap, ...]
    """What failed most often first."""
    drift: tuple[Known, ...]


async def coverage(relations: Relations, plans: Plans, view: View) -> Coverage:
    """Of the last 30 days. Raises `StoreUnavailableError`, and the database's errors of `Plans`."""
    failures = await plans.failures(view.engine, since=view.at - _LOOKED_BACK)
    names = {name for one in failures for name in (one.selection, f"RC {one.return_code}")}
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for known in await relations.facts(names, view, relations=("about", "names")):
        is_meant = known.relation == "about" or known.target[0] != "name"
        if known.source and known.source.kind != "case" and is_meant:
            titles[known.asked].add(known.source.title)
    gaps = []
    for failure in failures:
        about = titles[failure.selection]
        is_covered = failure.return_code is None or about & titles[f"RC {failure.return_code}"]
        if not about or not is_covered:
            gaps.append(
                Gap(
                    selection=failure.selection,
                    return_code=failure.return_code,
                    times=failure.times,
                    last_at=failure.last_at,
                    runbook=min(about, default=None),
                )
            )
    return Coverage(gaps=tuple(gaps), drift=await relations.drift(view, _RECENT))
