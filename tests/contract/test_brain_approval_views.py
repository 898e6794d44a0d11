"""Every way a proposal can go, in two views: what the audit log holds, and what TWS was told to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from brain.message import Verb
from brain.tables import PROPOSALS
from security.roles import Actor
from tests.support.brain_parts import OPERATOR, SUPERVISOR, VIEWER, Parts, accepted_by
from tests.support.fault_proxy import FaultProxy, running_proxy
from tests.support.talk import Talk, open_talk

_APPROVED = [("operator", "rerun", "before"), ("operator", "rerun", "after")]


@pytest.fixture
async def proxy(tws_url: str) -> AsyncIterator[FaultProxy]:
    async with running_proxy(tws_url) as running:
        yield running


@dataclass(frozen=True, slots=True)
class _Views:
    talk: Talk
    parts: Parts
    tws_url: str

    async def propose(self, words: str) -> str:
        view = (await self.talk.say(words)).proposal
        assert view is not None
        return view.id

    async def press(self, verb: Verb, proposal: str, by: Actor = OPERATOR) -> str:
        """The state that the person is told."""
        outcome = (await self.talk.press(verb, proposal, by=by)).outcome
        assert outcome is not None
        return outcome.state

    async def are(self, audited: list[tuple[str, str, str]], dispatched: list[str]) -> None:
        """Both views; `audited` checks the chain too."""
        assert await self.parts.audited() == audited
        assert [one["action"] for one in await accepted_by(self.tws_url)] == dispatched


@pytest.fixture
def views(talk: Talk, parts: Parts, tws_url: str) -> _Views:
    return _Views(talk, parts, tws_url)


async def test_approved(views: _Views) -> None:
    proposal = await views.propose("rerun PAYROLL")
    await views.are([], [])
    assert await views.press(Verb.APPROVE, proposal) == "confirmed"
    await views.are(_APPROVED, ["rerun"])


async def test_rejected_and_then_approved_too_late(views: _Views) -> None:
    proposal = await views.propose("rerun PAYROLL")
    assert await views.press(Verb.REJECT, proposal) == "rejected"
    assert await views.press(Verb.APPROVE, proposal) == "rejected"
    await views.are([("operator", "rerun", "other")], [])


async def test_modified_by_another_wish(views: _Views) -> None:
    first = await views.propose("set the priority of GERA_HOLERITE to 50")
    second = await views.propose("set the priority of GERA_HOLERITE to 60")
    assert await views.press(Verb.APPROVE, second) == "confirmed"
    # What was shown on the first card is no longer so.
    assert await views.press(Verb.APPROVE, first) == "refused"
    await views.are(
        [
            ("operator", "set_priority", "before"),
            ("operator", "set_priority", "after"),
            ("operator", "set_priority", "other"),
        ],
        ["update-priority"],
    )


async def test_deferred_and_decided_later_or_never(views: _Views, postgres_dsn: str) -> None:
    waiting, forgotten = await views.propose("rerun PAYROLL"), await views.propose("rerun APURACAO")
    await views.talk.say("later")
    await views.talk.say("what failed?")
    await views.are([], [])
    async with views.parts.engine.begin() as connection:
        await connection.execute(
            update(PROPOSALS)
            .where(PROPOSALS.c.id == forgotten)
            .values(expires_at=func.now() - timedelta(minutes=1))
        )
    # Another process takes over meanwhile.
    async with open_talk(views.parts, postgres_dsn) as successor:
        outcome = (await successor.press(Verb.APPROVE, waiting)).outcome
        assert outcome is not None
        assert outcome.state == "confirmed"
        expired = (await successor.press(Verb.APPROVE, forgotten)).outcome
        assert expired is not None
        assert expired.state == "expired"
    await views.are([*_APPROVED, ("operator", "rerun", "other")], ["rerun"])


async def test_resumed_twice(views: _Views, postgres_dsn: str) -> None:
    proposal = await views.propose("rerun PAYROLL")
    async with open_talk(views.parts, postgres_dsn) as replica:
        told = await asyncio.gather(
            *(talk.press(Verb.APPROVE, proposal) for talk in (views.talk, replica, views.talk.elsewhere())),
            views.talk.press(Verb.REJECT, proposal, by=SUPERVISOR),
        )
    # Who comes while the change is being made is told so.
    states = {reply.outcome.state for reply in told if reply.outcome is not None} - {"running"}
    assert len(states) == 1
    if states == {"confirmed"}:
        await views.are(_APPROVED, ["rerun"])
    else:
        await views.are([("supervisor", "rerun", "other")], [])
    again = await views.press(Verb.APPROVE, proposal)
    assert {again} == states


async def test_approved_by_whom_the_policy_asks_for(views: _Views) -> None:
    proposal = await views.propose("cancel GERA_HOLERITE")
    assert await views.press(Verb.APPROVE, proposal) == "refused"
    assert await views.press(Verb.APPROVE, proposal, by=VIEWER) == "refused"
    await views.are([("operator", "cancel", "other"), ("viewer", "cancel", "other")], [])
    assert await views.press(Verb.APPROVE, proposal, by=SUPERVISOR) == "confirmed"
    await views.are(
        [
            ("operator", "cancel", "other"),
            ("viewer", "cancel", "other"),
            ("supervisor", "cancel", "before"),
            ("supervisor", "cancel", "after"),
        ],
        ["cancel"],
    )


async def test_several_at_once_each_on_its_own(views: _Views) -> None:
    first, second = await views.propose("rerun PAYROLL"), await views.propose("hold GERA_HOLERITE")
    assert await views.press(Verb.REJECT, first) == "rejected"
    assert await views.press(Verb.APPROVE, second) == "confirmed"
    await views.are(
        [
            ("operator", "rerun", "other"),
            ("operator", "hold", "before"),
            ("operator", "hold", "after"),
        ],
        ["hold"],
    )
