"""What is not known yet goes on being looked for, survives restarts, and is reported where it was decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposal
from brain.message import ButtonPress, InboundMessage, Verb, from_jsonable
from brain.tables import EXECUTIONS, PROPOSALS, TURNS
from brain.turns.inbox import Inbox
from tests.support.brain_parts import OPERATOR, Parts, accepted_by, break_next_change, open_parts, skip
from tests.support.talk import open_talk
from tests.support.turns import make_message
from tests.support.waiting import eventually
from tws.actions import Action

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url, patience_seconds=0.3) as opened:
        yield opened


async def test_a_change_that_comes_late_is_found_and_reported_in_the_same_conversation(
    parts: Parts, tws_url: str
) -> None:
    decision, proposal = await _decide_late(parts, tws_url)
    assert (await parts.stored(proposal)).state == "unknown"
    assert await _look(parts) == 1
    assert await _reports(parts) == []
    await skip(tws_url, seconds=3600)
    await _look(parts)
    stored = await parts.stored(proposal)
    assert (stored.state, stored.due_at) == ("confirmed", None)
    (report,) = await _reports(parts)
    assert report.conversation == decision.conversation
    assert report.sender == decision.sender
    assert report.button == ButtonPress(verb=Verb.REPORT, value=proposal.id)
    assert await _look(parts) == 0
    assert len(await accepted_by(tws_url)) == 1
    assert [phase for _, _, phase in await parts.audited()] == ["before", "after", "after"]
    ends = [detail["state"] for detail in (await parts.audit_details())[1:]]
    assert ends == ["unknown", "confirmed"]


async def test_the_report_says_what_the_plan_shows_and_decides_nothing(
    parts: Parts, tws_url: str, postgres_dsn: str
) -> None:
    await _decide_late(parts, tws_url)
    await skip(tws_url, seconds=3600)
    await _look(parts)
    (report,) = await _reports(parts)
    async with open_talk(parts, postgres_dsn) as talk:
        reply = await talk.say("", button=report.button, by=OPERATOR)
    assert reply.outcome is not None
    assert reply.outcome.state == "confirmed"
    assert reply.outcome.detail.startswith(f"The plan shows it: {_PAYROLL} has ")
    assert len(await accepted_by(tws_url)) == 1


async def test_a_report_on_an_open_proposal_changes_nothing(parts: Parts, tws_url: str) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    result = await parts.decide(proposal, Verb.REPORT)
    assert (result.state, result.detail) == ("refused", "Nobody has decided on this yet.")
    assert (await parts.stored(proposal)).is_open
    assert await accepted_by(tws_url) == []


async def test_after_a_restart_another_process_goes_on_looking(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    await skip(tws_url, seconds=3600)
    async with open_parts(engine, tws_url) as restarted:
        await _look(restarted)
    assert (await parts.stored(proposal)).state == "confirmed"
    assert len(await _reports(parts)) == 1


async def test_what_never_shows_is_looked_for_only_so_long(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    async with open_parts(engine, tws_url, watch_for=timedelta()) as impatient:
        await _look(impatient)
    stored = await parts.stored(proposal)
    assert (stored.state, stored.due_at) == ("unknown", None)
    assert stored.detail.startswith("I stopped looking: ")
    assert len(await _reports(parts)) == 1
    assert await _look(parts) == 0


async def test_looks_come_soon_at_first_and_then_less_often(parts: Parts, tws_url: str) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    pauses = []
    for age in (timedelta(0), timedelta(seconds=60), timedelta(minutes=20)):
        async with parts.engine.begin() as connection:
            await connection.execute(update(PROPOSALS).values(decided_at=datetime.now(UTC) - age))
        await _look(parts)
        due_at = (await parts.stored(proposal)).due_at
        assert due_at is not None
        pauses.append(round((due_at - datetime.now(UTC)).total_seconds()))
    assert pauses == [2, 15, 120]


async def test_two_processes_never_look_at_the_same_time(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    await _decide_late(parts, tws_url)
    async with open_parts(engine, tws_url) as other:
        assert sorted(await asyncio.gather(parts.watch.round(), other.watch.round())) == [0, 1]


async def test_a_process_that_died_while_it_looked_is_replaced_after_its_lease(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    async with open_parts(engine, tws_url, lease=timedelta(milliseconds=200)) as short:
        # What a dead process leaves behind: the row is taken, and nothing came of it.
        async with engine.begin() as connection:
            await connection.execute(
                update(PROPOSALS).values(due_at=func.now() + timedelta(milliseconds=200))
            )
        assert await short.watch.round() == 0
        await skip(tws_url, seconds=3600)
        await asyncio.sleep(0.3)
        assert await short.watch.round() == 1
    assert (await parts.stored(proposal)).state == "confirmed"


async def test_a_report_is_made_once_even_if_its_process_dies_before_it_forgets(
    parts: Parts, tws_url: str
) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    await skip(tws_url, seconds=3600)
    await _look(parts)
    async with parts.engine.begin() as connection:
        await connection.execute(update(PROPOSALS).values(due_at=func.now()))
    await parts.watch.round()
    assert len(await _reports(parts)) == 1
    assert (await parts.stored(proposal)).due_at is None


async def test_a_decision_whose_process_died_is_carried_out_once_its_lease_is_over(
    parts: Parts, tws_url: str
) -> None:
    """Also when the turn gave up: an approval never stays half done."""
    decision, proposal = await _approve_and_die(parts)
    await _look(parts)
    assert (await parts.stored(proposal)).state == "confirmed"
    assert len(await accepted_by(tws_url)) == 1
    (report,) = await _reports(parts)
    assert report.conversation == decision.conversation


async def test_an_approval_that_was_left_is_not_carried_out_on_a_job_that_changed_since(
    parts: Parts, tws_url: str
) -> None:
    _, proposal = await _approve_and_die(parts)
    other = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    assert (await parts.decide(other)).state == "confirmed"
    await _look(parts)
    stored = await parts.stored(proposal)
    assert stored.state == "refused"
    assert stored.detail.startswith(f"Nothing was done to {_PAYROLL}: it changed after the approval (now ")
    assert len(await accepted_by(tws_url)) == 1


async def test_the_watch_runs_by_itself_and_outlives_an_error(parts: Parts, tws_url: str) -> None:
    _, proposal = await _decide_late(parts, tws_url)
    async with parts.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE turns RENAME TO turns_away")
    parts.watch.start()
    try:
        await skip(tws_url, seconds=3600)
        await eventually(lambda: _is_confirmed(parts, proposal))
        assert (await parts.stored(proposal)).due_at is not None
    finally:
        async with parts.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE turns_away RENAME TO turns")
        await parts.watch.aclose()
    await _look(parts)
    assert len(await _reports(parts)) == 1


async def _decide_late(parts: Parts, tws_url: str) -> tuple[InboundMessage, Proposal]:
    """A rerun that the engine makes an hour after it accepted it; nobody knows the outcome."""
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    message = make_message("")
    turn_id = (await Inbox(parts.engine, parts.metrics).accept(message)).turn_id
    await break_next_change(tws_url, "late", seconds=3600)
    assert (await parts.decide(proposal, turn_id=turn_id)).state == "unknown"
    return message, proposal


async def _approve_and_die(parts: Parts) -> tuple[InboundMessage, Proposal]:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    message = make_message("")
    turn_id = (await Inbox(parts.engine, parts.metrics).accept(message)).turn_id
    async with parts.engine.begin() as connection:
        await connection.execute(
            update(PROPOSALS).values(
                state="approved",
                decided_by="operator",
                decided_turn=turn_id,
                decided_at=func.now(),
                due_at=func.now(),
            )
        )
        await connection.execute(EXECUTIONS.insert().values(proposal_id=proposal.id))
    return message, proposal


async def _look(parts: Parts) -> int:
    """One round, whenever it would be due."""
    async with parts.engine.begin() as connection:
        later = PROPOSALS.c.due_at.is_not(None)
        await connection.execute(update(PROPOSALS).where(later).values(due_at=func.now()))
    return await parts.watch.round()


async def _reports(parts: Parts) -> list[InboundMessage]:
    query = select(TURNS.c.message).where(TURNS.c.delivery_id.like("outcome-%")).order_by(TURNS.c.seq)
    async with parts.engine.connect() as connection:
        rows: list[Any] = list((await connection.execute(query)).scalars())
    return [from_jsonable(row) for row in rows]


async def _is_confirmed(parts: Parts, proposal: Proposal) -> bool:
    return (await parts.stored(proposal)).state == "confirmed"
