"""What flows through the graph: the state of a turn, the memory of a conversation, the turn's context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict, get_type_hints

from langgraph.channels import UntrackedValue
from pydantic import AfterValidator, TypeAdapter, ValidationError

from brain.agents.grammar import Request
from brain.claims import Source
from brain.message import InboundMessage, Locale
from brain.reply import Block, Button, Citation, DecisionOutcome, ProposalView, Reply
from brain.toolbox import Toolbox


class Memory(TypedDict, total=False):
    """What a conversation remembers between turns; all that the checkpointer stores. Plain JSON values."""

    locale: Annotated[str, AfterValidator(lambda value: Locale(value).value)]
    engine: str
    """The engine last spoken of."""
    selection: str
    """The job or job stream last spoken of, as conman selects it."""
    origin: Source
    """Where its name was first read, if only there: somebody else's text."""
    candidates: list[str]
    """Names that were offered, in order: the next message may be one of them or its number."""
    sentences: list[str]
    """What is meant by each of them."""
    unfinished: str
    """A wish that lacks its value, such as a priority: the next message may be the value."""


_FIELDS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind) for name, kind in get_type_hints(Memory, include_extras=True).items()
}


def understood(stored: object) -> Memory:
    """What this release understands of a memory that any release stored; a conversation goes on without the rest."""
    found: Mapping[str, object] = stored if isinstance(stored, Mapping) else {}
    memory = Memory()
    for name in _FIELDS.keys() & found.keys():
        with suppress(ValidationError):
            memory[name] = _FIELDS[name].validate_python(found[name], strict=True)  # type: ignore[literal-required]
    return memory


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
    found: tuple[str, ...] = ()
    """The objects that it is about, in order, as conman selects them; a plan goes on with them."""
    unlisted: int = 0
    """How many more there are than `found` has."""
    cause: str = ""
    """Of a failure or a wait in one line."""
    tokens: int = 0
    """Of models, in and out."""
    is_private: bool = False
    """Only for whoever asked."""
    forgets: bool = False
    """Whether the conversation is to be forgotten."""


def status(
    *blocks: Block,
    buttons: tuple[Button, ...] = (),
    memory: Memory | None = None,
    found: Iterable[str] = (),
) -> Draft:
    """What is said about the plan."""
    return Draft(
        agent="status", blocks=blocks, buttons=buttons, memory=memory or Memory(), found=tuple(found)
    )


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
