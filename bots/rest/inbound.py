"""Requests to `InboundMessage`: pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from brain.message import ButtonPress, Channel, Conversation, InboundMessage, Sender, Verb
from security.roles import Actor

from .models import ChatRequest, DecisionRequest, ExecuteRequest

_TENANT: Final = "local"
"""The web has one tenant: this installation."""
_NAMESPACE: Final = uuid.UUID("6f0d6b52-7c0e-4d67-9a3c-5c1f6f7f2f0a")
"""Arbitrary but fixed: a repeated delivery must get the same new conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Who sent a request and when; a repeated request has the same id."""

    actor: Actor
    delivery_id: str
    received_at: datetime

    def message(self, text: str, conversation_id: str | None = None) -> InboundMessage:
        """A message with this text; without a conversation id it begins a new conversation.

        A conversation belongs to one person: whoever sends the same id speaks in another one. The person is
        the room and the client's id the thread, so the key separates them whatever they contain.
        """
        actor = self.actor
        thread = conversation_id or str(uuid.uuid5(_NAMESPACE, self.delivery_id))
        return InboundMessage(
            delivery_id=self.delivery_id,
            conversation=Conversation(
                channel=Channel.WEB, tenant=_TENANT, conversation_id=actor.actor_id, thread_id=thread
            ),
            sender=Sender(
                channel=Channel.WEB, tenant=_TENANT, user_id=actor.actor_id, display_name=actor.display_name
            ),
            text=text,
            received_at=self.received_at,
        )


def chat_message(body: ChatRequest, delivery: Delivery) -> InboundMessage:
    """The message of a chat request."""
    return replace(delivery.message(body.message, body.conversation_id), locale=body.locale)


def execute_message(body: ExecuteRequest, delivery: Delivery) -> InboundMessage:
    """The message that one agent, chosen by the caller, answers in a conversation of its own."""
    return replace(delivery.message(body.message), agent=body.agent, parameters=dict(body.parameters))


def decision_message(proposal_id: str, body: DecisionRequest, delivery: Delivery) -> InboundMessage:
    """The press on a proposal's button; each proposal is a conversation of its own."""
    button = ButtonPress(verb=Verb(body.decision), value=proposal_id, reason=body.reason)
    return replace(delivery.message("", f"proposal-{proposal_id}"), button=button, locale=body.locale)


def conversation_id_of(message: InboundMessage) -> str:
    """The conversation id as the client knows it."""
    return message.conversation.thread_id or message.conversation.conversation_id
