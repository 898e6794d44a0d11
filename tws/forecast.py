"""When jobs are expected to start and to end: from how long they usually run, along what they wait for. Pure.

A forecast is what happens if nothing is in the way but what the plan shows: a limit or a resource that will be short
is not foreseen. Where a person has to act first, or nobody knows how long a job takes, it says nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .gates import WAITING, is_bound
from .objects import Dependency, Job, JobStream
from .outcomes import is_over
from .plan import RUNNING, Owner, Plan, followed


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of a job or a job stream; None: cannot say."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotJob:
    """A job that puts a deadline in danger."""

    job: Job
    endangers: tuple[Job, ...]
    """Jobs that are critical or have a deadline, and are expected to miss it or wait for what nobody can say."""


_NEVER = Expectation(None, None)


class Forecast:
    """What is expected of the jobs and job streams that were asked for; of all others it cannot say anything."""

    def __init__(self, plan: Plan, expected: dict[str, Expectation]) -> None:
        self._plan, self._expected = plan, expected

    def of(self, object_id: str) -> Expectation:
        """What is expected of the job or stream."""
        return self._expected.get(object_id, _NEVER)

    def slack(self, owner: Owner) -> timedelta | None:
        """Time between the expected end and the deadline, negative if it is too late. None: cannot say."""
        end = self.of(owner.id).end
        return owner.deadline - end if owner.deadline and end else None

    def critical_path(self, job: Job) -> tuple[Job, ...]:
        """The jobs that decide when it ends: each the last one that the next waits for, ending with the job itself."""
        path, seen = [job], {job.id}
        owner: Owner = job
        while (latest := self._latest(owner)) and latest.id not in seen:
            seen.add(latest.id)
            path += [latest] if isinstance(latest, Job) else []
            owner = latest
        return tuple(reversed(path))

    def hot_list(self) -> tuple[HotJob, ...]:
        """The jobs that decide over deadlines in danger, and can be worked on: those at the beginning of a path."""
        endangered: dict[str, list[Job]] = {}
        for job in self._plan.jobs.values():
            if (
                (job.is_critical or job.deadline)
                and job.id in self._expected
                and not is_over(self._plan, job)
            ):
                slack = self.slack(job)
                if slack is None or slack < timedelta():
                    endangered.setdefault(self.critical_path(job)[0].id, []).append(job)
        return tuple(
            HotJob(job=self._plan.jobs[one], endangers=tuple(jobs)) for one, jobs in endangered.items()
        )

    def _latest(self, owner: Owner) -> Owner | None:
        """What decides when the owner goes on: of what it waits for the last one to end, first of all the unforeseen."""
        if isinstance(owner, JobStream):
            waits: Iterable[Owner] = self._plan.jobs_of(owner.id)
        else:
            stream = self._plan.job_streams.get(owner.job_stream_id)
            waits = [target for each in (owner, stream) if each for target in _open(self._plan, each)]
        ends = [(self.of(one.id).end, one) for one in waits if not is_over(self._plan, one)]
        never = next((one for end, one in ends if end is None), None)
        return never or max(ends, key=lambda item: item[0] or self._plan.read_at, default=(None, None))[1]


def forecast(plan: Plan, now: datetime, only: Collection[str] | None = None) -> Forecast:
    """What is expected of all jobs and streams, or of these ids and all that comes before them.

    One pass along the edges; who waits in a circle, and whoever waits for them, cannot be said.
    """
    expected: dict[str, Expectation] = {}
    begins: dict[str, datetime | None] = {}
    for node in plan.in_order(only):
        if not isinstance(node, str):
            begins[node[0]] = _opens(plan, plan.job_streams[node[0]], expected, now)
        elif job := plan.jobs.get(node):
            expected[node] = _of_job(plan, job, expected, begins.get(job.job_stream_id, now), now)
        else:
            ends = [expected.get(job.id, _NEVER).end for job in plan.jobs_of(node)]
            expected[node] = Expectation(begins.get(node), _last(ends, now))
    return Forecast(plan, expected)


def _of_job(
    plan: Plan, job: Job, expected: dict[str, Expectation], begins: datetime | None, now: datetime
) -> Expectation:
    last = job.last_run
    if is_over(plan, job):
        return Expectation(last.started_at if last else None, (last and last.ended_at) or now)
    takes = _duration(plan, job)
    if job.status in RUNNING:
        started = (last and last.started_at) or now
        return Expectation(started, None if takes is None else max(now, started + takes))
    start = _last([begins, _opens(plan, job, expected, now)], now) if job.status in WAITING else None
    has_gone = start and job.latest_start and start > job.latest_start and job.on_late_start != "continue"
    if start is None or has_gone:
        return _NEVER
    return Expectation(start, None if takes is None else start + takes)


def _opens(plan: Plan, owner: Owner, expected: dict[str, Expectation], now: datetime) -> datetime | None:
    """When nothing holds the owner any more. None: cannot say."""
    if owner.priority == 0:
        return None
    if not is_bound(owner):
        return now
    times: list[datetime | None] = [now if owner.is_start_satisfied else owner.starts_after or now]
    times += [_satisfied(plan, one, expected, now) for one in owner.dependencies if not one.satisfied]
    return _last(times, now)


def _satisfied(
    plan: Plan, dependency: Dependency, expected: dict[str, Expectation], now: datetime
) -> datetime | None:
    if dependency.satisfied or dependency.type == "RESOURCE":
        return now
    if dependency.members:
        ends = [_satisfied(plan, member, expected, now) for member in dependency.members]
        known = sorted(end for end in ends if end)
        needed = dependency.members_needed or len(ends)
        return known[needed - 1] if needed <= len(known) else None
    target = plan.owner(dependency.target_id)
    if target is None or dependency.is_pending:
        return None
    return now if is_over(plan, target) else expected.get(target.id, _NEVER).end


def _last(times: Iterable[datetime | None], now: datetime) -> datetime | None:
    """The latest of the times and now; None if one of them cannot be said."""
    latest = now
    for time in times:
        if time is None:
            return None
        latest = max(latest, time)
    return latest


def _duration(plan: Plan, job: Job) -> timedelta | None:
    if job.is_no_operation:
        return timedelta()
    known = plan.statistics.get(job.selection)
    return known.median if known and known.runs else job.estimated_duration


def _open(plan: Plan, owner: Owner) -> list[Owner]:
    waits = (
        (plan.owner(one.target_id) for one in followed(owner) if not one.satisfied) if is_bound(owner) else ()
    )
    return [target for target in waits if target]
