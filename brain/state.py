"""What flows through the graph: the state of a turn, the memory of a conversation, the turn's context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

from langgraph.channels import UntrackedValue

from brain.agents.grammar import Action, Kind, Request
from brain.message import InboundMessage, Locale
from brain.reply import Block, Button, Citation, DecisionOutcome, ProposalView, Reply
from brain.toolbox import Toolbox

__all__ = ["Draft", "Memory", "TurnContext", "TurnState"]


class Memory(TypedDict, total=False):
    """What a conversation remembers between turns; all that the checkpointer stores. Plain JSON values."""

    locale: str
    selection: str
    """The job last spoken of, as `workstation#stream.job`."""
    pending_kind: Kind
    """What a question back was about: the request's kind, to be completed by the next message."""
    pending_action: Action | None
    candidates: list[str]
    """Selections that were offered, in order: the next message may be a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a specialist found, before it becomes a reply."""

    agent: str
    blocks: tuple[Block, ...]
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    proposal: ProposalView | None = None
    outcome: DecisionOutcome | None = None
    degraded: frozenset[str] = frozenset()
    memory: Memory = field(default_factory=Memory)
    """What to remember; replaces the keys it has."""


class TurnState(TypedDict, total=False):
    """Only `memory` outlives the turn; the rest is made anew each time."""

    memory: Memory
    request: Annotated[Request, UntrackedValue]
    agent: Annotated[str, UntrackedValue]
    degraded: Annotated[frozenset[str], UntrackedValue]
    draft: Annotated[Draft, UntrackedValue]
    reply: Annotated[Reply, UntrackedValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """What a turn's nodes may use; never stored."""

    turn_id: str
    message: InboundMessage
    locale: Locale
    """The language to answer in when neither the text nor the memory tells."""
    tools: Toolbox
    progress: Callable[[str], Awaitable[None]]
    delta: Callable[[str], Awaitable[None]]
