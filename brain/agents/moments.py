"""Answers about other moments: how the plan looked, what changed since, when a job ends, what is in danger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from brain.agents.asked import Asked
from brain.agents.grammar import Request
from brain.agents.grammar.arguments import Arguments
from brain.agents.resolve import Found, find_job
from brain.agents.waiting import as_of
from brain.reply import Block, Facts, Text, strong
from brain.state import Draft, Memory, status
from tws.forecast import Forecast, forecast
from tws.mirror.past import State
from tws.objects import FAILED_STATUSES, Job, JobStream
from tws.outcomes import is_over

_DEFAULT = timedelta(hours=1)
"""How far "what changed?" looks back."""
_DAY = timedelta(days=1)


async def answer_then(asked: Asked) -> Draft:
    """How the plan, or the jobs that are named, looked at the moment."""
    request, moment = asked.request, moment_of(asked.request.arguments, asked.zone)
    past, at = await asked.tools.plan_at(moment), strong(asked.cell(moment))
    if past is None:
        return status(asked.phrase("no_past", at=at))
    named = _of(request, past.jobs)
    if not named:
        name = request.job or request.job_stream or ""
        return status(asked.phrase("not_in_past", name=name, at=at))
    counts = Facts(items=tuple((name, str(count)) for name, count in past.counts.most_common()))
    is_all = len(named) == len(past.jobs)
    shown = [job for job in named if not is_all or (job.status in FAILED_STATUSES and not job.canceled)]
    lists = (asked.table("state", shown),) if shown else ()
    return status(asked.phrase("then", at=at), *((counts,) if is_all else ()), *lists)


async def answer_changes(asked: Asked) -> Draft:
    """Which jobs have another status now than at the moment, failed ones first."""
    tools, moment = asked.tools, moment_of(asked.request.arguments, asked.zone)
    past, present = await tools.plan_at(moment), await tools.plan_at(datetime.now(UTC))
    at = strong(asked.cell(moment))
    if past is None or present is None:
        return status(asked.phrase("no_past", at=at))
    before = {job.object_id: job for job in past.jobs}
    pairs = [(before.get(job.object_id), job) for job in _of(asked.request, present.jobs)]
    changed = [
        (then, now)
        for then, now in pairs
        if then is None or (then.status, then.canceled) != (now.status, now.canceled)
    ]
    if not changed:
        return status(asked.phrase("no_changes", at=at))
    changed.sort(key=lambda pair: (pair[1].status not in FAILED_STATUSES, -pair[1].valid_from.timestamp()))
    sentence = asked.phrase("changes", count=strong(str(len(changed))), at=at)
    return status(sentence, asked.table("change", changed))


async def answer_finish(asked: Asked) -> Draft:
    """When a job, a job stream, or all that is critical or has a deadline is expected to end."""
    request, plan, now = asked.request, await asked.tools.plan(), datetime.now(UTC)
    if plan is None:
        return status(asked.phrase("no_mirror"))
    if not (request.job or request.job_stream or request.candidates or request.selection):
        awaited = [job for job in plan.jobs.values() if job.is_critical or job.deadline]
        awaited = [job for job in awaited if not is_over(plan, job)]
        sentence = asked.phrase("awaited", count=strong(str(len(awaited))))
        return status(sentence, _ends(asked, awaited, forecast(plan, now)), as_of(asked, plan))
    name = (request.job_stream or request.job or "").upper()
    streams = [one for one in plan.named(name) if isinstance(one, JobStream)]
    if streams and not (request.job and request.job_stream):
        expected = forecast(plan, now, {streams[-1].id})
        return status(_end(asked, streams[-1], expected), as_of(asked, plan))
    found = await find_job(asked)
    if not isinstance(found, Found):
        return found
    job, plan = found.target, plan.replaced(found.target)
    expected = forecast(plan, now, {job.id})
    path = expected.critical_path(job)
    blocks: list[Block] = [_end(asked, job, expected)]
    if len(path) > 1 and not is_over(plan, job):
        blocks += [asked.phrase("critical_path", job=job.selection), _ends(asked, path, expected)]
    return status(*blocks, as_of(asked, plan), memory=Memory(selection=job.selection))


async def at_risk(asked: Asked) -> tuple[Block, ...]:
    """The jobs that put deadlines in danger; nothing where there is no mirror or no danger."""
    plan = await asked.tools.plan()
    hot = forecast(plan, datetime.now(UTC)).hot_list() if plan else ()
    if plan is None or not hot:
        return ()
    count = strong(str(len(hot)))
    return (asked.phrase("at_risk", count=count), asked.table("danger", hot), as_of(asked, plan))


def next_time(text: str, zone: ZoneInfo) -> datetime:
    """When the clock shows `14:30` next."""
    now = datetime.now(zone)
    today = _on(now.date(), text, zone)
    return today if today > now else _on(now.date() + _DAY, text, zone)


def moment_of(arguments: Arguments, zone: ZoneInfo) -> datetime:
    """The moment that a question names, in UTC; an hour ago where it names none."""
    now = datetime.now(zone)
    if "at" in arguments:
        today = _on(now.date(), str(arguments["at"]), zone)
        return (today if today <= now else _on(now.date() - _DAY, str(arguments["at"]), zone)).astimezone(UTC)
    spans = {name: int(arguments[name]) for name in ("hours", "minutes") if name in arguments}
    return now.astimezone(UTC) - (timedelta(**spans) or _DEFAULT)


def _on(day: date, text: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), zone)


def _of(request: Request, jobs: Iterable[State]) -> list[State]:
    """Those of the stream or the job that are named; a single name may be that of either."""
    stream, name = (request.job_stream or "").upper(), (request.job or "").upper()
    found = []
    for job in jobs:
        head, _, own = job.selection.rpartition(".")
        own_stream = head.rpartition("#")[2]
        if (own_stream == stream and name in {"", own}) if stream else name in {"", own, own_stream}:
            found.append(job)
    return found


def _end(asked: Asked, owner: Job | JobStream, expected: Forecast) -> Text:
    end, slack = expected.of(owner.id).end, expected.slack(owner)
    if owner.canceled or owner.status in {"SUCC", *FAILED_STATUSES}:
        key = "is_over"
    elif end is None:
        key = "cannot_say"
    else:
        key = "ends_at" if slack is None else "ends_late" if slack < timedelta() else "ends_in_time"
    return asked.phrase(
        key,
        job=strong(owner.selection),
        status=owner.status,
        end=strong(asked.cell(end)),
        deadline=asked.cell(owner.deadline),
        slack=asked.cell(slack),
    )


def _ends(asked: Asked, jobs: Iterable[Job], expected: Forecast) -> Block:
    return asked.table("expected", [(job, expected.of(job.id).end) for job in jobs])
