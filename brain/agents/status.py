"""Answers what is going on: failed, running, waiting, late; job streams, workstations, one job; then and soon."""

from zoneinfo import ZoneInfo

from brain.agents.asked import Asked
from brain.agents.comparison import answer_slower
from brain.agents.lists import JOB_TOPICS, LISTS, list_jobs, list_objects, why_buttons
from brain.agents.moments import answer_changes, answer_finish, answer_then
from brain.agents.resolve import Found, find_job, fits
from brain.agents.tables import ROWS, status_of, table
from brain.message import Locale
from brain.phrases import say
from brain.reply import Facts, Table, code, strong, text
from brain.snapshots import PlanSnapshot
from brain.state import Draft, Memory, status
from tws.actions import ObjectKind
from tws.objects import CommonStatus, Job, JobFilter, JobStreamFilter


async def answer_status(asked: Asked) -> Draft:
    """The part of the plan that was asked for; the whole when nothing in particular was."""
    request = asked.request
    match request.topic:
        case "then":
            return await answer_then(asked)
        case "slower":
            return await answer_slower(asked)
        case "changes":
            return await answer_changes(asked)
        case "finish" | "critical_path":
            return await answer_finish(asked)
        case topic if (
            topic
            and topic in LISTS
            and (topic != "job_streams" or request.selection or not request.job_stream)
        ):
            return await list_objects(asked, topic)
        case topic if topic and topic in JOB_TOPICS and (request.job is None or request.selection):
            return await list_jobs(asked, topic)
    # A question about one job that names none means the job spoken of before.
    is_about_one = request.kind == "status" and request.topic is None
    if request.job or request.job_stream or is_about_one:
        return await _one(asked)
    return await _summary(asked)


async def _summary(asked: Asked) -> Draft:
    snapshot = await asked.tools.overview()
    total = sum(snapshot.counts.values())
    failed = snapshot.counts[CommonStatus.ERROR]
    return status(
        asked.phrase("summary", total=strong(str(total)), failed=strong(str(failed))),
        Facts(items=tuple((name, str(count)) for name, count in snapshot.counts.items())),
        *overview_table(snapshot, asked.locale, asked.zone),
        buttons=why_buttons([job.selection for job in snapshot.failed], asked.locale),
    )


def overview_table(snapshot: PlanSnapshot, locale: Locale, zone: ZoneInfo) -> tuple[Table, ...]:
    """The failed jobs of a snapshot as a table; nothing when there are none."""
    title = say(locale, "title_failed")
    return (table("snapshot", snapshot.failed, locale, zone, title=title),) if snapshot.failed else ()


async def _one(asked: Asked) -> Draft:
    found = await find_job(asked)
    if isinstance(found, Found):
        return _one_job(asked, found.target)
    name = (asked.request.job_stream or asked.request.job or "").upper()
    if not name:
        return found
    # People say a name and leave it to us what it is the name of.
    other = await _one_stream(asked, name)
    if other is not None:
        return other
    for kind, read in (
        (ObjectKind.WORKSTATION, asked.tools.workstations),
        (ObjectKind.RESOURCE, asked.tools.resources),
        (ObjectKind.PROMPT, asked.tools.prompts),
    ):
        named = [one for one in await read() if fits(name, one)]
        if named:
            return status(asked.table(kind, named))
    return found


async def _one_stream(asked: Asked, name: str) -> Draft | None:
    """How the job stream of that very name stands; None if there is none."""
    streams = [one for one in await asked.tools.job_streams(JobStreamFilter(name=name)) if one.name == name]
    if not streams:
        return None
    page = await asked.tools.query_jobs(JobFilter(job_stream=name, limit=ROWS))
    return status(
        asked.table(ObjectKind.JOB_STREAM, streams),
        asked.table(ObjectKind.JOB, page.jobs),
        buttons=why_buttons([job.selection for job in page.jobs if job.has_failed], asked.locale),
        memory=Memory(selection=""),
    )


def _one_job(asked: Asked, job: Job) -> Draft:
    run = job.last_run
    facts: dict[str, object] = {
        "status": status_of(job),
        "workstation": job.workstation,
        "scheduled": job.scheduled_at,
        "priority": job.priority,
    }
    if run is not None:
        facts |= {
            "started": run.started_at,
            "ended": run.ended_at,
            "rc": run.return_code,
            "attempt": run.attempt,
        }
    if job.deadline is not None:
        facts["deadline"] = job.deadline
    if waits_for := ", ".join(item.target for item in job.dependencies if not item.satisfied):
        facts["waits_for"] = waits_for
    items = ((asked.say(f"fact_{name}"), asked.cell(value)) for name, value in facts.items())
    return status(
        text(code(job.selection), ": ", strong(job.status)),
        Facts(items=tuple(items)),
        buttons=why_buttons([job.selection] if job.has_failed else [], asked.locale),
        memory=Memory(selection=job.selection),
    )
