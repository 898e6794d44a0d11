"""A decision made anywhere shows wherever the proposal stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.postings import Postings
from brain.actions.proposal import Proposal
from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Sender, Verb
from brain.reply import Buttons
from brain.tables import POSTINGS, PROPOSALS
from brain.turns.inbox import Inbox
from security.actors import ActorDirectory
from security.passwords import Passwords
from security.roles import Role
from tests.support.brain_parts import Parts, open_parts
from tests.support.turns import Mailbox, make_message
from tests.support.waiting import eventually
from tws.actions import Action


@dataclass(frozen=True)
class Places:
    parts: Parts
    postings: Postings
    slack: Mailbox
    teams: Mailbox

    async def proposal(self) -> Proposal:
        """A proposal that stands in Slack (twice) and in Teams."""
        proposal = await self.parts.propose(Action.RERUN, await self.parts.job("PAYROLL", "PAYDAILY"))
        await self.postings.record(_from(Channel.SLACK, "C1"), proposal.id, "1.1")
        await self.postings.record(_from(Channel.SLACK, "C2"), proposal.id, "2.2")
        await self.postings.record(_from(Channel.TEAMS, "19:x"), proposal.id, "a-1")
        return proposal

    def shown(self) -> dict[str, str]:
        """What stands there now, by message; those that were never changed are left out."""
        return {place: reply.plain_text for place, reply in (*self.slack.replaced, *self.teams.replaced)}


@pytest.fixture
async def places(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Places]:
    actors = ActorDirectory(engine, Passwords(10))
    await actors.add("operator", "Otto", Role.OPERATOR, None)
    slack, teams = Mailbox(), Mailbox()
    async with open_parts(engine, tws_url) as parts:
        yield Places(
            parts,
            Postings(
                engine,
                outboxes={Channel.SLACK: slack, Channel.TEAMS: teams},
                proposals=parts.proposals,
                actors=actors,
                zone=ZoneInfo("UTC"),
                interval=timedelta(milliseconds=100),
            ),
            slack,
            teams,
        )


async def test_a_rejection_takes_the_buttons_away_everywhere_and_says_who_and_when(places: Places) -> None:
    proposal = await places.proposal()
    assert await places.postings.round() == 0

    await places.parts.decide(proposal, Verb.REJECT)
    assert await places.postings.round() == 3

    assert set(places.shown()) == {"1.1", "2.2", "a-1"}
    for words in places.shown().values():
        assert words.startswith("Rerun AGT_HR01#PAYDAILY.PAYROLL, decided by Otto at ")
        assert "Rejected" in words
    assert not any(isinstance(block, Buttons) for _, reply in places.slack.replaced for block in reply.blocks)
    assert await places.postings.round() == 0


async def test_an_approval_shows_within_two_seconds_and_its_outcome_later(places: Places) -> None:
    proposal = await places.proposal()
    places.postings.start()
    try:
        decided = asyncio.create_task(places.parts.decide(proposal))
        await eventually(lambda: _state_is(places.parts, proposal, "approved", "confirmed"))
        began = time.monotonic()
        await eventually(lambda: _count(places, 3))
        assert time.monotonic() - began < 2
        assert (await decided).state == "confirmed"
        await eventually(lambda: _all_say(places, "Confirmed."))
    finally:
        await places.postings.aclose()


async def test_the_message_whose_button_was_pressed_is_left_to_its_own_turn(places: Places) -> None:
    proposal = await places.proposal()
    press = ButtonPress(verb=Verb.REJECT, value=proposal.id, message_id="1.1")
    pressed = replace(make_message(""), button=press, **_fields(Channel.SLACK, "C1"))
    turn_id = (await Inbox(places.parts.engine, places.parts.metrics).accept(pressed)).turn_id

    await places.parts.decide(proposal, Verb.REJECT, turn_id=turn_id)
    await places.postings.round()

    assert set(places.shown()) == {"2.2", "a-1"}


async def test_nobody_deciding_shows_too(places: Places) -> None:
    proposal = await places.proposal()
    async with places.parts.engine.begin() as connection:
        await connection.execute(update(PROPOSALS).values(expires_at=func.now()))

    await places.postings.round()

    assert set(places.shown()) == {"1.1", "2.2", "a-1"}
    assert all("expired" in words for words in places.shown().values())
    assert (await places.parts.stored(proposal)).is_open


async def test_a_channel_that_is_away_is_tried_again_and_the_others_do_not_wait(places: Places) -> None:
    proposal = await places.proposal()
    places.teams.fail(1, retryable=True)
    await places.parts.decide(proposal, Verb.REJECT)

    await places.postings.round()
    assert set(places.shown()) == {"1.1", "2.2"}
    assert await places.postings.round() == 0
    await eventually(places.postings.round)

    assert set(places.shown()) == {"1.1", "2.2", "a-1"}


async def test_a_place_that_is_gone_is_not_asked_again(places: Places) -> None:
    proposal = await places.proposal()
    places.teams.fail(1, retryable=False)
    await places.parts.decide(proposal, Verb.REJECT)

    assert await places.postings.round() == 3
    async with places.parts.engine.connect() as connection:
        assert set((await connection.execute(select(POSTINGS.c.shown))).scalars()) == {"rejected"}


async def test_two_processes_do_not_show_the_same(places: Places) -> None:
    proposal = await places.proposal()
    await places.parts.decide(proposal, Verb.REJECT)

    rounds = await asyncio.gather(*(places.postings.round() for _ in range(4)))

    assert sum(rounds) == 3
    assert len(places.slack.replaced) + len(places.teams.replaced) == 3


def _from(channel: Channel, conversation: str) -> InboundMessage:
    return replace(make_message("rerun PAYROLL"), **_fields(channel, conversation))


def _fields(channel: Channel, conversation: str) -> dict[str, Any]:
    return {
        "conversation": Conversation(channel=channel, tenant="T1", conversation_id=conversation),
        "sender": Sender(channel=channel, tenant="T1", user_id="U1"),
        "route": {"channel": conversation},
    }


async def _state_is(parts: Parts, proposal: Proposal, *states: str) -> bool:
    return (await parts.stored(proposal)).state in states


async def _count(places: Places, number: int) -> bool:
    return len(places.shown()) == number


async def _all_say(places: Places, words: str) -> bool:
    return all(words in shown for shown in places.shown().values())
