"""From a wish to a proposal to an outcome, through the whole brain: who may, what is said, what is done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import ButtonPress, Verb
from brain.reply import Notice, Reply
from tests.support.brain_parts import OPERATOR, SUPERVISOR, VIEWER, Parts, accepted_by, open_parts
from tests.support.fault_proxy import FaultProxy, running_proxy
from tests.support.talk import Talk, buttons_of, open_talk

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


@pytest.fixture
async def proxy(tws_url: str) -> AsyncIterator[FaultProxy]:
    async with running_proxy(tws_url) as running:
        yield running


def _labels(reply: Reply) -> list[str]:
    return [button.label for button in buttons_of(reply)]


async def test_a_proposal_shows_its_consequences_and_is_carried_out_on_approval(
    talk: Talk, tws_url: str
) -> None:
    proposed = await talk.say("rerun PAYROLL because the tablespace was extended")
    view = proposed.proposal
    assert view is not None
    assert (view.action, view.target, view.requires) == ("rerun", _PAYROLL, "self")
    assert all(line in proposed.plain_text for line in view.consequences)
    assert [(button.verb, button.value) for button in buttons_of(proposed)] == [
        (Verb.APPROVE, view.id),
        (Verb.REJECT, view.id),
    ]
    assert [button.asks_reason for button in buttons_of(proposed)] == [False, True]
    assert await accepted_by(tws_url) == []
    decided = await talk.press(Verb.APPROVE, view.id)
    assert decided.outcome is not None
    assert decided.outcome.state == "confirmed"
    assert decided.plain_text.startswith(f"Rerun {_PAYROLL}, decided by Otto\nConfirmed. The plan shows it: ")
    (done,) = await accepted_by(tws_url)
    assert done["justification"]["description"].startswith(
        "the tablespace was extended (approved by operator"
    )
    again = (await talk.elsewhere().press(Verb.APPROVE, view.id)).outcome
    assert again is not None
    assert again.detail == (
        f"This had already been decided by operator; nothing was done again. {decided.outcome.detail}"
    )
    assert len(await accepted_by(tws_url)) == 1


async def test_a_rejection_is_an_outcome_too(talk: Talk) -> None:
    view = (await talk.say("rerun PAYROLL")).proposal
    assert view is not None
    decided = await talk.press(Verb.REJECT, view.id, reason="later")
    assert decided.outcome is not None
    assert (decided.outcome.state, decided.agent) == ("rejected", "action")


async def test_an_unknown_proposal_is_refused(talk: Talk) -> None:
    decided = await talk.press(Verb.APPROVE, "no such id")
    assert decided.outcome is not None
    assert decided.outcome.state == "refused"
    assert [type(block) for block in decided.blocks] == [Notice]
    assert decided.is_private  # whoever else reads that card learns nothing from a stray press


async def test_no_forced_agent_turns_a_press_into_something_else(talk: Talk) -> None:
    view = (await talk.say("rerun PAYROLL")).proposal
    assert view is not None
    press = ButtonPress(verb=Verb.REJECT, value=view.id)
    decided = await talk.say("what failed?", button=press, agent="status")
    assert decided.outcome is not None
    assert decided.outcome.state == "rejected"


async def test_a_viewer_sees_everything_and_changes_nothing(talk: Talk, parts: Parts, tws_url: str) -> None:
    reply = await talk.say("rerun PAYROLL", by=VIEWER)
    assert reply.plain_text == "Your role does not allow changes to TWS."
    assert buttons_of(reply) == []
    assert (await talk.say("reexecutar o PAYROLL", by=VIEWER)).plain_text == (
        "Seu perfil não permite alterações no TWS."
    )
    assert await parts.proposals.stats() == {}
    explained = await talk.say("why did PAYROLL fail?", by=VIEWER)
    assert explained.agent == "diagnosis"
    assert _labels(explained) == []
    assert "prepare a rerun" not in (await talk.say("help", by=VIEWER)).plain_text
    assert "prepare a rerun" in (await talk.say("help", by=OPERATOR)).plain_text
    view = (await talk.say("rerun PAYROLL")).proposal
    assert view is not None
    pressed = await talk.press(Verb.APPROVE, view.id, by=VIEWER)
    assert pressed.outcome is not None
    assert pressed.outcome.state == "refused"
    assert await accepted_by(tws_url) == []


async def test_a_cancel_says_that_a_second_person_must_approve(talk: Talk) -> None:
    proposed = await talk.say("cancel GERA_HOLERITE")
    view = proposed.proposal
    assert view is not None
    assert view.requires == "second_person"
    assert "Somebody other than the requester" in proposed.plain_text
    assert [button.asks_reason for button in buttons_of(proposed)] == [True, True]
    own = await talk.press(Verb.APPROVE, view.id)
    assert own.outcome is not None
    assert own.outcome.state == "refused"
    other = await talk.press(Verb.APPROVE, view.id, by=SUPERVISOR)
    assert other.outcome is not None
    assert other.outcome.state == "confirmed"


@pytest.mark.parametrize("words", ["approvals", "what waits for my approval?", "aprovações pendentes"])
async def test_the_one_change_that_waits_for_a_decision_is_shown_as_its_card(talk: Talk, words: str) -> None:
    assert buttons_of(await talk.say(words)) == []
    view = (await talk.say("rerun PAYROLL")).proposal
    assert view is not None
    rejected = (await talk.say("cancel GERA_HOLERITE")).proposal
    assert rejected is not None
    await talk.press(Verb.REJECT, rejected.id)
    listed = await talk.elsewhere().say(words)
    assert [(button.verb, button.value) for button in buttons_of(listed)] == [
        (Verb.APPROVE, view.id),
        (Verb.REJECT, view.id),
    ]
    assert _PAYROLL in listed.plain_text
    assert buttons_of(await talk.say(words, by=VIEWER)) == []


@pytest.mark.parametrize("words", ["approvals", "aprovações"])
async def test_several_are_listed_and_each_is_shown_on_request(talk: Talk, words: str) -> None:
    views = [(await talk.say(wish)).proposal for wish in ("rerun PAYROLL", "cancel GERA_HOLERITE")]
    listed = await talk.elsewhere().say(words)
    assert listed.proposal is None
    shown = buttons_of(listed)
    assert [(button.verb, button.value) for button in shown] == [
        (Verb.SAY, f"{words} 1"),
        (Verb.SAY, f"{words} 2"),
    ]
    assert _PAYROLL in listed.plain_text
    for button, view in zip(shown, views, strict=True):
        card = await talk.elsewhere().say(button.value)
        assert card.proposal == view
        assert [item.verb for item in buttons_of(card)] == [Verb.APPROVE, Verb.REJECT]
    assert buttons_of(await talk.say(f"{words} 7")) == shown


@pytest.mark.parametrize("words", ["what does an approval need?", "rerun PAYROLL without approvals"])
async def test_only_the_list_itself_is_the_list(talk: Talk, words: str) -> None:
    assert "Waiting for a decision" not in (await talk.say(words)).plain_text


@pytest.mark.parametrize(
    "words", ["don't rerun PAYROLL", "what happens if I cancel PAYROLL?", "não reexecute o PAYROLL"]
)
async def test_speaking_of_an_action_proposes_nothing(talk: Talk, parts: Parts, words: str) -> None:
    assert (await talk.say(words)).proposal is None
    assert await parts.proposals.stats() == {}


async def test_an_illegal_action_names_the_legal_ones(talk: Talk, parts: Parts) -> None:
    reply = await talk.say("release PAYROLL")
    assert (
        reply.plain_text
        == f"Release is not possible: {_PAYROLL} is in ABEND. Possible now: Rerun, Cancel, Confirm SUCC."
    )
    assert await parts.proposals.stats() == {}


async def test_a_read_only_installation_offers_no_changes(
    engine: AsyncEngine, tws_url: str, postgres_dsn: str
) -> None:
    async with (
        open_parts(engine, tws_url, may_write=False) as parts,
        open_talk(parts, postgres_dsn) as talk,
    ):
        assert _labels(await talk.say("why did PAYROLL fail?")) == []
        assert (await talk.say("rerun it")).plain_text == (
            "This installation is read-only: changes to TWS are switched off."
        )
        assert await parts.proposals.stats() == {}


async def test_a_decision_while_tws_is_away_decides_nothing(talk: Talk, proxy: FaultProxy) -> None:
    view = (await talk.say("rerun PAYROLL")).proposal
    assert view is not None
    proxy.is_down = True
    broken_off = await talk.press(Verb.APPROVE, view.id)
    assert (broken_off.outcome, broken_off.degraded) == (None, ("tws",))
    proxy.is_down = False
    decided = await talk.press(Verb.APPROVE, view.id)
    assert decided.outcome is not None
    assert decided.outcome.state == "confirmed"
