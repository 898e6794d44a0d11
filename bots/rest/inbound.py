"""Requests to `InboundMessage`: pure."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Sender, Verb
from security.roles import Actor

from .models import ChatRequest, DecisionRequest, ExecuteRequest

__all__ = ["TENANT", "chat_message", "conversation_id_of", "decision_message", "execute_message"]

TENANT: Final = "local"
"""The web has one tenant: this installation."""

_NAMESPACE: Final = uuid.UUID("6f0d6b52-7c0e-4d67-9a3c-5c1f6f7f2f0a")
"""Arbitrary but fixed: a repeated delivery must get the same new conversation."""


def chat_message(
    body: ChatRequest, *, actor: Actor, delivery_id: str, received_at: datetime
) -> InboundMessage:
    """The message of a chat request; without a conversation id it begins a new conversation."""
    return InboundMessage(
        delivery_id=delivery_id,
        conversation=_conversation(actor, body.conversation_id or _new_id(delivery_id)),
        sender=_sender(actor),
        text=body.message,
        received_at=received_at,
        locale=body.locale,
    )


def execute_message(
    body: ExecuteRequest, *, actor: Actor, delivery_id: str, received_at: datetime
) -> InboundMessage:
    """The message that one agent, chosen by the caller, answers in a conversation of its own."""
    return InboundMessage(
        delivery_id=delivery_id,
        conversation=_conversation(actor, _new_id(delivery_id)),
        sender=_sender(actor),
        text=body.message,
        received_at=received_at,
        agent=body.agent,
        parameters=dict(body.parameters),
    )


def decision_message(
    proposal_id: str, body: DecisionRequest, *, actor: Actor, delivery_id: str, received_at: datetime
) -> InboundMessage:
    """The press on a proposal's button; each proposal is a conversation of its own."""
    return InboundMessage(
        delivery_id=delivery_id,
        conversation=_conversation(actor, f"proposal-{proposal_id}"),
        sender=_sender(actor),
        text="",
        received_at=received_at,
        button=ButtonPress(verb=Verb(body.decision), value=proposal_id, reason=body.reason),
        locale=body.locale,
    )


def conversation_id_of(message: InboundMessage) -> str:
    """The conversation id as the client knows it."""
    return message.conversation.thread_id or message.conversation.conversation_id


def _conversation(actor: Actor, conversation_id: str) -> Conversation:
    """A conversation belongs to one person: whoever sends the same id speaks in another one.

    The person is the room and the client's id the thread, so the key separates them whatever they contain.
    """
    return Conversation(
        channel=Channel.WEB, tenant=TENANT, conversation_id=actor.actor_id, thread_id=conversation_id
    )


def _sender(actor: Actor) -> Sender:
    return Sender(channel=Channel.WEB, tenant=TENANT, user_id=actor.actor_id, display_name=actor.display_name)


def _new_id(delivery_id: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, delivery_id))
