"""A change that is sent once, and reported as the plan shows it, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposal
from brain.message import Locale
from tests.support.brain_parts import (
    OPERATOR,
    SUPERVISOR,
    Parts,
    accepted_by,
    break_next_change,
    open_parts,
)
from tests.support.fault_proxy import Fault, FaultProxy, running_proxy
from tws.actions import ACTIONS_OF, VALUES, Action, Change, ObjectKind, PlanObject, is_legal
from tws.objects import JobFilter, JobStreamFilter
from tws.simulator.faults import Effect

_NO_ANSWER = (
    "TWS did not answer while I waited, so I cannot say whether it happened. "
    "It will not be repeated; I keep looking and report here."
)


@pytest.fixture
async def proxy(tws_url: str) -> AsyncIterator[FaultProxy]:
    async with running_proxy(tws_url) as running:
        yield running


@pytest.fixture
async def parts(engine: AsyncEngine, proxy: FaultProxy) -> AsyncIterator[Parts]:
    async with open_parts(engine, proxy.url, patience_seconds=1.5) as opened:
        yield opened


@pytest.mark.parametrize("fault", ["lose_answer", "garble", "hang"])
async def test_a_change_whose_answer_is_lost_is_confirmed_from_the_plan(
    parts: Parts, proxy: FaultProxy, tws_url: str, fault: Fault
) -> None:
    proxy.faults.append(fault)
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with open_parts(parts.engine, proxy.url, read_timeout_seconds=1) as hasty:
        assert (await hasty.decide(proposal)).state == "confirmed"
    assert len(proxy.changes) == 1
    assert len(await accepted_by(tws_url)) == 1
    (execution,) = await parts.executions()
    assert execution["answer"] != "accepted"
    assert [phase for _, _, phase in await parts.audited()] == ["before", "after"]


@pytest.mark.parametrize("fault", ["lose_request", "swallow"])
async def test_a_change_that_the_engine_never_got_is_unknown_and_not_repeated(
    parts: Parts, proxy: FaultProxy, tws_url: str, fault: Fault
) -> None:
    """Nobody can tell it from one that is still under way: patience ends, and the report says so."""
    proxy.faults.append(fault)
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    result = await parts.decide(proposal)
    assert result.state == "unknown"
    assert result.detail == (
        "The plan does not show the change yet: AGT_HR01#PAYDAILY.PAYROLL should have run+1, and has "
        "state=ABEND pri=50 run=1. It will not be repeated; I keep looking and report here."
    )
    again = await parts.decide(proposal)
    assert again.state == "unknown"
    assert "nothing was done again" in again.detail
    assert len(proxy.changes) == 1
    assert await accepted_by(tws_url) == []
    assert (await parts.audit_details())[-1]["state"] == "unknown"


@pytest.mark.parametrize("reads", [3, 4, 5])
async def test_a_request_that_could_not_be_sent_changed_nothing(
    parts: Parts, proxy: FaultProxy, tws_url: str, reads: int
) -> None:
    """The engine goes away after the check, after the second look, or while the request is made."""
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    proxy.close_after_reads = reads
    result = await parts.decide(proposal)
    assert result.state == "refused"
    assert result.detail.startswith("The request could not be sent, so nothing was changed: TWS at http://")
    assert proxy.changes == []
    assert await accepted_by(tws_url) == []


async def test_what_the_engine_refuses_is_told_in_its_words(
    parts: Parts, proxy: FaultProxy, tws_url: str
) -> None:
    """Somebody reruns the job at the console between our look and our call: it runs, ours is illegal."""
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    async with open_parts(parts.engine, tws_url, user="operator") as console:

        async def rerun_at_the_console() -> None:
            theirs = await console.propose(Action.RERUN, await console.job("PAYROLL", "PAYDAILY"))
            assert (await console.decide(theirs)).state == "confirmed"

        proxy.before_change = rerun_at_the_console
        result = await parts.decide(proposal)
    assert result.state == "refused"
    assert result.detail.startswith("TWS refused, so nothing was changed: ")
    assert "AWSBIN076E" in result.detail
    assert len(await accepted_by(tws_url)) == 1


async def test_an_account_without_the_right_is_told_so(engine: AsyncEngine, tws_url: str) -> None:
    async with open_parts(engine, tws_url, user="viewer") as parts:
        proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
        result = await parts.decide(proposal)
    assert result.state == "refused"
    assert "AWSJDB817E" in result.detail
    assert await accepted_by(tws_url) == []


async def test_an_engine_that_goes_away_after_acting_leaves_it_unknown_until_somebody_looks(
    parts: Parts, proxy: FaultProxy, tws_url: str
) -> None:
    def go_away() -> None:
        proxy.is_down = True

    proxy.after_change = go_away
    proxy.faults.append("lose_answer")
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    result = await parts.decide(proposal)
    assert (result.state, result.detail) == (
        "unknown",
        _NO_ANSWER,
    )
    async with open_parts(parts.engine, tws_url) as later:
        assert len((await later.job("PAYROLL", "PAYDAILY")).runs) == 2
    assert len(await accepted_by(tws_url)) == 1


async def test_a_short_absence_of_the_engine_does_not_hide_the_effect(
    parts: Parts, proxy: FaultProxy, tws_url: str
) -> None:
    async def come_back() -> None:
        await asyncio.sleep(0.15)
        proxy.is_down = False

    background: list[asyncio.Task[None]] = []

    def go_away() -> None:
        proxy.is_down = True
        background.append(asyncio.create_task(come_back()))

    proxy.after_change = go_away
    proposal = await parts.propose(Action.HOLD, await parts.job("GERA_HOLERITE", "PAYDAILY"))
    assert (await parts.decide(proposal)).state == "confirmed"
    assert len(await accepted_by(tws_url)) == 1
    await asyncio.gather(*background)


async def test_a_job_that_starts_instead_of_being_held_is_reported_as_different(
    parts: Parts, proxy: FaultProxy, tws_url: str
) -> None:
    """Somebody releases it at the console while our hold is on its way, and the hold is lost."""
    proposal = await parts.propose(Action.HOLD, await parts.job("GERA_HOLERITE", "PAYDAILY"))
    async with open_parts(parts.engine, tws_url, user="operator") as console:

        async def release_at_the_console() -> None:
            theirs = await console.propose(Action.RELEASE, await console.job("GERA_HOLERITE", "PAYDAILY"))
            assert (await console.decide(theirs)).state == "confirmed"

        proxy.before_change = release_at_the_console
        proxy.faults.append("swallow")
        result = await parts.decide(proposal)
    assert result.state == "different"
    assert "The plan shows something else: " in result.detail
    assert "should have pri=0" in result.detail


async def test_the_engine_is_asked_in_the_name_of_who_requested_and_approved(
    parts: Parts, tws_url: str
) -> None:
    proposal = await parts.propose(Action.HOLD, await parts.job("GERA_HOLERITE", "PAYDAILY"), by=OPERATOR)
    await parts.decide(proposal)
    (done,) = await accepted_by(tws_url)
    assert done["user"] == "resync"
    assert done["justification"]["description"] == (
        f"Resync (approved by operator, requested by operator, proposal {proposal.id})"
    )


_PAIRS = [(kind, action) for kind, actions in ACTIONS_OF.items() for action in actions]


@pytest.mark.parametrize(("kind", "action"), _PAIRS)
async def test_every_action_on_every_kind_is_confirmed_from_the_plan(
    engine: AsyncEngine, tws_url: str, kind: ObjectKind, action: Action
) -> None:
    async with open_parts(engine, tws_url) as parts:
        if action is Action.START:
            stopped = await _propose(parts, kind, Action.STOP)
            assert (await parts.decide(stopped, by=SUPERVISOR)).state == "confirmed"
        proposal = await _propose(parts, kind, action)
        result = await parts.decide(proposal, by=SUPERVISOR)
        assert result.state == "confirmed", result.detail
        assert (await accepted_by(tws_url))[-1]["object_id"] == proposal.changes[0].object_id


_FAULTED = [
    (ObjectKind.JOB, Action.RERUN),
    (ObjectKind.JOB, Action.HOLD),
    (ObjectKind.JOB, Action.CANCEL),
    (ObjectKind.JOB, Action.KILL),
    (ObjectKind.JOB, Action.CONFIRM_SUCC),
    (ObjectKind.JOB, Action.SET_PRIORITY),
    (ObjectKind.JOB_STREAM, Action.RELEASE_DEPENDENCIES),
    (ObjectKind.JOB_STREAM, Action.SET_LIMIT),
    (ObjectKind.WORKSTATION, Action.SET_FENCE),
    (ObjectKind.WORKSTATION, Action.UNLINK),
    (ObjectKind.RESOURCE, Action.SET_QUANTITY),
    (ObjectKind.PROMPT, Action.REPLY_YES),
]
_ENDS = {
    Effect.NOTHING: {"unknown"},
    Effect.OTHER: {"unknown"},
    Effect.LATE: {"unknown"},
    Effect.ERROR: {"unknown", "refused"},
    Effect.DENIED: {"refused"},
    Effect.DROP: {"confirmed"},
    Effect.SLOW: {"confirmed"},
    Effect.TRUNCATE: {"confirmed"},
}
"""What a change may end as; only where the engine really made it, and in time, is it confirmed."""


@pytest.mark.parametrize("effect", Effect)
async def test_nothing_is_confirmed_that_was_not_made(
    engine: AsyncEngine, tws_url: str, effect: Effect
) -> None:
    async with open_parts(engine, tws_url, patience_seconds=0.4) as parts:
        for kind, action in _FAULTED:
            if effect is Effect.OTHER and kind is ObjectKind.PROMPT:
                continue  # the plan has no other prompt
            proposal = await _propose(parts, kind, action)
            await break_next_change(tws_url, effect, seconds=0.2 if effect is Effect.SLOW else 3600)
            result = await parts.decide(proposal, by=SUPERVISOR)
            assert result.state in _ENDS[effect], (kind, action, result.detail)


async def _propose(parts: Parts, kind: ObjectKind, action: Action) -> Proposal:
    """A proposal for the first object that the action is legal for."""
    arguments = {VALUES[action]: 7} if action in VALUES else {}
    if action is not Action.SUBMIT:
        return await parts.propose(action, await _target(parts, kind, action), **arguments)
    read = (
        parts.tws.job_definitions if kind is ObjectKind.JOB_DEFINITION else parts.tws.job_stream_definitions
    )
    definition = (await read("@"))[0]
    change = Change(
        action=action,
        kind=kind,
        object_id=definition.id,
        selection=f"{definition.workstation}#{definition.name}",
    )
    proposed = await parts.toolbox().propose(change, Locale.EN)
    assert isinstance(proposed, Proposal)
    return proposed


async def _target(parts: Parts, kind: ObjectKind, action: Action) -> PlanObject:
    """An object that the action is legal for; lists do not say what jobs and streams depend on."""
    for listed in await _objects(parts, kind):
        if action is Action.RELEASE_DEPENDENCIES or is_legal(action, listed):
            target = await parts.tws.read_object(kind, listed.id)
            if is_legal(action, target):
                return target
    pytest.fail(f"nothing in the plan for {action} of a {kind}")


async def _objects(parts: Parts, kind: ObjectKind) -> list[PlanObject]:
    tws = parts.tws
    match kind:
        case ObjectKind.JOB:
            return list((await tws.query_jobs(JobFilter(limit=1000))).jobs)
        case ObjectKind.JOB_STREAM:
            return list(await tws.query_job_streams(JobStreamFilter(limit=200)))
        case ObjectKind.WORKSTATION:
            return list(await tws.workstations())
        case ObjectKind.PROMPT:
            return list(await tws.prompts())
        case _:
            return list(await tws.resources())
