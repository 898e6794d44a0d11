"""Decisions on proposals: who may, once, and only for the state that was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.approval import Press
from brain.actions.proposal import state_digest
from brain.actions.proposer import Refusal
from brain.message import Channel, Locale, Verb
from brain.tables import PROPOSALS
from security.roles import Actor, Role
from tests.support.brain_parts import (
    ENGINE,
    OPERATOR,
    SUPERVISOR,
    VIEWER,
    Parts,
    accepted_by,
    change_of,
    open_parts,
)
from tws.actions import Action
from tws.errors import TwsUnreachableError


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url) as opened:
        yield opened


async def test_an_approved_rerun_is_confirmed_once_the_plan_shows_the_run(parts: Parts, tws_url: str) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    proposal = await parts.propose(Action.RERUN, job, reason="tablespace extended", ticket="INC-7")
    result = await parts.decide(proposal)
    assert result.state == "confirmed"
    assert b'resync_actions_total{action="rerun",state="confirmed"} 1.0' in parts.metrics.render()
    after = await parts.job("PAYROLL", "PAYDAILY")
    assert len(after.runs) == len(job.runs) + 1
    assert result.detail.startswith(f"The plan shows it: {job.selection} has state=")
    assert result.detail.endswith(" pri=50 run=2.")
    (done,) = await accepted_by(tws_url)
    assert job.last_run is not None
    assert done["run_id"] == job.last_run.id
    assert done["justification"] == {
        "description": f"tablespace extended (approved by operator, requested by operator, proposal {proposal.id})",
        "category": "Resync",
        "ticket": "INC-7",
    }


@pytest.mark.parametrize(
    ("action", "name", "job_stream", "by"),
    [
        (Action.HOLD, "GERA_HOLERITE", "PAYDAILY", OPERATOR),
        (Action.RELEASE, "DROP_PARTICOES", "EXPURGO", OPERATOR),
        (Action.RELEASE, "LIBERA_REMESSA", "PAGFORN", OPERATOR),
        (Action.CANCEL, "GERA_HOLERITE", "PAYDAILY", SUPERVISOR),
    ],
)
async def test_every_action_is_read_back_from_the_plan(
    parts: Parts, tws_url: str, action: Action, name: str, job_stream: str, by: Actor
) -> None:
    proposal = await parts.propose(action, await parts.job(name, job_stream))
    result = await parts.decide(proposal, by=by)
    assert result.state == "confirmed", result.detail
    assert [done["action"] for done in await accepted_by(tws_url)] == [action.value]
    job = await parts.job(name, job_stream)
    match action:
        case Action.HOLD:
            assert job.priority == 0
        case Action.RELEASE:
            assert job.priority > 0
            assert all(item.satisfied for item in job.dependencies if item.type == "PROMPT")
        case Action.CANCEL:
            assert job.canceled


async def test_a_held_job_that_also_waits_is_confirmed_as_released(parts: Parts) -> None:
    """Its priority comes back, although a predecessor still keeps it from starting."""
    job = await parts.job("GERA_HOLERITE", "PAYDAILY")
    await parts.decide(await parts.propose(Action.HOLD, job))
    held = await parts.job("GERA_HOLERITE", "PAYDAILY")
    assert held.priority == 0
    result = await parts.decide(await parts.propose(Action.RELEASE, held))
    assert result.state == "confirmed"
    assert (await parts.job("GERA_HOLERITE", "PAYDAILY")).status == "HOLD"


async def test_before_and_after_every_change_stands_an_audit_row(parts: Parts) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    assert await parts.audited() == []
    await parts.decide(proposal, reason="agreed with payroll")
    assert await parts.audited() == [("operator", "rerun", "before"), ("operator", "rerun", "after")]
    before, after = await parts.audit_details()
    assert before == {
        "proposal_id": proposal.id,
        "engine": ENGINE,
        "requested_by": "operator",
        "rule": "everyday work",
        "identity": "service",
        "ticket": "",
        "arguments": {},
        "reason": "agreed with payroll",
    }
    assert (after["proposal_id"], after["state"]) == (proposal.id, "confirmed")


async def test_the_row_before_is_there_when_the_engine_is_asked(parts: Parts, engine: AsyncEngine) -> None:
    """Without the record there is no change: an audit table that refuses stops the approval."""
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "ALTER TABLE audit_log ADD CONSTRAINT no_rerun CHECK (action <> 'rerun')"
        )
    try:
        with pytest.raises(Exception, match="no_rerun"):
            await parts.decide(proposal)
    finally:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE audit_log DROP CONSTRAINT no_rerun")
    assert await parts.executions() == []
    current = await parts.proposals.get(proposal.id)
    assert current is not None
    assert current.is_open
    assert len((await parts.job("PAYROLL", "PAYDAILY")).runs) == 1


async def test_an_unknown_proposal_is_refused_and_nothing_recorded(parts: Parts) -> None:
    press = Press(verb=Verb.APPROVE, actor=OPERATOR, channel="web", turn_id="t1", locale=Locale.PT)
    result = await parts.approval.decide("no such id", press)
    assert (result.state, result.detail) == (
        "refused",
        "Não conheço esta proposta; talvez seja de outra instalação.",
    )
    assert await parts.audited() == []


async def test_a_viewer_can_neither_propose_nor_decide(parts: Parts, tws_url: str) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    assert (await parts.refuse(Action.RERUN, job, by=VIEWER)).detail == (
        "Your role does not allow changes to TWS."
    )
    proposal = await parts.propose(Action.RERUN, job)
    for verb in (Verb.APPROVE, Verb.REJECT):
        assert (await parts.decide(proposal, verb, by=VIEWER)).state == "refused"
    assert await parts.audited() == [("viewer", "rerun", "other")] * 2
    assert await accepted_by(tws_url) == []
    assert (await parts.decide(proposal)).state == "confirmed"


async def test_a_cancel_needs_a_second_person_who_is_a_supervisor(parts: Parts, tws_url: str) -> None:
    job = await parts.job("GERA_HOLERITE", "PAYDAILY")
    proposal = await parts.propose(Action.CANCEL, job, by=SUPERVISOR)
    assert proposal.requires == "second_person"
    same = await parts.decide(proposal, by=SUPERVISOR)
    assert (same.state, same.detail) == (
        "refused",
        "A second person must approve; you asked for it yourself.",
    )
    weak = await parts.decide(proposal, by=OPERATOR)
    assert (weak.state, weak.detail) == ("refused", "This needs the approval of a supervisor.")
    assert await accepted_by(tws_url) == []
    other = Actor(actor_id="supervisor.2", display_name="Sue", role=Role.SUPERVISOR)
    assert (await parts.decide(proposal, by=other)).state == "confirmed"


async def test_the_requester_may_withdraw_what_needs_a_second_person(parts: Parts, tws_url: str) -> None:
    proposal = await parts.propose(Action.CANCEL, await parts.job("GERA_HOLERITE", "PAYDAILY"))
    rejected = await parts.decide(proposal, Verb.REJECT, reason="not needed")
    assert [row["reason"] for row in await parts.audit_details()] == ["not needed"]
    assert (rejected.state, rejected.detail) == (
        "rejected",
        "Rejected by Otto (“not needed”); nothing was done.",
    )
    late = await parts.decide(proposal, by=SUPERVISOR)
    assert late.state == "rejected"
    assert "already been decided by operator; nothing was done again" in late.detail
    assert await accepted_by(tws_url) == []


async def test_an_expired_proposal_cannot_be_approved(engine: AsyncEngine, tws_url: str) -> None:
    async with open_parts(engine, tws_url, lifetime=timedelta(milliseconds=1)) as parts:
        proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
        await asyncio.sleep(0.01)
        for verb in (Verb.APPROVE, Verb.REJECT, Verb.APPROVE):
            assert (await parts.decide(proposal, verb)).state == "expired"
        assert await parts.executions() == []
        assert await accepted_by(tws_url) == []


async def test_a_proposal_is_void_when_the_job_changed_and_a_fresh_one_takes_its_place(
    parts: Parts, tws_url: str
) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    stale = await parts.propose(Action.CANCEL, job, reason="given up", ticket="INC-7")
    assert (await parts.decide(await parts.propose(Action.RERUN, job))).state == "confirmed"
    results = await asyncio.gather(*(parts.decide(stale, by=SUPERVISOR) for _ in range(5)))
    assert {result.state for result in results} == {"refused"}
    (result,) = (each for each in results if "already" not in each.detail)
    assert result.detail.startswith(
        f"Nothing was done: {job.selection} changed after the proposal was made (now state="
    )
    fresh = result.fresh
    assert fresh is not None
    assert (fresh.replaces, fresh.proposed_by, fresh.reason, fresh.ticket) == (
        stale.id,
        "operator",
        "given up",
        "INC-7",
    )
    assert fresh.changes == stale.changes
    assert len(await accepted_by(tws_url)) == 1
    later = (await parts.decide(stale, by=SUPERVISOR)).fresh
    assert later is not None
    assert later.id == fresh.id
    assert (await parts.decide(fresh, by=SUPERVISOR)).state == "confirmed"


async def test_a_proposal_is_void_without_another_when_the_change_has_become_illegal(
    parts: Parts, tws_url: str
) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    stale = await parts.propose(Action.RERUN, job)
    assert (await parts.decide(await parts.propose(Action.RERUN, job))).state == "confirmed"
    result = await parts.decide(stale)
    assert (result.state, result.fresh) == ("refused", None)
    assert "changed after the proposal was made" in result.detail
    assert len(await accepted_by(tws_url)) == 1
    assert (await parts.decide(stale)).state == "refused"


async def test_the_next_plan_makes_every_proposal_void(parts: Parts, engine: AsyncEngine) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    proposal = await parts.propose(Action.RERUN, job)
    run_number = (await parts.tws.plan_info()).run_number
    assert run_number is not None
    older = state_digest(proposal.items, run_number - 1)
    async with engine.begin() as connection:
        await connection.execute(update(PROPOSALS).values(digest=older))
    result = await parts.decide(proposal)
    assert result.state == "refused"
    assert f"another plan has begun since the proposal was made (run number {run_number})" in result.detail
    assert result.fresh is not None
    assert result.fresh.digest == state_digest(proposal.items, run_number)


async def test_a_read_only_installation_approves_nothing_and_still_rejects(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with open_parts(engine, tws_url, may_write=False) as read_only:
        refused = await read_only.decide(proposal)
        assert (refused.state, refused.detail) == (
            "refused",
            "This installation is read-only: changes to TWS are switched off.",
        )
        assert (await read_only.decide(proposal, Verb.REJECT)).state == "rejected"
    assert await accepted_by(tws_url) == []


async def test_when_the_plan_cannot_be_read_nothing_is_decided(engine: AsyncEngine, parts: Parts) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with open_parts(engine, "http://127.0.0.1:1") as cut_off:
        with pytest.raises(TwsUnreachableError):
            await cut_off.decide(proposal)
    current = await parts.proposals.get(proposal.id)
    assert current is not None
    assert current.is_open
    assert (await parts.decide(proposal)).state == "confirmed"


async def test_what_was_shown_is_what_was_stored(parts: Parts) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    proposal = await parts.propose(Action.RERUN, job, locale=Locale.PT, reason="tabela cheia")
    stored = await parts.proposals.get(proposal.id)
    assert stored == proposal
    assert proposal.view.target == "AGT_HR01#PAYDAILY.PAYROLL"
    assert proposal.view.targets == ("AGT_HR01#PAYDAILY.PAYROLL",)
    assert proposal.view.rule == "everyday work"
    assert await parts.proposals.stats() == {"open": 1}


async def test_states_are_a_closed_set(parts: Parts) -> None:
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    with pytest.raises(Exception, match="proposals_state"):
        async with parts.engine.begin() as connection:
            await connection.execute(update(PROPOSALS).values(state="done"))
    assert (await parts.decide(proposal)).state == "confirmed"


async def test_buttons_are_what_the_state_the_policy_and_the_engine_allow(
    parts: Parts, engine: AsyncEngine, tws_url: str, tmp_path: Path
) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    everything = (Action.RERUN, Action.CANCEL, Action.CONFIRM_SUCC)
    assert parts.toolbox(OPERATOR).offers(job) == everything
    assert parts.toolbox(VIEWER).offers(job) == ()
    on_alert = parts.tools.for_turn(actor=VIEWER, channel=Channel.WEBHOOK, turn_id="t1")
    assert on_alert.offers(job) == everything
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "rules:\n  - {name: reruns, roles: [operator], actions: [rerun], requires: four_eyes}\n"
    )
    async with open_parts(engine, tws_url, policy=policy) as strict:
        assert strict.toolbox(OPERATOR).offers(job) == (Action.RERUN,)
        assert strict.toolbox(SUPERVISOR).offers(job) == ()
    async with open_parts(engine, tws_url, user="viewer") as weak:
        assert weak.toolbox(OPERATOR).offers(await weak.job("PAYROLL", "PAYDAILY")) == ()
    async with open_parts(engine, tws_url, may_write=False) as read_only:
        assert read_only.toolbox(OPERATOR).offers(job) == ()


async def test_an_action_that_would_change_nothing_is_not_proposed(parts: Parts) -> None:
    job = await parts.job("GERA_HOLERITE", "PAYDAILY")
    change = change_of(Action.SET_PRIORITY, job, priority=job.priority)
    refused = await parts.toolbox().propose(change, Locale.EN)
    assert isinstance(refused, Refusal)
    assert refused.detail.startswith(f"There is nothing to change: {job.selection} has state=")


async def test_an_illegal_action_is_refused_with_what_is_legal(parts: Parts, tws_url: str) -> None:
    refused = await parts.refuse(Action.HOLD, await parts.job("PAYROLL", "PAYDAILY"))
    assert refused.legal == (Action.RERUN, Action.CANCEL, Action.CONFIRM_SUCC)
    assert "Hold is not possible: AGT_HR01#PAYDAILY.PAYROLL is in ABEND." in refused.detail
    assert await accepted_by(tws_url) == []
