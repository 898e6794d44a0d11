"""What a task is made of: the clauses that were typed, the steps of a known plan, the objects that were found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from brain.agents.asked import Asked
from brain.agents.grammar import Request, read_request
from brain.agents.readers import READERS
from brain.message import Locale
from tws.selection import parse

from .catalogue import CATALOGUE, Step, known_plan
from .clauses import clauses
from .task import ROOT, Task, Tasks, numbered

_MOST_EACH = 12
"""Objects that are looked at one by one; of more the answer says how many were left out."""


def parts_for(task: Task, tasks: Tasks, asked: Asked) -> list[Task]:
    """The parts of the task, waiting; none where a specialist answers it as it is."""
    if task.each_of:
        return list(_one_each(task, tasks, asked))
    if task.plan:
        return list(_steps(task, asked))
    found = questions(task.words, asked.locale) if task.words else []
    return list(_clauses(task, found) if len(found) > 1 else _names(task))


def whole(words: str, asked: Asked) -> Task:
    """The root of the tree."""
    found = questions(words, asked.locale)
    if len(found) == 1:
        ((words, request),) = found
    else:
        request = asked.request
    plan = known_plan(words) if len(found) == 1 else ""
    return Task(id=ROOT, title=asked.say("task_whole"), request=request, words=words, plan=plan)


def is_compound(words: str, request: Request) -> bool:
    """Whether the words ask for several things, or for what a known plan answers."""
    every = _read(words, request.locale)
    asking = _asking(every)
    if len(asking) > 1 or _wanted(every) or any(map(_is_of_several, asking)):
        return True
    return request.kind != "action" and request.action is None and any(known_plan(one) for one, _ in asking)


def questions(words: str, locale: Locale | None) -> list[tuple[str, Request]]:
    """The clauses that only want to know, each once, without those that the plan of another one answers anyway."""
    return _asking(_read(words, locale))


def wish(words: str, locale: Locale | None) -> Request | None:
    """The one change among the clauses that is asked for; None where there is none, or nothing beside it."""
    return _wanted(_read(words, locale))


def _read(words: str, locale: Locale | None) -> list[tuple[str, Request]]:
    return [(one, read_request(one, locale)) for one in clauses(words, locale)]


def _wanted(every: Sequence[tuple[str, Request]]) -> Request | None:
    wanted = (request for _, request in every if request.kind == "action")
    return next(wanted, None) if len(every) > 1 else None


def _asking(every: Sequence[tuple[str, Request]]) -> list[tuple[str, Request]]:
    asking = [(one, request) for one, request in every if request.kind != "action"]
    plans = filter(None, (known_plan(one) for one, _ in asking))
    told = {(step.kind, step.topic) for plan in plans for step in CATALOGUE[plan].steps[:1]}
    kept = []
    for one, request in asking:
        subject = (request.kind, request.topic)
        is_named = request.job or request.job_stream
        if known_plan(one) or is_named or request.topic is None or subject not in told:
            kept.append((one, request))
            told.add(subject)
    return kept


def instead(task: Task, done: Sequence[Task], asked: Asked, now: datetime) -> list[Task]:
    """Other ways to what failed: what the mirror of the plan says of it. To a question back only the person knows one."""
    replaced = {one.instead_of for one in done}
    failed = [
        one
        for one in done
        if one.state == "failed"
        and one.id not in replaced
        and not one.instead_of
        and one.draft is None
        and one.request.topic != "then"
    ]
    ids = numbered(task, len(failed), done)
    return [
        Task(
            id=id_,
            title=asked.say("task_instead", title=one.title),
            request=replace(
                one.request,
                kind="status",
                topic="then",
                arguments={"at": f"{now.astimezone(asked.zone):%H:%M}"},
            ),
            instead_of=one.id,
        )
        for id_, one in zip(ids, failed, strict=True)
    ]


def _is_of_several(question: tuple[str, Request]) -> bool:
    _, request = question
    return len(_jobs(request)) > 1 and request.kind in READERS


def _jobs(request: Request) -> list[str]:
    return list(dict.fromkeys((request.job, *request.further))) if request.job else []


def _names(task: Task) -> Iterator[Task]:
    """The same question about each of the names in it."""
    if _is_of_several((task.words, task.request)):
        names = _jobs(task.request)
        for id_, name in zip(numbered(task, len(names)), names, strict=True):
            request = replace(task.request, job=name, selection=None, further=())
            yield Task(id=id_, title=name, request=request)


def _clauses(task: Task, found: Sequence[tuple[str, Request]]) -> Iterator[Task]:
    before = ""
    for id_, (words, request) in zip(numbered(task, len(found)), found, strict=True):
        own = request.job or request.job_stream or request.selection or request.topic or request.identifiers
        yield Task(
            id=id_,
            title=words.rstrip("?"),
            request=request,
            words=words,
            plan=known_plan(words),
            needs="" if own else before,
        )
        before = id_


def _steps(task: Task, asked: Asked) -> Iterator[Task]:
    steps = CATALOGUE[task.plan].steps
    ids = dict(zip((step.name for step in steps), numbered(task, len(steps)), strict=True))
    for step in steps:
        yield Task(
            id=ids[step.name],
            title=asked.say(f"task_{task.plan}_{step.name}"),
            request=_request(step, asked),
            plan=step.plan,
            needs=ids.get(step.each_of, ""),
            each_of=bool(step.each_of),
        )


def _one_each(task: Task, tasks: Tasks, asked: Asked) -> Iterator[Task]:
    source = tasks[task.needs]
    found = source.draft.found if source.draft else ()
    shown = found[:_MOST_EACH]
    more = len(found) - len(shown) + (source.draft.unlisted if source.draft else 0)
    ids = numbered(task, len(shown) + 1)
    for id_, name in zip(ids, shown, strict=False):
        request = replace(task.request, selection=parse(name))
        yield Task(id=id_, title=name, request=request)
    if more > 0:
        left_out = asked.say("task_more", count=more)
        yield Task(
            id=ids[-1],
            title=left_out,
            request=task.request,
            state="skipped",
            problem=asked.say("budget_each"),
        )


def _request(step: Step, asked: Asked) -> Request:
    return Request(kind=step.kind, locale=asked.locale, topic=step.topic)
