"""Who is told of which incident, and when not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.desk import Desk, IncidentError
from brain.incidents.incidents import Incidents, change
from brain.incidents.routes import About, Routes, Subject
from brain.tables import INCIDENT_CARDS, INCIDENTS
from security.audit import AuditLog
from security.tables import audit_log
from tests.support.brain_parts import OPERATOR, VIEWER
from tests.support.told import Told, opened
from tests.support.turns import Mailbox

_SLACK, _MAIL = "slack:T:C", "mail:night@bank.example"
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def told(engine: AsyncEngine) -> Callable[..., Told]:
    def with_rules(*routes: dict[str, object], **sections: object) -> Told:
        windows = {"night": {"from": "22:00", "to": "06:00"}}
        rules = {"windows": windows, "routes": routes, **sections}
        return Told(engine, Routes.model_validate(rules), now=_NOON)

    return with_rules


async def _severity(engine: AsyncEngine, incident_id: int, severity: str) -> None:
    async with engine.begin() as connection:
        await change(connection, incident_id, severity=severity)


async def _hours_later(engine: AsyncEngine, hours: int = 1) -> None:
    """Everything that was to be done within that time is due."""
    span = timedelta(hours=hours)
    values = {
        "due_at": INCIDENT_CARDS.c.due_at - span,
        "planned_at": INCIDENT_CARDS.c.planned_at - span,
    }
    async with engine.begin() as connection:
        await connection.execute(update(INCIDENT_CARDS).values(**values))


async def test_a_card_goes_where_the_rules_say_and_is_changed_there(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told(
        {"name": "pay", "job": "PAY*", "to": _SLACK}, {"name": "hr", "job": "HR*", "to": "slack:T:D"}
    )
    incident = await opened(engine, "PAYROLL")
    await place.round()
    await place.round()
    await _severity(engine, incident.id, "critical")
    await place.round()
    assert place.words(_SLACK) == [f"Incident {incident.id}: AGT1#PAY.PAYROLL failed"]
    assert len(place.boxes[_SLACK].replaced) == 1
    assert place.words("slack:T:D") == []


async def test_who_does_not_acknowledge_is_followed_by_the_next_level(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told(
        {"name": "first", "to": _SLACK},
        {"name": "second", "to": "person:sue", "unacknowledged_for": "PT15M"},
    )
    place.people["sue"] = ("slack:T:USUE", "teams:t:sue")
    place.now = datetime.now(UTC)
    left, taken = await opened(engine, "LEFT"), await opened(engine, "TAKEN")
    await place.round()
    assert len(place.words(_SLACK)) == 2
    await Desk(incidents=Incidents(engine), audit=AuditLog()).step(
        taken.id, "acknowledge", by=OPERATOR, channel="rest"
    )
    place.now += timedelta(minutes=14)
    await place.round()
    assert place.words("slack:T:USUE") == []
    place.now += timedelta(minutes=2)
    await place.round()
    assert (
        place.words("slack:T:USUE")
        == place.words("teams:t:sue")
        == [f"Incident {left.id}: AGT1#PAY.LEFT failed"]
    )


async def test_quiet_hours_end_with_one_list_and_what_is_critical_comes_at_once(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _SLACK, "quiet": "night"})
    place.now = _NOON.replace(hour=23)
    first, second = await opened(engine, "A"), await opened(engine, "B", severity="low")
    await place.round()
    assert place.words(_SLACK) == []
    await _severity(engine, first.id, "critical")
    await place.round()
    assert place.words(_SLACK) == [f"Incident {first.id}: AGT1#PAY.A failed"]
    third = await opened(engine, "C")
    await place.round()
    place.now = _NOON
    await place.round()
    await place.round()
    (_, listed) = place.words(_SLACK)
    assert listed == "2 incidents that were kept for this list, the worst first:"
    whole = place.boxes[_SLACK].words[-1]
    assert whole.index(f"{third.id}") < whole.index(f"{second.id} ")


async def test_a_digest_comes_once_an_hour(engine: AsyncEngine, told: Callable[..., Told]) -> None:
    place = told({"name": "all", "to": _MAIL, "digest": "PT1H"})
    await opened(engine, "A")
    await place.round()
    await _hours_later(engine)
    await opened(engine, "B")
    await place.round()
    await place.round()
    assert place.words(_MAIL) == ["2 incidents that were kept for this list, the worst first:"]


async def test_what_is_over_the_limit_comes_as_a_list_and_none_is_lost(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _SLACK, "per_hour": 2})
    for job in "ABCDE":
        await opened(engine, job)
    await asyncio.gather(*(place.round() for _ in range(4)))
    await place.round()
    assert len(place.words(_SLACK)) == 2
    await opened(engine, "F", severity="critical")
    await place.round()
    assert len(place.words(_SLACK)) == 3
    await _hours_later(engine)
    await place.round()
    assert place.words(_SLACK)[-1].startswith("3 incidents")
    async with engine.connect() as connection:
        ways = (await connection.execute(select(INCIDENT_CARDS.c.way))).scalars().all()
    assert Counter(ways) == {"card": 3, "listed": 3}


async def test_one_job_is_not_told_twice_within_the_hour(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _SLACK, "per_job_hour": 1})
    first = await opened(engine, "A")
    await place.round()
    async with engine.begin() as connection:
        await connection.execute(
            update(INCIDENTS).where(INCIDENTS.c.id == first.id).values(state="closed", ended_at=func.now())
        )
    await opened(engine, "A")
    other = await opened(engine, "B")
    await place.round()
    assert place.words(_SLACK)[1:] == [f"Incident {other.id}: AGT1#PAY.B failed"]


async def test_a_list_that_is_not_taken_is_tried_again(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _SLACK, "digest": "PT1H"})
    await opened(engine, "A")
    await place.round()
    await _hours_later(engine)
    box = place.boxes[_SLACK] = Mailbox()
    box.fail(1, retryable=True)
    await place.round()
    assert (box.attempts, box.words) == (1, [])
    await place.round()
    assert box.attempts == 1
    await _hours_later(engine)
    await place.round()
    await place.round()
    assert (box.attempts, len(box.words)) == (2, 1)


async def test_under_maintenance_nothing_is_posted_until_it_is_over(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    patching = {"name": "patching", "window": "night", "workstation": "AGT_POS*"}
    place = told({"name": "all", "to": _SLACK}, maintenance=[patching])
    place.now = _NOON.replace(hour=23)
    lost = await opened(engine, "A", workstation="AGT_POS01", severity="critical")
    other = await opened(engine, "B")
    await place.round()
    assert place.words(_SLACK) == [f"Incident {other.id}: AGT1#PAY.B failed"]
    place.now = _NOON
    await place.round()
    assert place.words(_SLACK)[1:] == [f"Incident {lost.id}: AGT_POS01#PAY.A failed"]


async def test_a_silence_holds_for_what_it_is_about_and_ends_early_for_what_is_critical(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _SLACK})
    until = datetime.now(UTC) + timedelta(hours=1)
    known = await opened(engine, "PAYKNOWN")
    await place.round()
    silence = await place.silences.begin(
        About(name="x", job=("PAY*",)), until, "under repair", by=OPERATOR, channel="rest"
    )
    new = await opened(engine, "PAYNEW")
    await _severity(engine, known.id, "high")
    await place.round()
    assert len(place.words(_SLACK)) == 1
    assert place.boxes[_SLACK].replaced == []
    await _severity(engine, known.id, "critical")
    await place.round()
    assert len(place.boxes[_SLACK].replaced) == 1
    await place.silences.end(silence.id, by=OPERATOR, channel="rest")
    await place.round()
    assert place.words(_SLACK)[1:] == [f"Incident {new.id}: AGT1#PAY.PAYNEW failed"]
    async with engine.connect() as connection:
        rows = await connection.execute(select(audit_log.c.action, audit_log.c.detail))
        found = {row.action: row.detail for row in rows}
    assert set(found) == {"silence_begin", "silence_end"}
    assert found["silence_begin"]["about"] == {"job": ["PAY*"]}


async def test_silences_are_refused_that_nobody_may_or_that_silence_all(
    told: Callable[..., Told],
) -> None:
    silences, until = told().silences, datetime.now(UTC) + timedelta(hours=1)
    pay = About(name="x", job=("PAY*",))
    for about, end, by, code in (
        (About(name="x"), until, OPERATOR, "not_possible"),
        (pay, until + timedelta(days=8), OPERATOR, "not_possible"),
        (pay, until - timedelta(hours=2), OPERATOR, "not_possible"),
        (pay, until, VIEWER, "forbidden"),
    ):
        with pytest.raises(IncidentError) as refused:
            await silences.begin(about, end, "why", by=by, channel="rest")
        assert refused.value.code == code
    with pytest.raises(IncidentError, match="no such silence"):
        await silences.end(1, by=OPERATOR, channel="rest")
    assert await silences.active() == []


async def test_a_mail_waits_for_the_investigation_and_a_second_says_that_it_is_over(
    engine: AsyncEngine, told: Callable[..., Told]
) -> None:
    place = told({"name": "all", "to": _MAIL})
    incident = await opened(engine, "A")
    await place.round()
    assert place.words(_MAIL) == []
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE incident_cards SET due_at = now()"))
    await place.round()
    assert len(place.words(_MAIL)) == 1
    await _severity(engine, incident.id, "critical")
    await place.round()
    box = place.boxes[_MAIL]
    assert (len(box.sent), len(box.replaced)) == (1, 0)
    desk = Desk(incidents=Incidents(engine), audit=AuditLog())
    await desk.step(incident.id, "resolve", by=OPERATOR, channel="rest")
    await place.round()
    assert (len(box.sent), len(box.replaced)) == (1, 1)


async def test_the_preview_names_who_would_be_told_and_who_cannot(told: Callable[..., Told]) -> None:
    place = told(
        {"name": "first", "to": [_SLACK, "person:bob"]},
        maintenance=[{"name": "patching", "window": "night", "job": "X"}],
    )
    seen = await place.router.preview(Subject(engine="TWS", job="X"), unacknowledged_for=timedelta(0))
    assert [(one.route, one.target) for one in seen.deliveries] == [("first", _SLACK)]
    assert (seen.hushed_by, seen.unreached) == (None, ("person:bob",))
    place.now = _NOON.replace(hour=23)
    seen = await place.router.preview(Subject(engine="TWS", job="X"), unacknowledged_for=timedelta(0))
    assert (seen.deliveries, seen.hushed_by) == ((), "patching")
