"""What Resync answers, whatever the channel: pure types.

A reply is a list of blocks. Text is a tuple of spans, never mark-up: a channel escapes each span, so a
job called `<!channel>` or `**x**` stays inert by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from brain.message import Verb

SpanStyle: TypeAlias = Literal["plain", "strong", "code"]
ButtonStyle: TypeAlias = Literal["default", "primary", "danger"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters in one style; the text is literal in every channel."""

    text: str
    style: SpanStyle = "plain"


def strong(value: str) -> Span:
    """A span that stands out."""
    return Span(value, "strong")


def code(value: str) -> Span:
    """A span in a fixed-width face: names, message ids, statuses."""
    return Span(value, "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph."""

    spans: tuple[Span, ...]
    kind: Literal["text"] = "text"


def text(*parts: str | Span) -> Text:
    """A paragraph from strings (plain) and spans."""
    return Text(spans=tuple(Span(part) if isinstance(part, str) else part for part in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list of short paragraphs."""

    items: tuple[Text, ...]
    numbered: bool = False
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Label and value pairs, in order."""

    items: tuple[tuple[str, str], ...]
    title: str = ""
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain cells; every row is as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Lines quoted as they are, such as a piece of a job log."""

    text: str
    caption: str = ""
    kind: Literal["code"] = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a statement comes from: a document or a part of the plan."""

    document_id: str
    document_title: str
    location: str
    """Heading path or page, as a reader would look it up."""
    quote: str
    page: int | None = None
    """Where the format has pages, from 1."""
    link: str | None = None
    """Where people read the original."""

    @property
    def place(self) -> str:
        """Where to look it up, in one line."""
        page = "" if self.page is None or self.location.endswith(f" {self.page}") else f"p. {self.page}"
        return " · ".join(filter(None, (self.location, page, self.link)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Citations:
    """The sources of the reply, in the order of their numbers."""

    items: tuple[Citation, ...]
    kind: Literal["citations"] = "citations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One thing the reader can press."""

    label: str
    verb: Verb
    value: str
    """A proposal id for approve and reject, the words to say for `SAY`."""
    style: ButtonStyle = "default"
    asks_reason: bool = False
    """Whether a channel that can ask for a reason (`brain/forms.py`) does so before the press counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """A row of buttons."""

    items: tuple[Button, ...]
    kind: Literal["buttons"] = "buttons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence that must not be overlooked."""

    text: str
    level: Literal["info", "good", "warning", "danger"] = "info"
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One task of a plan."""

    title: str
    state: Literal["done", "failed", "skipped"]
    depth: int
    """1 for the parts of the request, 2 for theirs, and so on."""
    detail: str = ""
    """Why it failed or was skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How a request of several parts was worked off, as a tree: each task before its own."""

    items: tuple[StepView, ...]
    title: str = ""
    kind: Literal["steps"] = "steps"


STEP_SIGNS: Final = {"done": "✓", "failed": "✗", "skipped": "–"}

Block: TypeAlias = Annotated[
    Text | Bullets | Facts | Table | Code | Citations | Buttons | Notice | Steps, Field(discriminator="kind")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """A proposed change as the reader sees it; approving it needs only the id."""

    id: str
    action: str
    """As in `tws.actions.Action`: rerun, hold, release, …"""
    target: str
    """`workstation#stream.job`, as conman writes it; of many objects the first few."""
    consequences: tuple[str, ...]
    requires: Literal["self", "second_person"]
    expires_at: datetime
    targets: tuple[str, ...] = ()
    """All objects, in the order in which they are changed."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    ticket: str = ""
    rule: str = ""
    """Name of the policy's rule that said who must approve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    blocks: tuple[Block, ...]
    plain_text: str
    """Always filled: notifications, screen readers, the terminal, logs."""
    agent: str = ""
    proposal: ProposalView | None = None
    outcome: DecisionOutcome | None = None
    degraded: tuple[str, ...] = ()
    """What is away: `model`, `budget` (of the model), `redis`, `embeddings`, `tws`, `langfuse`."""
    is_private: bool = False
    """Only for whoever asked, where the channel can: others learn nothing, and what stands there stays."""
    is_generated: bool = False
    """Whether a language model wrote some of its words."""
    about: Mapping[str, str | int | None] | None = None
    """The incident that it shows, for programs."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All citations of the reply, in order."""
        return tuple(item for block in self.blocks if isinstance(block, Citations) for item in block.items)


DecisionState: TypeAlias = Literal[
    "running", "confirmed", "different", "unknown", "rejected", "refused", "expired"
]
"""Of `running` and `unknown` a report follows in the same conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOutcome:
    """How a decision on a proposal ended; the state comes from reading the plan, never from a model."""

    proposal_id: str
    state: DecisionState
    detail: str


_ADAPTER: TypeAdapter[Reply] = TypeAdapter(Reply)


def to_jsonable(reply: Reply) -> dict[str, object]:
    """The reply as plain JSON values, as the turn table keeps it."""
    dumped: dict[str, object] = _ADAPTER.dump_python(reply, mode="json")
    return dumped


def from_jsonable(value: object) -> Reply:
    """The reply that `to_jsonable` wrote."""
    return _ADAPTER.validate_python(value)


def to_json(reply: Reply) -> str:
    """The reply as JSON text: the `reply` event of a turn."""
    return _ADAPTER.dump_json(reply).decode()


def from_json(payload: str) -> Reply:
    """The reply that `to_json` wrote."""
    return _ADAPTER.validate_json(payload)


def to_plain(blocks: tuple[Block, ...]) -> str:
    """The blocks as plain lines, for terminals, notifications and screen readers."""
    return "\n".join(line for block in blocks for line in _plain_lines(block))


def _plain_lines(block: Block) -> list[str]:
    match block:
        case Text():
            return ["".join(span.text for span in block.spans)]
        case Bullets():
            return [
                f"{f'{number}.' if block.numbered else '-'} {''.join(span.text for span in item.spans)}"
                for number, item in enumerate(block.items, 1)
            ]
        case Facts():
            return [
                *([block.title] if block.title else []),
                *(f"{label}: {value}" for label, value in block.items),
            ]
        case Table():
            return [
                *([block.title] if block.title else []),
                " | ".join(block.columns),
                *(" | ".join(row) for row in block.rows),
            ]
        case Code():
            return [*([block.caption] if block.caption else []), *block.text.splitlines()]
        case Citations():
            # The answer quotes them above; here stands where to look them up.
            return [
                f"[{number}] {item.document_title}, {item.place}"
                for number, item in enumerate(block.items, 1)
            ]
        case Buttons():
            return ["[" + "] [".join(item.label for item in block.items) + "]"] if block.items else []
        case Notice():
            return [block.text]
        case Steps():
            return [*([block.title] if block.title else []), *map(step_line, block.items)]


def step_line(step: StepView) -> str:
    """The task on a line, set in by its depth; U+2003 keeps its width in every channel."""
    detail = f" ({step.detail})" if step.detail else ""
    inset = "\u2003" * (step.depth - 1)
    return f"{inset}{STEP_SIGNS[step.state]} {step.title}{detail}"
