"""What a person or a machine sent, whatever the channel: pure types."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter


class Channel(StrEnum):
    """The ways in and out. The web page, the terminal and any REST client share `WEB`."""

    TEAMS = "teams"
    SLACK = "slack"
    WEB = "web"
    WEBHOOK = "webhook"


class Locale(StrEnum):
    """The languages Resync answers in."""

    EN = "en"
    PT = "pt"


class Verb(StrEnum):
    """What a button does. `SAY` sends the button's value as if the person had typed it."""

    APPROVE = "approve"
    REJECT = "reject"
    REPORT = "report"
    """On no button: Resync itself asks to tell what became of a proposal that was decided before."""
    SAY = "say"
    RATE = "rate"
    """What somebody thinks of an answer: the value is `good` or `bad`, a colon and the id of its turn."""
    WHY = "why"
    """Why an answer is as it is; the value is the id of its turn."""


_DECISIONS = frozenset({Verb.APPROVE, Verb.REJECT, Verb.REPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Where something was said; `key` is the only builder of keys from it."""

    channel: Channel
    tenant: str
    """Slack team id, Entra tenant id, or `local` for the web."""
    conversation_id: str
    thread_id: str | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """The chat or channel, whatever the thread."""
        return self.channel, self.tenant, self.conversation_id

    @property
    def key(self) -> str:
        """One conversation, one key: lock, LangGraph thread, logs.

        Parts are escaped, so different conversations never share a key.
        """
        parts = (self.channel, self.tenant, self.conversation_id, self.thread_id or "")
        return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent it: what the channel vouches for and nothing more."""

    channel: Channel
    tenant: str
    user_id: str
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPress:
    """A press on a button that a `Reply` carried.

    For `APPROVE` and `REJECT` the value is a proposal id and nothing else: all data in a press comes
    from the client, so everything but the id is looked up.
    """

    verb: Verb
    value: str
    reason: str = ""
    message_id: str | None = None
    """The channel's id of the message that carried the button, so that it can be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a scheduler's event said, as a hint: the state is read again from TWS."""

    event: str
    job: str = ""
    job_stream: str = ""
    job_stream_workstation: str = ""
    workstation: str = ""
    engine: str = ""
    internal_status: str = ""
    return_code: int | None = None
    happened_at: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One thing to answer: a text, a button press or an alert."""

    delivery_id: str
    """The channel's own id of this delivery; unique per channel and tenant."""
    conversation: Conversation
    sender: Sender
    text: str
    received_at: datetime
    button: ButtonPress | None = None
    alert: Alert | None = None
    locale: Locale | None = None
    """The language the client asked for; otherwise it is read off the text."""
    agent: str | None = None
    """Forces one agent (`/api/v1/agents/execute`)."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    route: Mapping[str, str] = field(default_factory=dict)
    """The channel's own way back (a conversation reference, a thread); opaque to the brain."""

    @property
    def order_key(self) -> str:
        """Messages with the same key are handled one after the other, in the order they came.

        Decisions queue per proposal, so that waiting for a plan to change never holds up a conversation.
        """
        decision = self.decision
        return self.conversation.key if decision is None else f"proposal:{decision.value}"

    @property
    def decision(self) -> ButtonPress | None:
        """The press on Approve or Reject, or the report on one, that this is; None for anything else."""
        is_decision = self.button is not None and self.button.verb in _DECISIONS
        return self.button if is_decision else None


_ADAPTER: TypeAdapter[InboundMessage] = TypeAdapter(InboundMessage)


def to_jsonable(message: InboundMessage) -> dict[str, object]:
    """The message as plain JSON values, for the durable queue."""
    dumped: dict[str, object] = _ADAPTER.dump_python(message, mode="json")
    return dumped


def from_jsonable(value: object) -> InboundMessage:
    """The message that `to_jsonable` wrote. Raises pydantic's `ValidationError` on anything else."""
    return _ADAPTER.validate_python(value)


def delivery_digest(*parts: str) -> str:
    """A delivery id for channels that have none: the same parts give the same id."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
