"""Incidents in the conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.incidents import Incidents, create
from brain.reply import Reply
from tests.support.brain_parts import OPERATOR, VIEWER
from tests.support.talk import Talk


async def _opened(engine: AsyncEngine, subject: str, trouble: str) -> int:
    now = datetime.now(UTC)
    values = {
        "engine": "TWS",
        "trouble": trouble,
        "cause": "failed",
        "subject": subject,
        "severity": "high",
        "first_seen": now,
        "last_seen": now,
    }
    async with engine.begin() as connection:
        return (await create(connection, values)).id


def _buttons(reply: Reply) -> list[str]:
    return [button.value for block in reply.blocks if block.kind == "buttons" for button in block.items]


async def test_incidents_are_listed_and_taken_by_who_may(talk: Talk, engine: AsyncEngine) -> None:
    assert "no incident" in (await talk.say("which incidents are open?")).plain_text
    number = await _opened(engine, "AGT01#PAYDAILY.PAYROLL", "job:1")
    await _opened(engine, "AGT02#DWH.LOAD", "job:2")

    listed = await talk.say("quais incidentes estão abertos?")
    assert listed.agent == "incidents"
    assert "AGT01#PAYDAILY.PAYROLL falhou" in listed.plain_text
    assert f"reconhecer incidente {number}" in _buttons(listed)

    refused = await talk.elsewhere().say(f"acknowledge incident {number}", by=VIEWER)
    assert "not change them" in refused.plain_text
    taken = await talk.say(f"reconhecer incidente {number}", by=OPERATOR)
    assert "reconhecido" in taken.plain_text
    incident = await Incidents(engine).get(number)
    assert incident is not None
    assert (incident.state, incident.assignee) == ("acknowledged", OPERATOR.actor_id)
    again = await talk.say(f"acknowledge incident {number}")
    assert "not in a state" in again.plain_text
    assert "no incident 999999" in (await talk.say("resolve incident 999999")).plain_text


async def test_incidents_are_assigned_and_silenced_in_words(talk: Talk, engine: AsyncEngine) -> None:
    number = await _opened(engine, "AGT01#PAYDAILY.PAYROLL", "job:1")
    refused = await talk.elsewhere().say(f"assign incident {number} to ana", by=VIEWER)
    assert "not change them" in refused.plain_text
    assert "is assigned to ana" in (await talk.say(f"assign incident {number} to ana")).plain_text
    assert (
        f"com {OPERATOR.actor_id}"
        in (await talk.say(f"atribua o incidente {number} para mim", by=OPERATOR)).plain_text
    )
    silenced = await talk.say(f"silence incident {number} for 2 hours")
    assert "unless it becomes critical" in silenced.plain_text
    incident = await Incidents(engine).get(number)
    assert incident is not None
    assert incident.silenced_until is not None
    left = incident.silenced_until - datetime.now(UTC)
    assert timedelta(minutes=115) < left <= timedelta(hours=2)
    assert incident.assignee == OPERATOR.actor_id


async def test_a_shift_is_handed_over_to_who_may_ask(talk: Talk, engine: AsyncEngine) -> None:
    number = await _opened(engine, "AGT01#PAYDAILY.PAYROLL", "job:1")
    await talk.say(f"acknowledge incident {number}", by=OPERATOR)
    told = await talk.elsewhere().say("shift handover", by=VIEWER)
    assert told.agent == "incidents"
    lines = told.plain_text.splitlines()
    done = lines[lines.index("What was done") + 1]
    assert f"Incident {number}, AGT01#PAYDAILY.PAYROLL failed: taken – operator event:" in done
    assert lines[lines.index("What is open") + 1].endswith(f" incident:{number}")
    spoken = (await talk.elsewhere().say("passagem de turno das últimas 12 horas")).plain_text
    assert "O que foi feito" in spoken
    assert f"incident:{number}" in spoken
