"""A handover in words: each line as a sentence, and the whole as one card. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from brain.message import Locale
from brain.phrases import keys, phrase, say
from brain.reply import Block, Bullets, Reply, Text, code, strong, text, to_plain
from brain.times import clock

from .card import title
from .handover import SECTIONS, Changed, Happened, Line, Risk
from .incidents import Incident
from .shifts import Handover

_SHOWN = 10
"""Lines of a section: the latest, of what is open the worst, the next deadlines; the page has them all."""


def card(handover: Handover, locale: Locale, zone: ZoneInfo) -> Reply:
    """The handover as a message."""
    blocks = tuple(_blocks(handover, locale, zone))
    return Reply(blocks=blocks, plain_text=to_plain(blocks), agent="incidents")


def words(line: Line, handover: Handover, locale: Locale, zone: ZoneInfo) -> str:
    """The line as a sentence."""
    match line.source:
        case Happened() as one:
            name = title(one.cause, one.subject, locale)
            if one.kind == "opened":
                return say(locale, "incident_title", number=one.incident_id, title=name)
            what = _known(locale, f"handover_is_{one.kind}", one.kind, detail=one.detail or "–")
            return say(locale, "handover_event", number=one.incident_id, title=name, what=what)
        case Changed() as one:
            return _change(one, locale)
        case Incident() as one:
            return say(
                locale,
                "handover_state",
                number=one.id,
                title=title(one.cause, one.subject, locale),
                state=say(locale, f"incident_is_{one.state}"),
                severity=say(locale, f"severity_{one.severity}"),
                waiting=one.waiting,
            )
        case Risk() as one:
            deadline, end = (clock(at, zone, now=handover.until) for at in (one.deadline, one.expected))
            expected = end if one.expected else say(locale, "handover_unforeseen")
            danger = say(locale, "handover_danger", job=one.subject, deadline=deadline, expected=expected)
            is_itself = one.because == one.subject
            return danger if is_itself else f"{danger}; {say(locale, 'handover_because', job=one.because)}"


def _change(one: Changed, locale: Locale) -> str:
    """What was decided and why, or what became of it."""
    told, by = one.detail, one.detail.get("requested_by")
    asked = say(locale, "handover_asked_by", person=by) if by and by != one.actor_id else ""
    origin = ", ".join(filter(None, (asked, told.get("ticket"))))
    outcome = told.get("detail") or _known(locale, f"state_{one.state}", one.state)
    action = _known(locale, f"button_{one.action}", one.action)
    sentence = say(locale, "handover_change", action=action, target=one.target, outcome=outcome)
    reason = f"“{told['reason']}”" if told.get("reason") and not told.get("detail") else ""
    return " ".join(filter(None, (sentence, reason, origin and f"({origin})")))


def _known(locale: Locale, key: str, otherwise: str, **values: object) -> str:
    """The sentence, or the bare word of a record that another release wrote."""
    return say(locale, key, **values) if key in keys(locale) else otherwise


def _blocks(handover: Handover, locale: Locale, zone: ZoneInfo) -> Iterator[Block]:
    since, until, as_of = (
        clock(at, zone, now=handover.until) for at in (handover.since, handover.until, handover.as_of)
    )
    day = f"{handover.until.astimezone(zone):%Y-%m-%d}"
    yield phrase(locale, "handover_title", day=day, since=since, until=until)
    for section in SECTIONS:
        name = say(locale, f"handover_{section}", at=as_of)
        lines = [line for line in handover.lines if line.section == section]
        if not lines:
            yield phrase(locale, "handover_none", section=name)
            continue
        yield text(strong(name))
        shown = lines[:_SHOWN] if section in {"open", "risk"} else lines[-_SHOWN:]
        yield Bullets(items=tuple(_item(line, handover, locale, zone) for line in shown))
        if len(lines) > _SHOWN:
            yield phrase(locale, "handover_rest", count=str(len(lines) - _SHOWN))


def _item(line: Line, handover: Handover, locale: Locale, zone: ZoneInfo) -> Text:
    by = (" – ", strong(line.by)) if line.by else ()
    at = clock(line.at, zone, now=handover.until)
    return text(f"{at} · ", words(line, handover, locale, zone), *by, " ", code(line.record))
