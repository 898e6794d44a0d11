"""An engine's plan in memory, read through the same methods as `TwsClient`'s: for tests that need it to fail, or fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TypeVar

from tests.support.plan import AT, make_dependency, make_job, make_run, make_stream
from tws.actions import PlanObject
from tws.contents import PlanInfo
from tws.errors import TwsUnreachableError
from tws.objects import CommonStatus, Job, JobStream, Prompt, Resource, Workstation
from tws.oql import Comparison, Condition, Field, Or

_COMMON = {
    "HOLD": CommonStatus.WAITING,
    "READY": CommonStatus.READY,
    "EXEC": CommonStatus.RUNNING,
    "SUCC": CommonStatus.SUCCESSFUL,
    "ABEND": CommonStatus.ERROR,
}
_Object = TypeVar("_Object", Job, JobStream, Workstation, Resource, Prompt)


class FakePlan:
    """The objects by id; the counters of streams follow their jobs."""

    def __init__(self, *objects: PlanObject, page_rows: int = 500) -> None:
        self.objects: dict[str, PlanObject] = {}
        self.info = PlanInfo(run_number=1, starts_at=AT, ends_at=AT.replace(day=AT.day + 1))
        self.pages_until_failure: int | None = None
        """The engine goes away once so many pages were read."""
        self.read: Counter[str] = Counter()
        """How many objects were read, by the name of the method."""
        self._jobs_of: defaultdict[str, dict[str, Job]] = defaultdict(dict)
        self._followers: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """Ids of what depends on a stream or one of its jobs."""
        self._page_rows = page_rows
        self.put(*objects)

    def put(self, *objects: PlanObject) -> None:
        """Adds the objects, or lays them over those with the same id."""
        self.objects |= {each.id: each for each in objects}
        jobs = [each for each in objects if isinstance(each, Job)]
        for job in jobs:
            self._jobs_of[job.job_stream_id][job.id] = job
        for owner in objects:
            if isinstance(owner, Job | JobStream):
                for target_id in filter(None, (one.target_id for one in owner.dependencies)):
                    target = self.objects.get(target_id)
                    stream_id = target.job_stream_id if isinstance(target, Job) else target_id
                    self._followers[stream_id][owner.id] = None
        streams = {each.id for each in objects if isinstance(each, JobStream)}
        self._count(streams | {job.job_stream_id for job in jobs})

    def change(self, object_id: str, **values: object) -> None:
        """The object gets these values."""
        self.put(replace(self.objects[object_id], **values))  # type: ignore[arg-type]  # fields of whatever it is

    def to(self, job_id: str, status: str) -> None:
        """The job gets the status."""
        self.change(job_id, status=status, common_status=_COMMON[status])

    def remove(self, *object_ids: str) -> None:
        """The objects leave the plan, streams with their jobs."""
        for object_id in object_ids:
            gone = self.objects.pop(object_id)
            if isinstance(gone, JobStream):
                self.remove(*self._jobs_of[gone.id])
            elif isinstance(gone, Job):
                self._jobs_of[gone.job_stream_id] = {
                    job_id: job
                    for job_id, job in self._jobs_of[gone.job_stream_id].items()
                    if job_id != gone.id
                }
                self._count({gone.job_stream_id})

    async def plan_info(self) -> PlanInfo:
        return self.info

    async def all_jobs(self, *conditions: Condition) -> AsyncIterator[tuple[Job, ...]]:
        for page in self._pages("all_jobs", self._matching(Job, *conditions)):
            yield page

    async def all_job_streams(
        self, *conditions: Condition, with_dependencies: bool = True
    ) -> AsyncIterator[tuple[JobStream, ...]]:
        for page in self._pages("all_job_streams", self._matching(JobStream, *conditions)):
            yield page if with_dependencies else tuple(replace(each, dependencies=()) for each in page)

    async def workstations(self) -> tuple[Workstation, ...]:
        return tuple(self._matching(Workstation))

    async def resources(self) -> tuple[Resource, ...]:
        return tuple(self._matching(Resource))

    async def prompts(self) -> tuple[Prompt, ...]:
        return tuple(self._matching(Prompt))

    def _matching(self, kind: type[_Object], *conditions: Condition) -> list[_Object]:
        """The objects of the kind to which the condition applies, of which there is at most one."""
        ids = self._ids(conditions[0]) if conditions else self.objects
        return [each for each in map(self.objects.get, ids) if isinstance(each, kind)]

    def _ids(self, condition: Condition) -> dict[str, None]:
        if isinstance(condition, Or):
            return {each: None for part in condition.conditions for each in self._ids(part)}
        assert isinstance(condition, Comparison)
        values = list(map(str, condition.values))
        match condition.field:
            case Field.ID:
                return dict.fromkeys(values)
            case Field.JOB_STREAM_ID:
                return {job_id: None for stream_id in values for job_id in self._jobs_of[stream_id]}
            case Field.PREDECESSOR_STREAM_ID:
                return {owner_id: None for stream_id in values for owner_id in self._followers[stream_id]}
            case Field.RUN_COMMON_STATUS:
                jobs = (job for jobs in self._jobs_of.values() for job in jobs.values())
                return {job.id: None for job in jobs if job.common_status in values}
        raise AssertionError(condition.field)

    def _pages(self, method: str, rows: list[_Object]) -> Iterator[tuple[_Object, ...]]:
        for start in range(0, len(rows), self._page_rows):
            if self.pages_until_failure is not None:
                if self.pages_until_failure == 0:
                    raise TwsUnreachableError("https://tws.example.com", "fake outage", was_sent=False)
                self.pages_until_failure -= 1
            page = tuple(rows[start : start + self._page_rows])
            self.read[method] += len(page)
            yield page

    def _count(self, stream_ids: set[str]) -> None:
        for stream in map(self.objects.get, stream_ids):
            if isinstance(stream, JobStream):
                counts = Counter(job.status for job in self._jobs_of[stream.id].values())
                self.objects[stream.id] = replace(
                    stream,
                    jobs_total=counts.total(),
                    jobs_successful=counts["SUCC"],
                    jobs_running=counts["EXEC"],
                    jobs_abended=counts["ABEND"],
                )


def make_plan(streams: int = 3, jobs: int = 4) -> FakePlan:
    """Streams of jobs, each of which follows the one before; the first jobs are done and the others wait."""
    plan = FakePlan(
        Workstation(
            id="ws-1",
            name="AGT1",
            type="AGENT",
            is_linked=True,
            is_running=True,
            limit=10,
            fence=0,
            host="agt1.example.com",
            run_number=1,
        ),
        Resource(id="res-1", name="TAPES", workstation="AGT1", quantity=3, available=1),
        Prompt(id="pr-1", name="GO", number=7, text="Go on?", status="ASKED", type="Predefined Prompt"),
    )
    for number in range(streams):
        name = f"STREAM{number}"
        needs = make_dependency(type="RESOURCE", target="AGT1#TAPES", target_id=None, quantity=1)
        stream = make_stream(
            id=name.lower(), name=name, workstation="AGT1", key=f"AGT1;{number}", dependencies=(needs,)
        )
        plan.put(stream, *(_job(stream, each) for each in range(jobs)))
    return plan


def _job(stream: JobStream, number: int) -> Job:
    before = make_dependency(
        target=f"AGT1#{stream.name}.JOB{number - 1}",
        target_id=f"{stream.id}.{number - 1}",
        satisfied=number == 1,
    )
    job_id, status = f"{stream.id}.{number}", "HOLD" if number else "SUCC"
    return make_job(
        id=job_id,
        name=f"JOB{number}",
        key=f"{stream.key};JOB{number}",
        job_stream=stream.name,
        job_stream_id=stream.id,
        job_stream_workstation="AGT1",
        workstation="AGT1",
        status=status,
        common_status=_COMMON[status],
        position=number + 1,
        runs=() if number else (make_run(id=f"{job_id}/1", status="SUCC", return_code=0),),
        dependencies=(before,) if number else (),
    )
