"""An incident as a message: what is wrong, since when and how bad, then what the investigation found. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from brain.message import Locale, Verb
from brain.phrases import phrase, say
from brain.reply import Block, Button, Buttons, Facts, Notice, Reply, Table, strong, to_plain
from brain.times import clock

from .incidents import Incident
from .troubles import SEVERITIES

_LISTED = 50
"""Incidents of one list: the worst."""


def title_of(incident: Incident, locale: Locale) -> str:
    """In one line, such as `AGT01#PAYDAILY.PAYROLL failed`."""
    return title(incident.cause, incident.subject, locale)


def title(cause: str, subject: str, locale: Locale) -> str:
    """What is wrong with the subject."""
    known = cause if cause in {"failed", "workstation", "plan", "late", "held"} else "waiting"
    return say(locale, f"incident_{known}", subject=subject)


def acknowledge_button(incident: Incident, locale: Locale) -> Button:
    """Says for the person that the incident is theirs."""
    return Button(
        label=say(locale, "button_acknowledge", number=incident.id),
        verb=Verb.SAY,
        value=say(locale, "say_acknowledge", number=incident.id),
    )


def card(
    incident: Incident, alerts: int, found: Reply | None, *, locale: Locale, zone: ZoneInfo, now: datetime
) -> Reply:
    """The card as it is to be shown now; `found` is the investigation's answer, None while it goes on."""
    blocks: list[Block] = [
        phrase(locale, "incident_title", number=str(incident.id), title=strong(title_of(incident, locale))),
        Facts(
            items=(
                (say(locale, "incident_state"), _state(incident, locale)),
                (say(locale, "incident_severity"), say(locale, f"severity_{incident.severity}")),
                (say(locale, "incident_since"), clock(incident.first_seen, zone, now=now)),
                (say(locale, "incident_alerts"), str(alerts)),
                (say(locale, "incident_waiting_jobs"), str(incident.waiting)),
            )
        ),
    ]
    if not incident.is_active:
        text = say(locale, "incident_over", at=clock(incident.ended_at, zone, now=now))
        blocks.append(Notice(text=text, level="good"))
    elif found is None:
        blocks.append(Notice(text=say(locale, "incident_investigating"), level="info"))
    elif incident.severity == "critical":
        blocks.append(Notice(text=say(locale, "incident_critical"), level="danger"))
    blocks += _findings(found, is_active=incident.is_active)
    if incident.state == "open" and incident.is_active:
        blocks.append(Buttons(items=(acknowledge_button(incident, locale),)))
    return Reply(
        blocks=tuple(blocks),
        plain_text=to_plain(tuple(blocks)),
        agent="incidents",
        degraded=found.degraded if found else (),
        about=_facts(incident, alerts),
    )


def _facts(incident: Incident, alerts: int) -> dict[str, str | int | None]:
    root = incident.root or {}
    return {
        "id": incident.id,
        "engine": incident.engine,
        "state": incident.state,
        "severity": incident.severity,
        "title": f"{incident.cause} {incident.subject}",
        "job": root.get("job", ""),
        "job_stream": root.get("job_stream", ""),
        "workstation": root.get("workstation", ""),
        "alerts": alerts,
        "waiting": incident.waiting,
        "assignee": incident.assignee,
        "first_seen": incident.first_seen.isoformat(),
        "last_seen": incident.last_seen.isoformat(),
    }


def digest(incidents: Sequence[Incident], *, locale: Locale, zone: ZoneInfo, now: datetime) -> Reply:
    """Several in one message, the worst first."""
    worst = sorted(incidents, key=lambda one: (not one.is_active, SEVERITIES.index(one.severity), one.id))
    blocks = (
        phrase(locale, "incidents_listed", count=str(len(incidents))),
        table(worst[:_LISTED], locale=locale, zone=zone, now=now),
    )
    return Reply(blocks=blocks, plain_text=to_plain(blocks), agent="incidents")


def table(incidents: Sequence[Incident], *, locale: Locale, zone: ZoneInfo, now: datetime) -> Table:
    """A line for each."""
    columns = ("col_number", "incident_state", "incident_severity", "incident_what", "incident_since")
    rows = (
        (
            str(one.id),
            say(locale, f"incident_is_{one.state}"),
            say(locale, f"severity_{one.severity}"),
            title_of(one, locale),
            clock(one.first_seen, zone, now=now),
        )
        for one in incidents
    )
    return Table(columns=tuple(say(locale, key) for key in columns), rows=tuple(rows))


def _findings(found: Reply | None, *, is_active: bool) -> Sequence[Block]:
    """Without its buttons once there is nothing left to do."""
    blocks = found.blocks if found else ()
    return [block for block in blocks if is_active or block.kind != "buttons"]


def _state(incident: Incident, locale: Locale) -> str:
    state = say(locale, f"incident_is_{incident.state}")
    return f"{state} ({incident.assignee})" if incident.assignee else state
