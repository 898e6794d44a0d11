"""Lists of the plan: jobs by topic or selection, job streams, workstations, prompts, resources, files waited for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from brain.agents.asked import Asked
from brain.agents.grammar import Topic
from brain.agents.moments import at_risk
from brain.agents.offers import ask_button
from brain.agents.resolve import SCANNED, ask_nearest, fits
from brain.agents.tables import ROWS
from brain.message import Locale
from brain.reply import Block, Button, Span, Text, code, strong
from brain.state import Draft, status
from brain.toolbox import Toolbox
from tws.actions import ObjectKind
from tws.objects import CommonStatus, Job, JobFilter, JobStream, JobStreamFilter
from tws.selection import Selection, job_filter, matches

UNFINISHED = (
    CommonStatus.WAITING,
    CommonStatus.READY,
    CommonStatus.RUNNING,
    CommonStatus.HELD,
    CommonStatus.ERROR,
    CommonStatus.BLOCKED,
)
"""Of jobs that may still run or run again."""
_LAST = datetime.max.replace(tzinfo=UTC)
_OVER = frozenset({CommonStatus.SUCCESSFUL, CommonStatus.CANCELED, CommonStatus.SUPPRESS})
JOB_TOPICS: Mapping[Topic, tuple[CommonStatus, ...]] = {
    "failed": (CommonStatus.ERROR,),
    "running": (CommonStatus.RUNNING,),
    "waiting": (CommonStatus.WAITING, CommonStatus.READY),
    "held": (CommonStatus.HELD,),
    "late": UNFINISHED,
    "selected": (),
}
"""The topics that are jobs, and their statuses."""
LISTS: Mapping[Topic, tuple[str, Callable[[Any], bool]]] = {
    "workstations": (ObjectKind.WORKSTATION, lambda one: not (one.is_linked and one.is_running)),
    "job_streams": (ObjectKind.JOB_STREAM, lambda one: one.status in {"STUCK", "ABEND"} or one.is_late),
    "prompts": (ObjectKind.PROMPT, lambda one: one.status == "ASKED"),
    "resources": (ObjectKind.RESOURCE, lambda one: one.available <= 0),
    "files": ("file", lambda _: True),
}
"""The other topics: of what kind they are, and which of them need somebody to look."""
_SHOWN_IN_FULL: frozenset[Topic] = frozenset({"workstations", "resources"})


async def list_jobs(asked: Asked, topic: Topic) -> Draft:
    """The jobs of a topic; where the request names a stream, a workstation or a selection, theirs alone."""
    tools, request, selection = asked.tools, asked.request, asked.request.selection
    is_scan = topic == "late" or selection is not None
    wanted = job_filter(
        selection or Selection(job_stream=request.job_stream), limit=SCANNED if is_scan else ROWS
    )
    wanted = replace(wanted, common_statuses=JOB_TOPICS[topic])
    if selection is None and request.workstation:
        wanted = replace(wanted, workstation=request.workstation.upper())
    page = await tools.query_jobs(wanted)
    named = " ".join(filter(None, (wanted.job_stream, wanted.workstation)))
    if not page.jobs and named and not await _exists(tools, wanted):
        # "None failed" of a stream that is not there would be false comfort.
        return await ask_nearest(asked, wanted.job_stream or named)
    jobs = [job for job in page.jobs if selection is None or matches(selection, job, asked.zone)]
    jobs = [job for job in jobs if topic != "late" or _is_late(job)]
    total = len(jobs) if is_scan else page.total
    place = str(selection) if selection else named
    streams = await _late_streams(asked, wanted) if topic == "late" else []
    blocks: list[Block] = []
    if streams:
        blocks.append(_at(place, asked.phrase("some_late_streams", count=strong(str(len(streams))))))
        blocks.append(asked.table(ObjectKind.JOB_STREAM, streams))
    if jobs:
        blocks.append(_at(place, asked.phrase(f"some_{topic}", count=strong(str(total)))))
        blocks.append(asked.table(ObjectKind.JOB, jobs))
    elif not blocks:
        blocks.append(_at(place, asked.phrase(f"none_{topic}")))
    if total > ROWS:
        blocks.append(asked.phrase("shown_of", shown=str(ROWS), total=str(total)))
    if topic == "late" and not place:
        blocks += await at_risk(asked)
    found = dict.fromkeys(job.selection for job in (*jobs, *_in_the_way(streams, page.jobs)))
    draft = status(
        *blocks,
        buttons=why_buttons([job.selection for job in jobs if job.has_failed], asked.locale),
        found=found,
    )
    return replace(draft, unlisted=total - len(jobs))


async def list_objects(asked: Asked, topic: Topic) -> Draft:
    """All objects of a topic with those in trouble first, or the ones that the request names."""
    request, (kind, is_troubled) = asked.request, LISTS[topic]
    objects = sorted(await _read(asked.tools, topic), key=lambda one: not is_troubled(one))
    name = request.workstation if topic == "workstations" else getattr(request, kind, None)
    named = [one for one in objects if name and fits(name, one)]
    if request.selection is not None and topic == "job_streams":
        named = [one for one in objects if matches(request.selection, one, asked.zone)]
    if named:
        return status(asked.table(kind, named))
    troubled = [one for one in objects if is_troubled(one)]
    counts = {"count": strong(str(len(objects))), "troubled": strong(str(len(troubled)))}
    sentence = asked.phrase(topic, **counts)
    if name:
        sentence = asked.phrase("unknown_object", kind=asked.say(f"kind_{kind}"), name=code(name))
    shown = objects if name or topic in _SHOWN_IN_FULL else troubled
    return status(sentence, *([asked.table(kind, shown)] if shown else []))


async def _read(tools: Toolbox, topic: Topic) -> Sequence[Any]:
    match topic:
        case "workstations":
            return sorted(await tools.workstations(), key=lambda one: one.name)
        case "job_streams":
            return await tools.job_streams(JobStreamFilter(limit=SCANNED))
        case "prompts":
            return await tools.prompts()
        case "resources":
            return await tools.resources()
    plan, held = await tools.plan(), JobFilter(statuses=("HOLD",), limit=SCANNED)
    nodes: Iterable[Job | JobStream] = (
        (*plan.job_streams.values(), *plan.jobs.values()) if plan else (await tools.query_jobs(held)).jobs
    )
    waiting: dict[str, list[str]] = {}
    for node in nodes:
        for item in node.dependencies:
            if item.type == "FILE" and not item.satisfied and not node.canceled:
                waiting.setdefault(item.target, []).append(node.selection)
    return list(waiting.items())


def why_buttons(selections: Sequence[str], locale: Locale) -> tuple[Button, ...]:
    """Asks why the first of these jobs failed."""
    return tuple(ask_button("why", selection, locale) for selection in selections[:3])


async def _exists(tools: Toolbox, wanted: JobFilter) -> bool:
    place = JobFilter(job_stream=wanted.job_stream, workstation=wanted.workstation, limit=1)
    return bool((await tools.query_jobs(place)).jobs)


async def _late_streams(asked: Asked, wanted: JobFilter) -> list[JobStream]:
    every = JobStreamFilter(name=wanted.job_stream, workstation=wanted.workstation, limit=SCANNED)
    return [
        one
        for one in await asked.tools.job_streams(every)
        if one.common_status not in _OVER and _is_late(one)
    ]


def _in_the_way(streams: Iterable[JobStream], unfinished: Sequence[Job]) -> Iterator[Job]:
    """Of each job stream the job that it waits for: one that failed, else the first that is still to run."""
    for stream in streams:
        mine = [job for job in unfinished if job.job_stream_id == stream.id]
        if mine:
            yield min(mine, key=lambda job: (not job.has_failed, job.scheduled_at or _LAST))


def _is_late(node: Job | JobStream) -> bool:
    return node.is_late or (node.deadline is not None and node.deadline < datetime.now(UTC))


def _at(place: str, sentence: Text) -> Text:
    """The sentence, said of one stream or workstation where one was named."""
    return Text(spans=(code(place), Span(": "), *sentence.spans)) if place else sentence
