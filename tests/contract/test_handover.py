"""The handover of a night on a simulated master, computed a second time from the logs themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.handover import Changed, Happened, Line
from brain.incidents.shifts import Shifts
from brain.message import Verb
from tests.support.brain_parts import OPERATOR, SUPERVISOR, open_parts
from tests.support.incidents import Watched, watched
from tws.actions import Action
from tws.forecast import forecast
from tws.mirror.plans import Plans
from tws.outcomes import is_over

_FROM_THE_LOGS = text("""
    SELECT CASE WHEN kind IN ('opened', 'reopen') THEN 'failed' ELSE 'done' END AS section,
           'event:' || seq AS record, at, actor_id AS by FROM incident_events
    WHERE at >= :since AND at < :until
    UNION ALL
    SELECT 'done', 'audit:' || seq, at, actor_id FROM audit_log
    WHERE at >= :since AND at < :until AND action NOT LIKE 'incident%'
    UNION ALL
    SELECT 'open', 'incident:' || id, first_seen, coalesce(assignee, '') FROM incidents
    WHERE state IN ('open', 'acknowledged', 'mitigated') AND merged_into IS NULL
""")
"""What the handover of a shift that ends now ought to hold, beside what is at risk."""


def shifts(engine: AsyncEngine) -> Shifts:
    return Shifts(engine, plans=Plans(engine, fresh_for=timedelta()), engines=("TWS",))


async def _lines(engine: AsyncEngine, since: datetime, until: datetime) -> tuple[Line, ...]:
    return (await shifts(engine).read(since, until)).lines


async def _computed(engine: AsyncEngine, since: datetime, until: datetime) -> set[tuple[object, ...]]:
    async with engine.connect() as connection:
        return set(map(tuple, await connection.execute(_FROM_THE_LOGS, {"since": since, "until": until})))


@pytest.fixture
async def night(engine: AsyncEngine) -> AsyncIterator[Watched]:
    """Three failures: one is taken, noted on and given away, one is rerun, a rerun of the third is rejected."""
    async with (
        watched(engine, "credentials-expired") as watch,
        open_parts(engine, watch.tws.settings.url) as parts,
    ):
        one, two, three = sorted(await watch.folded(), key=lambda incident: incident.id)
        await watch.desk.step(one.id, "acknowledge", by=OPERATOR, channel="web")
        await watch.desk.note(one.id, "the vault has a new password", by=OPERATOR, channel="web")
        await watch.desk.assign(one.id, SUPERVISOR.actor_id, by=OPERATOR, channel="web")
        for incident, verb in ((two, Verb.APPROVE), (three, Verb.REJECT)):
            assert incident.root is not None
            job = await parts.job(incident.root["job"], incident.root["job_stream"])
            proposal = await parts.propose(Action.RERUN, job, reason="the file is there")
            await parts.decide(proposal, verb, by=SUPERVISOR)
        await watch.desk.step(three.id, "resolve", by=SUPERVISOR, channel="web")
        await watch.later(seconds=20)
        await watch.folded()
        yield watch


@pytest.mark.usefixtures("night")
async def test_the_handover_is_what_the_logs_say(engine: AsyncEngine) -> None:
    until = datetime.now(UTC) + timedelta(seconds=1)
    since = until - timedelta(hours=8)
    lines = await _lines(engine, since, until)
    told = {(line.section, line.record, line.at, line.by) for line in lines if line.section != "risk"}
    assert told == await _computed(engine, since, until)
    sections = Counter(line.section for line in lines)
    assert (sections["failed"], sections["open"]) == (3, 2)
    assert [
        line.source.kind for line in lines if isinstance(line.source, Happened) and line.section == "done"
    ] == [
        "acknowledge",
        "note",
        "assign",
        "resolve",
        "mitigate",
    ]
    changes = [line.source for line in lines if isinstance(line.source, Changed)]
    assert [(one.state, one.detail.get("reason")) for one in changes] == [
        ("approved", "the file is there"),
        ("confirmed", None),
        ("rejected", ""),
    ]
    assert {line.by for line in lines if isinstance(line.source, Changed)} == {SUPERVISOR.actor_id}


@pytest.mark.usefixtures("night")
async def test_without_an_event_exactly_its_line_is_missing(engine: AsyncEngine) -> None:
    until = datetime.now(UTC) + timedelta(seconds=1)
    since = until - timedelta(hours=8)
    left = list(await _lines(engine, since, until))
    tables = {"event": "incident_events", "audit": "audit_log"}
    for line in tuple(left):
        kind, _, number = line.record.partition(":")
        if kind in tables:
            async with engine.begin() as connection:
                # The audit log refuses it otherwise.
                await connection.execute(text("SET LOCAL session_replication_role = replica"))
                gone = text(f"DELETE FROM {tables[kind]} WHERE seq = :number")  # noqa: S608  # our own names
                await connection.execute(gone, {"number": int(number)})
            left.remove(line)
            assert list(await _lines(engine, since, until)) == left
    assert {line.section for line in left} <= {"open", "risk"}


async def test_what_is_at_risk_is_what_the_forecast_says(engine: AsyncEngine) -> None:
    async with watched(engine, "late-critical-path") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        until = plan.read_at
        found = await shifts(engine).read(until - timedelta(hours=8), until)
        expected = forecast(plan, until)
        awaited = [job for job in plan.jobs.values() if job.deadline and not is_over(plan, job)]
        wanted = {
            f"job:TWS/{job.id}": job.deadline
            for job in awaited
            if job.deadline
            and job.deadline < until + timedelta(hours=8)
            and not ((end := expected.of(job.id).end) and end <= job.deadline)
        }
    assert found.as_of == plan.read_at
    assert {line.record: line.at for line in found.lines if line.section == "risk"} == wanted
    assert wanted
