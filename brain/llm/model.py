"""The port to a language model: what goes in, what comes out, how it fails. Pure types."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

StopReason: TypeAlias = Literal["end", "tools", "length", "refusal"]
"""Why a model stopped: it had finished, wants tools run, ran out of tokens, or declined."""

OnDelta: TypeAlias = Callable[[str], Awaitable[None]]
"""Called with each piece of text as it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it; name and description are prompt text."""

    name: str
    """Letters, digits, `_` and `-`, at most 64: what both providers accept."""
    description: str
    json_schema: Mapping[str, Any]
    """JSON Schema of the arguments, an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What the model wants run. The arguments are JSON values, not yet checked against the schema."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMessage:
    """One message of the conversation with the model."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """Only of an assistant."""
    tool_call_id: str = ""
    """Only of a tool: the call that it answers."""
    is_error: bool = False
    """Only of a tool: whether the call was refused."""
    raw: object = None
    """Only of an assistant: `ModelTurn.raw` of the turn that it repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTurn:
    """One complete answer of the model."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    """In the order in which the model wants them."""
    stop_reason: StopReason
    input_tokens: int | None = None
    """None where the provider does not count."""
    output_tokens: int | None = None
    raw: object = field(default=None, repr=False)
    """The turn in the adapter's own form; some models want theirs back unchanged with the tools' results."""
    model: str = ""
    """The name of the model that answered."""
    stood_in: bool = False
    """Whether it did so because one that should have answered is away."""


class Model(Protocol):
    """A language model behind one provider's protocol."""

    name: str

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """Asks once; text is passed to `on_delta` as it arrives. Raises `ModelUnavailableError`."""
        ...

    async def aclose(self) -> None:
        """Closes the connections."""
        ...


class ModelUnavailableError(Exception):
    """The model gave no usable answer. The reason never holds keys, prompts or the provider's own text."""

    part: ClassVar[str] = "model"
    """What a reply that is composed without the model names as missing."""

    def __init__(self, reason: str, *, retryable: bool, retry_after_seconds: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        """Whether the same request may succeed later."""
        self.retry_after_seconds = retry_after_seconds
        """How long the provider asked to wait, 0 where it did not say."""


class ContextTooLongError(ModelUnavailableError):
    """The messages do not fit into the model; fewer words may."""

    def __init__(self) -> None:
        super().__init__("the conversation is too long for the model", retryable=False)
