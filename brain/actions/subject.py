"""What a policy knows about the object of a change: pure."""

from dataclasses import dataclass, replace

from tws.actions import Change, ObjectKind, PlanObject
from tws.objects import Job, JobStream, Prompt, Resource, Workstation
from tws.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The names that patterns are compared with; empty where the object has no such name."""

    engine: str
    kind: ObjectKind
    folder: str = ""
    workstation: str = ""
    job_stream: str = ""
    job: str = ""
    is_critical: bool = False
    """The job is critical, or one of the job stream's jobs is."""


def subject_of(engine: str, change: Change, target: PlanObject | None, plan: Plan | None) -> Subject:
    """The subject of a change; `target` is None for a submission, `plan` None where it is not known.

    A prompt of a job or job stream is as much theirs as the objects themselves.
    """
    owner = _owner(target, plan) if isinstance(target, Prompt) else target
    subject = Subject(engine=engine, kind=change.kind)
    match owner:
        case Job() | JobStream():
            subject = replace(subject, folder=owner.folder, workstation=owner.workstation)
            if isinstance(owner, JobStream):
                is_critical = _has_critical_job(owner, plan)
                return replace(subject, job_stream=owner.name, is_critical=is_critical)
            return replace(
                subject, job_stream=owner.job_stream, job=owner.name, is_critical=owner.is_critical
            )
        case Workstation():
            return replace(subject, folder=owner.folder, workstation=owner.name)
        case Resource():
            return replace(subject, workstation=owner.workstation)
    workstation, _, path = change.selection.rpartition("#")
    folder, _, name = path.rpartition("/")
    place = replace(subject, folder=f"{folder}/", workstation=workstation.rpartition("/")[2])
    match change.kind:
        case ObjectKind.JOB_DEFINITION:
            return replace(place, job=name)
        case ObjectKind.JOB_STREAM_DEFINITION:
            return replace(place, job_stream=name)
    return replace(subject, is_critical=isinstance(target, Prompt) and plan is None)


def _owner(prompt: Prompt, plan: Plan | None) -> Job | JobStream | None:
    if plan is None:
        return None
    return plan.jobs.get(prompt.job_id or "") or plan.job_streams.get(prompt.job_stream_id or "")


def _has_critical_job(stream: JobStream, plan: Plan | None) -> bool:
    """Also when nobody knows: a rule that protects critical jobs must not fail for lack of a plan."""
    return plan is None or any(job.is_critical for job in plan.jobs_of(stream.id))
