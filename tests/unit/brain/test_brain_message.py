"""Keys never collide, messages survive the queue, decisions wait for nobody but each other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.message import (
    ButtonPress,
    Channel,
    Conversation,
    InboundMessage,
    Sender,
    Verb,
    delivery_digest,
    from_jsonable,
    to_jsonable,
)
from tests.support.replies import conversations, messages

_MESSAGE = InboundMessage(
    delivery_id="E1",
    conversation=Conversation(channel=Channel.SLACK, tenant="T1", conversation_id="C1"),
    sender=Sender(channel=Channel.SLACK, tenant="T1", user_id="U1"),
    text="what failed?",
    received_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
)


def _pressed(verb: Verb, value: str) -> InboundMessage:
    return replace(_MESSAGE, button=ButtonPress(verb=verb, value=value))


@given(conversations, conversations)
def test_different_conversations_have_different_keys(one: Conversation, other: Conversation) -> None:
    assert (one.key == other.key) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a:b", "c", None), ("a", "b:c", None)),
        (("a%3A", "b", None), ("a:", "b", None)),
        (("a", "b", "c"), ("a", "b:c", None)),
    ],
)
def test_separators_in_ids_do_not_make_keys_equal(
    one: tuple[str, str, str | None], other: tuple[str, str, str | None]
) -> None:
    keys = {
        Conversation(channel=Channel.TEAMS, tenant=tenant, conversation_id=conversation, thread_id=thread).key
        for tenant, conversation, thread in (one, other)
    }
    assert len(keys) == 2


@given(messages)
def test_a_message_survives_the_queue(message: InboundMessage) -> None:
    assert from_jsonable(json.loads(json.dumps(to_jsonable(message)))) == message


@given(conversations, st.text(max_size=5))
def test_decisions_never_queue_with_a_conversation(conversation: Conversation, proposal_id: str) -> None:
    talk = replace(_MESSAGE, conversation=conversation)
    assert talk.order_key != _pressed(Verb.APPROVE, proposal_id).order_key


def test_decisions_on_one_proposal_queue_together_wherever_they_come_from() -> None:
    elsewhere = Conversation(channel=Channel.WEB, tenant="local", conversation_id="w1")
    approved = _pressed(Verb.APPROVE, "p1")
    rejected = replace(_pressed(Verb.REJECT, "p1"), conversation=elsewhere)
    assert approved.order_key == rejected.order_key
    assert approved.order_key != _pressed(Verb.APPROVE, "p2").order_key


def test_a_button_that_says_something_is_part_of_the_conversation() -> None:
    said = _pressed(Verb.SAY, "Rerun PAYROLL")
    assert said.order_key == _MESSAGE.order_key
    assert said.decision is None
    assert _MESSAGE.decision is None


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
def test_approve_and_reject_are_decisions(verb: Verb) -> None:
    assert _pressed(verb, "p1").decision == ButtonPress(verb=verb, value="p1")


@given(
    st.lists(st.text(alphabet="ab", max_size=2), max_size=3),
    st.lists(st.text(alphabet="ab", max_size=2), max_size=3),
)
def test_equal_parts_and_only_they_have_equal_digests(one: list[str], other: list[str]) -> None:
    one, other = one or [""], other or [""]
    assert (delivery_digest(*one) == delivery_digest(*other)) is (one == other)
