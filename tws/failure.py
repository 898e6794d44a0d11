"""Why a job failed: its return code, what its log says, whether it failed so before, and what changed since it last ran well.

Pure: gives facts; the words are made elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .joblog import LogLine, read_log
from .objects import FAILED_STATUSES, Job, JobRun
from .success import ConditionError, is_success


class Ending(StrEnum):
    """How it ended."""

    NOT_LAUNCHED = "not_launched"
    """FAIL: the agent could not start it."""
    KILLED = "killed"
    """By a signal: of an operator, of a limit of time, or of the machine, e.g. when its memory was used up."""
    RETURN_CODE = "return_code"
    """ABEND: the code is not one that the definition calls a success."""
    NOT_BY_RETURN_CODE = "not_by_return_code"
    """ABEND although the code is a success: an operator's confirmation, or another condition of the definition."""
    UNKNOWN = "unknown"
    """Nobody knows the code, or the condition cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it was when the job last ran well."""

    name: str
    """A field of `Job` or, with `run.` before it, of `JobRun`."""
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed run."""

    run: JobRun
    ending: Ending
    return_code: int | None
    success_condition: str
    signal: int | None
    """Of a killed job."""
    decisive: tuple[LogLine, ...]
    """Lines of the log that explain it, the weightiest first; untrusted text."""
    message_ids: tuple[str, ...]
    same_before: tuple[JobRun, ...]
    """Runs that ended with the same status and return code, the newest first."""
    last_success: JobRun | None
    differences: tuple[Difference, ...]
    """Against the last success; empty if none is known."""


_SIGNALS = {9: 9, 137: 9, 143: 15}
"""Return code of a killed job to the signal: as the engine gives it, and as shells do (128 and more)."""
_JOB_FIELDS = (
    "definition_id",
    "task",
    "login",
    "workstation",
    "success_condition",
    "recovery",
    "max_duration",
)
_UNUSUAL = 2
"""A duration is another one when it is at least so many times longer or shorter."""


def explain(job: Job, *, log: str = "", past: Iterable[Job] = ()) -> Failure | None:
    """What is known about the failure of the job's last run; None if that did not fail.

    `past` are records of the same job in earlier plans, with their runs, in any order.
    """
    run = job.last_run
    if run is None or run.status not in FAILED_STATUSES:
        return None
    findings = read_log(log, run.return_code)
    code = findings.exit_status if run.return_code is None else run.return_code
    known = [(record, one) for record in (*past, job) for one in record.runs if one.id != run.id]
    known.sort(key=lambda item: item[1].started_at.timestamp() if item[1].started_at else 0.0, reverse=True)
    success = next(((record, one) for record, one in known if one.status == "SUCC"), None)
    ending = _ending(run, code, job.success_condition)
    return Failure(
        run=run,
        ending=ending,
        return_code=code,
        success_condition=job.success_condition,
        signal=_SIGNALS.get(code or 0) if ending is Ending.KILLED else None,
        decisive=findings.decisive,
        message_ids=findings.message_ids,
        same_before=tuple(
            one for _, one in known if (one.status, one.return_code) == (run.status, run.return_code)
        ),
        last_success=success[1] if success else None,
        differences=tuple(_differences(*success, job, run)) if success else (),
    )


def _ending(run: JobRun, code: int | None, condition: str) -> Ending:
    if run.status == "FAIL":
        return Ending.NOT_LAUNCHED
    if code is None:
        return Ending.UNKNOWN
    try:
        is_good = is_success(code, condition)
    except ConditionError:
        is_good = None
    if is_good:
        return Ending.NOT_BY_RETURN_CODE
    if code in _SIGNALS:
        return Ending.KILLED
    return Ending.UNKNOWN if is_good is None else Ending.RETURN_CODE


def _differences(job: Job, run: JobRun, job_now: Job, run_now: JobRun) -> Iterator[Difference]:
    for name in _JOB_FIELDS:
        before, after = getattr(job, name), getattr(job_now, name)
        if before != after:
            yield Difference(name=name, before=before, after=after)
    if run.workstation != run_now.workstation:
        yield Difference(name="run.workstation", before=run.workstation, after=run_now.workstation)
    if run.elapsed is not None and run_now.elapsed is not None:
        short, long = sorted((run.elapsed, run_now.elapsed))
        if long > timedelta() and long >= _UNUSUAL * short:
            yield Difference(name="run.elapsed", before=run.elapsed, after=run_now.elapsed)
