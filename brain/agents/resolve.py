"""From the name somebody typed to one object of the plan, or to a question with candidates."""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from brain.agents.asked import Asked
from brain.agents.grammar import ALL, Request
from brain.agents.offers import wording
from brain.message import Verb
from brain.reply import Button, code
from brain.state import Draft, Memory
from tws.actions import ACTIONS_OF, ObjectKind
from tws.objects import CommonStatus, Job, JobFilter
from tws.selection import Selection, job_filter, job_stream_filter, matches, parse

SCANNED = 10_000
"""How many jobs are looked through."""
_CANDIDATES = 6
"""How many candidates a question offers."""
_IN_PLAN = tuple(kind for kind in ObjectKind if not kind.endswith("definition"))
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """What is meant, and others of that name that were not chosen."""

    target: T
    kind: ObjectKind = ObjectKind.JOB
    others: tuple[Job, ...] = ()


async def find_job(asked: Asked, *, prefer: Callable[[Job], bool] | None = None) -> Found[Job] | Draft:
    """The job of the request, or of the conversation so far.

    Of several jobs with the name the one that `prefer` singles out is taken, otherwise the reply asks.
    An unknown name gets the nearest ones.
    """
    tools, request, wanted = asked.tools, asked.request, _wanted(asked)
    if wanted is None:
        failed = await tools.query_jobs(JobFilter(common_statuses=(CommonStatus.ERROR,), limit=_CANDIDATES))
        return ask(asked, [job.selection for job in failed.jobs], "which_job")
    jobs = _newest(await select_jobs(asked, wanted))
    if not jobs and wanted.job and not wanted.job_stream:
        # People say the name of the stream and mean what is wrong in it.
        jobs = _newest(await select_jobs(asked, Selection(job_stream=wanted.job, job=ALL)))
    for word in () if jobs or request.job else request.candidates[1:]:
        jobs = jobs or _newest(await select_jobs(asked, Selection(job=word)))
    name = (wanted.job or wanted.job_stream or str(wanted)).upper()
    if not jobs:
        return await ask_nearest(asked, name)
    preferred = [job for job in jobs if prefer and prefer(job)]
    if len(jobs) > 1 and len(preferred) == 1:
        others = tuple(job for job in jobs if job.id != preferred[0].id)
        return Found(target=await tools.job(preferred[0].id), others=others)
    jobs = preferred if preferred and len(jobs) > 1 else jobs
    if len(jobs) > 1:
        names = {job.name for job in jobs}
        key = "which_of" if len(names) == 1 else "which_among"
        return ask(asked, [job.selection for job in jobs], key, names.pop() if len(names) == 1 else name)
    return Found(target=await tools.job(jobs[0].id))


async def find_object(asked: Asked) -> Found[Any] | Draft:
    """What the action of the request is for. An object that does not know the action is found too.

    The target is an object of the plan; for a submission a definition, which has an `id` and a `selection`.
    """
    known = [kind for kind, actions in ACTIONS_OF.items() if asked.request.action in actions]
    named = _named(asked.request)
    if named is None or known == [ObjectKind.JOB]:
        return await find_job(asked)
    kinds, name = named
    first = [kind for kind in known if kind in kinds] or known
    for kind in dict.fromkeys((*first, *known, *_IN_PLAN)):
        objects = _newest(await _objects(asked, kind, name))
        if len(objects) == 1:
            job = await asked.tools.job(objects[0].id) if kind is ObjectKind.JOB else None
            return Found(target=job or objects[0], kind=kind)
        if objects:
            return ask(asked, [one.selection for one in objects], "which_among", name.upper(), kind)
    return await ask_nearest(asked, name.upper(), first[0])


async def select_jobs(asked: Asked, selection: Selection) -> list[Job]:
    """All jobs that are selected, as they stand now."""
    page = await asked.tools.query_jobs(job_filter(selection, limit=SCANNED))
    return [job for job in page.jobs if matches(selection, job, asked.zone)]


def fits(name: str | None, one: Any) -> bool:
    """Whether the object has this name or number; without a name any has."""
    pattern = re.escape(name or ALL).replace("@", ".*").replace(r"\?", ".")
    names = (getattr(one, "name", ""), str(getattr(one, "number", "")))
    return any(re.fullmatch(pattern, known, re.IGNORECASE) for known in names)


def _named(request: Request) -> tuple[tuple[ObjectKind, ...], str] | None:
    """What is named, and of which kinds it may be."""
    if request.prompt or request.resource:
        kind = ObjectKind.PROMPT if request.prompt else ObjectKind.RESOURCE
        return (kind,), request.prompt or request.resource or ""
    selection = request.selection if request.selection and request.selection.level == "job" else None
    if request.job or selection:
        is_job = request.job_stream or selection
        kinds = (ObjectKind.JOB, ObjectKind.JOB_DEFINITION) if is_job else tuple(ObjectKind)
        return kinds, request.job or str(selection)
    if request.job_stream:
        return (ObjectKind.JOB_STREAM, ObjectKind.JOB_STREAM_DEFINITION), request.job_stream
    if request.workstation:
        return (ObjectKind.WORKSTATION,), request.workstation
    return (tuple(ObjectKind), request.candidates[0]) if request.candidates else None


async def _objects(asked: Asked, kind: ObjectKind, name: str) -> Sequence[Any]:
    tools, request, found = asked.tools, asked.request, cast("Iterable[Any]", ())
    match kind:
        case ObjectKind.JOB:
            wanted = request.selection or Selection(job=name, job_stream=request.job_stream)
            return await select_jobs(asked, wanted)
        case ObjectKind.JOB_STREAM:
            wanted = request.selection or Selection(job_stream=name, workstation=request.workstation)
            streams = await tools.job_streams(job_stream_filter(wanted, limit=SCANNED))
            return [one for one in streams if matches(wanted, one, asked.zone)]
        case ObjectKind.WORKSTATION:
            found = await tools.workstations()
        case ObjectKind.PROMPT:
            found = await tools.prompts()
        case ObjectKind.RESOURCE:
            found = await tools.resources()
        case _:
            found = await tools.definitions(kind, name.upper())
    return [one for one in found if fits(name, one)]


def _wanted(asked: Asked) -> Selection | None:
    request, spoken_of = asked.request, asked.memory.get("selection", "")
    if request.selection is not None:
        return request.selection
    if request.job or request.job_stream:
        return Selection(job=request.job, job_stream=request.job_stream)
    if request.candidates:
        return Selection(job=request.candidates[0])
    return parse(spoken_of) if spoken_of else None


def _newest(objects: Iterable[Any]) -> list[Any]:
    """Of several instances in the plan the newest."""
    in_order = sorted(objects, key=lambda one: getattr(one, "scheduled_at", None) or _LONG_AGO)
    return list({one.selection: one for one in in_order}.values())


async def ask_nearest(asked: Asked, name: str, kind: ObjectKind = ObjectKind.JOB) -> Draft:
    """That nothing has this name, and what has a similar one."""
    if kind not in {ObjectKind.JOB, ObjectKind.JOB_STREAM}:
        labels = [one.selection for one in await _objects(asked, kind, "")]
        near = difflib.get_close_matches(name, labels, n=_CANDIDATES, cutoff=0.4)
        return ask(asked, near or labels, "unknown_object" if labels else "unknown_name", name, kind)
    page = await asked.tools.query_jobs(JobFilter(limit=SCANNED))
    names = {job.name for job in page.jobs} | {job.job_stream for job in page.jobs}
    near = difflib.get_close_matches(name, sorted(names), n=_CANDIDATES, cutoff=0.6)
    near += [known for known in sorted(names) if name in known and known not in near]
    selections = [job.selection for job in page.jobs if job.name in near[:_CANDIDATES]]
    return ask(asked, selections or near, "unknown_job_near" if near else "unknown_job", name)


def ask(
    asked: Asked, names: Sequence[str], key: str, name: str = "", kind: ObjectKind = ObjectKind.JOB
) -> Draft:
    """A question with candidates; the next message may name one or give its number."""
    offered = list(names[:_CANDIDATES])
    sentences = [_completed(asked, one, kind) for one in offered]
    pairs = zip(offered, sentences, strict=True)
    question = asked.phrase(key, name=code(name), count=str(len(names)), kind=asked.say(f"kind_{kind}"))
    return Draft(
        agent="clarify",
        blocks=(question,),
        buttons=tuple(Button(label=one, verb=Verb.SAY, value=sentence) for one, sentence in pairs),
        memory=Memory(candidates=offered, sentences=sentences, selection=""),
    )


def _completed(asked: Asked, name: str, kind: ObjectKind) -> str:
    """The sentence a person would have typed had they known the name."""
    request = asked.request
    if request.action is None or request.kind not in {"action", "what_if"}:
        return asked.say(f"say_{request.kind}", job=name)
    words = wording(request.action, kind, name, asked.locale, request.arguments)
    return asked.say("say_what_if", change=words) if request.kind == "what_if" else words
