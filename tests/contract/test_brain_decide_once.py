"""Of many decisions the first one stands, and what it approved is done once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import move
from brain.message import Channel, Verb
from brain.tables import EXECUTIONS
from security.roles import Actor, Role
from tests.support.brain_parts import (
    OPERATOR,
    SUPERVISOR,
    VIEWER,
    Parts,
    accepted_by,
    open_parts,
)
from tws.actions import Action
from tws.objects import CommonStatus, JobFilter


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url) as opened:
        yield opened


async def test_a_second_approval_does_nothing_again(parts: Parts, tws_url: str) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    first = await parts.decide(proposal)
    second = await parts.decide(proposal, by=SUPERVISOR)
    rejected = await parts.decide(proposal, Verb.REJECT, by=SUPERVISOR)
    assert first.state == second.state == rejected.state == "confirmed"
    assert "already been decided by operator" in second.detail
    assert len(await accepted_by(tws_url)) == 1
    assert len(await parts.audited()) == 2


async def test_a_hundred_approvals_at_once_from_all_channels_make_one_change(
    parts: Parts, tws_url: str
) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    people = [
        Actor(actor_id=f"operator.{number}", display_name="Otto", role=Role.OPERATOR) for number in range(100)
    ]
    results = await asyncio.gather(
        *(
            parts.decide(proposal, by=person, channel=channel, turn_id=person.actor_id)
            for person, channel in zip(people, itertools.cycle(Channel), strict=False)
        )
    )
    assert {result.state for result in results} == {"confirmed"}
    assert len(await accepted_by(tws_url)) == 1
    assert len(await parts.executions()) == 1
    assert [phase for _, _, phase in await parts.audited()] == ["before", "after"]


async def test_of_approvals_and_rejections_at_once_one_wins(parts: Parts, tws_url: str) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    verbs = [Verb.APPROVE, Verb.REJECT] * 10
    results = await asyncio.gather(*(parts.decide(proposal, verb) for verb in verbs))
    current = await parts.proposals.get(proposal.id)
    assert current is not None
    assert current.state in {"confirmed", "rejected"}
    # Who asks while the winner is still at it learns that, and never the opposite outcome.
    assert {result.state for result in results} <= {current.state, "running"}
    assert len(await accepted_by(tws_url)) == (current.state == "confirmed")


async def test_a_rejection_never_carries_out_what_somebody_approved_before(
    parts: Parts, tws_url: str
) -> None:
    """Its worker died between the approval and the call; whoever rejects now must not finish the work."""
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with parts.engine.begin() as connection:
        assert await move(connection, proposal.id, expected="open", state="approved", decided_by="operator")
        await connection.execute(insert(EXECUTIONS).values(proposal_id=proposal.id))
    rejected = await parts.decide(proposal, Verb.REJECT, by=SUPERVISOR)
    assert (rejected.state, rejected.detail) == (
        "running",
        "It was approved before and is being carried out.",
    )
    assert await accepted_by(tws_url) == []
    assert (await parts.decide(proposal)).state == "confirmed"
    assert len(await accepted_by(tws_url)) == 1


async def test_after_a_crash_behind_the_call_the_plan_is_read_and_the_call_not_repeated(
    parts: Parts, tws_url: str
) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    proposal = await parts.propose(Action.RERUN, job)
    async with parts.engine.begin() as connection:
        assert await move(connection, proposal.id, expected="open", state="approved", decided_by="operator")
        await connection.execute(insert(EXECUTIONS).values(proposal_id=proposal.id))
        await connection.exec_driver_sql("UPDATE executions SET sent_at = now()")
    other = await parts.propose(Action.RERUN, job)
    assert (await parts.decide(other)).state == "confirmed"  # what the dead worker's call would have done
    assert (await parts.decide(proposal)).state == "confirmed"
    assert len(await accepted_by(tws_url)) == 1


async def test_an_execution_is_unique(parts: Parts) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    await parts.decide(proposal)
    with pytest.raises(Exception, match="executions_pkey"):
        async with parts.engine.begin() as connection:
            await connection.execute(insert(EXECUTIONS).values(proposal_id=proposal.id))
    (row,) = await parts.executions()
    assert row["answer"] == "accepted"
    assert row["approved_at"] <= row["sent_at"] <= row["answered_at"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    action=st.sampled_from([Action.RERUN, Action.CANCEL]),
    steps=st.lists(
        st.tuples(
            st.sampled_from([Verb.APPROVE, Verb.REJECT]), st.sampled_from([VIEWER, OPERATOR, SUPERVISOR])
        ),
        min_size=1,
        max_size=6,
    ),
)
async def test_the_first_permitted_decision_stands_whatever_is_pressed_in_what_order(
    parts: Parts, tws_url: str, action: Action, steps: list[tuple[Verb, Actor]]
) -> None:
    ended = await parts.tws.query_jobs(JobFilter(common_statuses=(CommonStatus.SUCCESSFUL,)))
    job = next(job for job in ended.jobs if not job.canceled and len(job.runs) == 1)
    before = len(await accepted_by(tws_url))
    proposal = await parts.propose(action, job)
    state = "open"
    for verb, person in steps:
        may = person is not VIEWER
        if action is Action.CANCEL and verb is Verb.APPROVE:
            may = person is SUPERVISOR
        if may and state == "open":
            state = "confirmed" if verb is Verb.APPROVE else "rejected"
        assert (await parts.decide(proposal, verb, by=person)).state == (state if may else "refused")
    stored = await parts.proposals.get(proposal.id)
    assert stored is not None
    assert stored.state == state
    assert len(await accepted_by(tws_url)) - before == (state == "confirmed")
