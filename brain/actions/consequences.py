"""What a change will do, in words, before anybody approves it: what is dangerous first. Pure."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from brain.agents.reasons import reason_sentence
from brain.message import Locale
from brain.phrases import say
from brain.times import clock
from tws.impact import Deadline, Impact, RecoveryEffect

_NAMED = 5
"""How many objects are named before the rest is counted."""
_DEADLINES = 3
_UTC = ZoneInfo("UTC")


def sentences(impact: Impact, locale: Locale) -> tuple[str, ...]:
    """What would happen, worst first; what happens to the object itself follows, then to others. Times are in UTC."""
    change = impact.change
    name = change.selection
    if impact.refusal is not None:
        legal = ", ".join(say(locale, f"button_{action}") for action in impact.refusal.legal) or "–"
        action = say(locale, f"button_{change.action}")
        status = impact.refusal.status or "–"
        return (say(locale, "illegal_action", action=action, job=name, status=status, legal=legal),)
    value = next(iter(change.arguments.values()), "")
    return (
        *(say(locale, f"danger_{danger}", job=name, count=len(impact.early)) for danger in impact.dangers),
        say(locale, f"effect_{change.action}", job=name, value=value),
        *_others(impact, locale),
        *(_deadline(one, locale) for one in impact.deadlines[:_DEADLINES]),
        _undo(impact, locale),
    )


def _others(impact: Impact, locale: Locale) -> Iterator[str]:
    started = [job for job in impact.freed if job.id in impact.started]
    ready = [job for job in impact.freed if job.id not in impact.started]
    freed = {job.id for job in impact.freed}
    blocked = [
        f"{one.owner.selection}: {reason_sentence(one.reasons[0], locale, _UTC)}"
        for one in impact.still_blocked
        if one.owner.id not in freed
    ]
    for key, jobs in (("starts", started), ("waits_for_room", ready)):
        if jobs:
            names = _named([job.selection for job in jobs], locale)
            yield say(locale, key, count=len(jobs), names=names)
    if blocked:
        yield say(locale, "stays_blocked", count=len(blocked), names=_named(blocked, locale, "; "))
    if not (started or ready or blocked):
        yield say(locale, "nobody_affected")
    if impact.recovery is not RecoveryEffect.NONE:
        yield say(locale, f"recovery_{impact.recovery}")


def _deadline(moved: Deadline, locale: Locale) -> str:
    day = moved.before or moved.after
    before, after = (clock(at, _UTC, now=day) if at and day else "" for at in (moved.before, moved.after))
    key = "deadline_moves" if before and after else "deadline_known" if after else "deadline_lost"
    return say(locale, key, job=moved.job.selection, before=before, after=after)


def _undo(impact: Impact, locale: Locale) -> str:
    if impact.undo is None:
        return say(locale, "no_undo")
    return say(locale, "undo", action=say(locale, f"button_{impact.undo.action}"))


def _named(names: Sequence[str], locale: Locale, separator: str = ", ") -> str:
    shown, hidden = separator.join(names[:_NAMED]), len(names) - _NAMED
    return shown if hidden <= 0 else say(locale, "and_more", names=shown, count=hidden)
