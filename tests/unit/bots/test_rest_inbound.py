"""Requests become messages that keep people and conversations apart."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bots.rest.inbound import Delivery, chat_message, conversation_id_of, decision_message, execute_message
from bots.rest.models import ChatRequest, DecisionRequest, ExecuteRequest
from brain.message import ButtonPress, Channel, InboundMessage, Locale, Verb
from security.roles import Actor, Role

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def _delivery(actor_id: str = "ana", delivery_id: str = "d1") -> Delivery:
    actor = Actor(actor_id=actor_id, display_name="Ana Souza", role=Role.OPERATOR)
    return Delivery(actor=actor, delivery_id=delivery_id, received_at=NOW)


def _chat(conversation_id: str | None, *, actor_id: str = "ana", delivery_id: str = "d1") -> InboundMessage:
    body = ChatRequest(message="why?", conversation_id=conversation_id)
    return chat_message(body, _delivery(actor_id, delivery_id))


def test_the_sender_is_who_the_token_names() -> None:
    message = _chat("c1")
    assert message.sender.channel is Channel.WEB
    assert message.sender.user_id == "ana"
    assert message.sender.display_name == "Ana Souza"
    assert message.text == "why?"
    assert message.received_at == NOW


def test_a_conversation_id_continues_the_conversation() -> None:
    assert _chat("c1", delivery_id="d1").conversation == _chat("c1", delivery_id="d2").conversation
    assert conversation_id_of(_chat("c1")) == "c1"


def test_without_an_id_each_delivery_begins_a_conversation_and_a_repeated_one_the_same() -> None:
    assert _chat(None, delivery_id="d1").conversation == _chat(None, delivery_id="d1").conversation
    assert _chat(None, delivery_id="d1").conversation != _chat(None, delivery_id="d2").conversation


@given(
    first=st.tuples(st.text(min_size=1), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
    second=st.tuples(st.text(min_size=1), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
)
def test_two_people_never_share_a_conversation(first: tuple[str, str], second: tuple[str, str]) -> None:
    keys = {_chat(conversation, actor_id=actor).conversation.key for actor, conversation in (first, second)}
    assert len(keys) == len({first, second})


def test_a_decision_is_a_press_on_the_proposals_button() -> None:
    body = DecisionRequest(decision="reject", reason="not tonight", locale=Locale.PT)
    message = decision_message("p1", body, _delivery())
    assert message.button == ButtonPress(verb=Verb.REJECT, value="p1", reason="not tonight")
    assert message.text == ""
    assert message.locale is Locale.PT
    assert message.order_key == "proposal:p1"


def test_executing_names_the_agent_and_its_parameters() -> None:
    body = ExecuteRequest(agent="status", message="what failed?", parameters={"workstation": "PAY01"})
    message = execute_message(body, _delivery())
    assert message.agent == "status"
    assert message.parameters == {"workstation": "PAY01"}
