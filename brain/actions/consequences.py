"""What a change will do, said before anybody approves it: pure."""

from __future__ import annotations

from brain.actions.policy import Action
from brain.message import Locale
from brain.phrases import say
from tws.objects import Job, JobStream

__all__ = ["consequences"]

_NAMED = 5
"""How many successors are named before the rest is counted."""
_STARTED = frozenset({"INTRO", "EXEC", "SUCCP", "ABENP"})


def consequences(
    action: Action, job: Job, successors: tuple[Job | JobStream, ...], locale: Locale
) -> tuple[str, ...]:
    """Sentences, most important first. `successors` are the direct ones."""
    waiting = [node for node in successors if not node.canceled and node.status in {"HOLD", "READY", "SCHED"}]
    match action:
        case Action.RERUN:
            lines = _rerun(job, waiting, locale)
        case Action.HOLD:
            lines = [say(locale, "hold_effect", job=job.name, priority=job.priority)]
            lines += _successors("hold_successors", waiting, locale)
        case Action.RELEASE:
            lines = _release(job, locale)
        case Action.CANCEL:
            lines = _cancel(job, waiting, locale)
    if job.is_critical:
        lines.append(say(locale, "critical_job", job=job.name))
    return tuple(lines)


def _rerun(job: Job, waiting: list[Job | JobStream], locale: Locale) -> list[str]:
    last = job.last_run
    lines = [
        say(
            locale,
            "rerun_effect",
            job=job.name,
            attempt=(last.attempt if last else 0) + 1,
            workstation=job.workstation,
        )
    ]
    if job.status == "SUCC":
        lines.append(say(locale, "rerun_successful", job=job.name))
    return lines + _successors("rerun_successors", waiting, locale)


def _release(job: Job, locale: Locale) -> list[str]:
    if job.priority == 0:
        return [say(locale, "release_held", job=job.name)]
    open_dependencies = [item.target for item in job.dependencies if not item.satisfied]
    if open_dependencies:
        return [say(locale, "release_dependencies", job=job.name, names=_names(open_dependencies, locale))]
    return [say(locale, "release_effect", job=job.name)]


def _cancel(job: Job, waiting: list[Job | JobStream], locale: Locale) -> list[str]:
    lines = [
        say(locale, "cancel_started" if job.status in _STARTED else "cancel_effect", job=job.name),
        *_successors("cancel_successors", waiting, locale),
    ]
    return [*lines, say(locale, "cancel_final")]


def _successors(key: str, waiting: list[Job | JobStream], locale: Locale) -> list[str]:
    if not waiting:
        return [say(locale, "no_successors")]
    names = _names([node.selection for node in waiting], locale)
    return [say(locale, key, count=len(waiting), names=names)]


def _names(names: list[str], locale: Locale) -> str:
    shown = ", ".join(names[:_NAMED])
    hidden = len(names) - _NAMED
    return shown if hidden <= 0 else say(locale, "and_more", names=shown, count=hidden)
