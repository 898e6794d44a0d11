"""Wishes in words and in conman's language: one object, several, many, none, and what is missing or illegal."""

from __future__ import annotations

import pytest

from brain.message import Verb
from brain.reply import Reply
from tests.support.brain_parts import VIEWER, Parts
from tests.support.talk import Talk, buttons_of

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


def _target(reply: Reply) -> tuple[str, str] | None:
    return None if reply.proposal is None else (reply.proposal.action, reply.proposal.target)


@pytest.mark.parametrize(
    ("words", "action", "target"),
    [
        ("rerun PAYROLL", "rerun", _PAYROLL),
        (f"rr {_PAYROLL}", "rerun", _PAYROLL),
        ("confirma o PAYROLL como SUCC", "confirm_succ", _PAYROLL),
        ("set the priority of GERA_HOLERITE to 55", "set_priority", "AGT_HR01#PAYDAILY.GERA_HOLERITE"),
        ("hold job stream PAYDAILY", "hold", "AGT_HR01#PAYDAILY"),
        ("ls AGT_HR01#PAYDAILY;3", "set_limit", "AGT_HR01#PAYDAILY"),
        ("link AGT_POS02", "link", "AGT_POS02"),
        ("lc AGT_LEG01;5", "set_limit", "AGT_LEG01"),
        ("baixa o fence do AGT_HR01 para 5", "set_fence", "AGT_HR01"),
        ("reply yes to prompt PAGTO", "reply_yes", "PAGTO"),
        ("res AGT_BKP01#FITALTO;6", "set_quantity", "AGT_BKP01#FITALTO"),
        ("submit job stream PAYDAILY", "submit", "AGT_HR01#PAYDAILY"),
    ],
)
async def test_a_change_to_any_kind_of_object_is_proposed(
    talk: Talk, words: str, action: str, target: str
) -> None:
    reply = await talk.say(words)
    assert _target(reply) == (action, target), reply.plain_text
    assert [button.verb for button in buttons_of(reply)] == [Verb.APPROVE, Verb.REJECT]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "kill PAYROLL",
            f"Kill is not possible: {_PAYROLL} is in ABEND. Possible now: Rerun, Cancel, Confirm SUCC.",
        ),
        ("link AGT_HR01", "Link is not possible: AGT_HR01 is in "),
        ("stop PAYROLL", f"Stop is not possible: {_PAYROLL} is in ABEND."),
    ],
)
async def test_an_illegal_action_is_refused_with_what_is_legal(
    talk: Talk, parts: Parts, words: str, said: str
) -> None:
    reply = await talk.say(words)
    assert said in reply.plain_text
    assert reply.proposal is None
    assert await parts.proposals.stats() == {}


async def test_a_missing_value_is_asked_for_and_the_next_message_gives_it(talk: Talk) -> None:
    question = await talk.say("raise the priority of GERA_HOLERITE")
    assert question.plain_text.startswith("To what priority should AGT_HR01#PAYDAILY.GERA_HOLERITE be set")
    reply = await talk.say("55")
    assert _target(reply) == ("set_priority", "AGT_HR01#PAYDAILY.GERA_HOLERITE")
    assert reply.proposal is not None
    assert reply.proposal.arguments == {"priority": "55"}


async def test_several_jobs_of_a_name_are_told_apart_and_arguments_are_kept(talk: Talk) -> None:
    question = await talk.say("rerun BACKUP_DB on the same workstation")
    assert question.agent == "clarify"
    assert buttons_of(question)[0].value.endswith("on the same workstation")


async def test_unknown_names_get_the_nearest_of_their_kind(talk: Talk) -> None:
    reply = await talk.say("link workstation AGT_POS92")
    assert "I find no workstation called AGT_POS92" in reply.plain_text
    assert buttons_of(reply)[0].value == "Link workstation AGT_POS02"
    assert [one.label for one in buttons_of(await talk.say("hold job stream PAYDAYLI"))] == ["PAYDAILY"]


@pytest.mark.parametrize(
    "words", ["rerun all failed jobs", "reexecuta todos os abendados", "rr @#@.@+state=abend,fail"]
)
async def test_many_jobs_are_proposed_on_one_card(talk: Talk, words: str) -> None:
    reply = await talk.say(words)
    assert reply.proposal is not None, reply.plain_text
    assert reply.proposal.action == "rerun"
    assert _PAYROLL in reply.proposal.targets
    assert len(reply.proposal.targets) > 5


async def test_all_failed_of_a_stream_are_only_those(talk: Talk) -> None:
    reply = await talk.say("rerun all failed of stream PAYDAILY")
    assert _target(reply) == ("rerun", _PAYROLL)
    none = await talk.say("release all held jobs of stream PAYDAILY")
    assert none.plain_text == "Release is possible for none of the 0 jobs that are meant."


async def test_what_would_happen_is_told_and_changes_nothing(talk: Talk, parts: Parts) -> None:
    reply = await talk.say("what happens if I cancel PAYROLL?")
    assert reply.plain_text.startswith(f"Cancel {_PAYROLL}? This is what it would do:")
    assert reply.proposal is None
    assert await parts.proposals.stats() == {}


async def test_a_selection_that_is_none_is_shown_with_a_mark(talk: Talk) -> None:
    reply = await talk.say("rr AGT_HR01#PAYDAILY.@+stat=abend")
    assert "^ expected one of at, " in reply.plain_text


async def test_a_selection_lists_its_jobs(talk: Talk) -> None:
    reply = await talk.say("sj AGT_HR01#PAYDAILY.@~state=abend")
    assert reply.plain_text.startswith("AGT_HR01#PAYDAILY.@~state=abend: Matching jobs: 5.")
    assert _PAYROLL not in reply.plain_text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("which prompts are asked?", "PAGTO | "),
        ("sr AGT_BKP01#FITALTO", "AGT_BKP01#FITALTO | "),
        ("quais arquivos não chegaram?", "Arquivos que os jobs estão esperando: "),
    ],
)
async def test_prompts_resources_and_files_are_listed(talk: Talk, words: str, line: str) -> None:
    assert any(row.startswith(line) for row in (await talk.say(words)).plain_text.split("\n"))


async def test_who_may_not_change_anything_gets_no_card(talk: Talk) -> None:
    reply = await talk.say("link AGT_POS02", by=VIEWER)
    assert reply.plain_text == "Your role does not allow changes to TWS."
