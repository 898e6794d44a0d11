"""What travels over the REST API: requests are strict, responses are exactly the published fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from brain.message import Locale
from brain.reply import Block, Citation, DecisionState, ProposalView, Reply
from knowledge.documents import Document, Section
from observability.health import HealthStatus, PartHealth
from security.roles import Permission, Role

# PostgreSQL stores no NUL; everything else a keyboard makes is welcome.
_NO_NUL = r"^[^\x00]*$"

Message: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=_NO_NUL)
]
ShortText: TypeAlias = Annotated[str, StringConstraints(max_length=500, pattern=_NO_NUL)]
Name: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=_NO_NUL)
]
Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Request(BaseModel):
    """A body that clients send; what it does not name is refused."""

    model_config = ConfigDict(extra="forbid")

    media_type: ClassVar[str] = "application/json"


class View(BaseModel):
    """The published fields of an object that has more."""

    model_config = ConfigDict(from_attributes=True)


class LoginRequest(Request):
    """Who signs in."""

    username: Name
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class RefreshRequest(Request):
    """A refresh token to exchange."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class TokenAnswer(BaseModel):
    """A pair of tokens; `expires_in` is the access token's life in seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 a scheme, no secret
    expires_in: int
    refresh_token: str


class Me(BaseModel):
    """The person behind the token."""

    username: str
    display_name: str
    role: Role
    permissions: list[Permission]


class ChatRequest(Request):
    """One message to the assistant."""

    message: Message
    conversation_id: Id | None = None
    """Continues a conversation of the same person; without it a new one begins."""
    locale: Locale | None = None
    """Forces the language of the answer; otherwise it is read off the message."""


class ExecuteRequest(Request):
    """A message for one agent by name."""

    agent: Name
    message: Message
    parameters: dict[Name, ShortText] = Field(default_factory=dict, max_length=20)


class ReplyContent(View):
    """The channel-neutral reply."""

    plain_text: str
    blocks: list[Block]


class ChatAnswer(View):
    """The answer to a message."""

    conversation_id: str
    turn_id: str
    agent: str
    reply: ReplyContent
    citations: list[Citation]
    proposal: ProposalView | None
    degraded: list[str]
    """What is away: `model`, `redis`, `embeddings`, `tws`, `langfuse`."""

    @classmethod
    def of(cls, reply: Reply, conversation_id: str, turn_id: str) -> Self:
        """The answer that carries this reply."""
        fields = {name: getattr(reply, name, None) for name in cls.model_fields}
        return cls.model_validate(
            fields | {"reply": reply, "conversation_id": conversation_id, "turn_id": turn_id}
        )


class Decision(View):
    """How a decision ended; the state comes from reading the plan."""

    state: DecisionState
    detail: str


class TurnAnswer(ChatAnswer):
    """A turn looked up later: the answer, and the outcome where the turn was a decision."""

    outcome: Decision | None


class Running(BaseModel):
    """The answer is not there yet; `GET /api/v1/turns/{turn_id}` has it later."""

    conversation_id: str
    turn_id: str
    state: Literal["running"] = "running"


class DecisionRequest(Request):
    """What was decided on a proposal."""

    decision: Literal["approve", "reject"]
    reason: ShortText = ""
    locale: Locale | None = None


class TwsCredentials(Request):
    """Your own account in TWS: user name and password, or an API key."""

    username: Annotated[str, StringConstraints(max_length=128, pattern=r"^[^\x00:]*$")] = ""
    password: Annotated[SecretStr, Field(max_length=1024)] = SecretStr("")
    api_key: Annotated[SecretStr, Field(max_length=4096)] = SecretStr("")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        has_password = bool(self.username and self.password)
        if has_password == bool(self.api_key) or bool(self.username) != bool(self.password):
            raise ValueError("send either username and password or api_key")
        return self


class LinkCodeView(View):
    """Say it once in Slack or Teams to be known there, as `link ABCDE-FGHJK`."""

    code: str
    expires_at: datetime


class TwsIdentity(View):
    """A linked account in TWS; its secret is never shown."""

    engine: str
    account: str
    """The user name, or `API key`."""
    linked_at: datetime


class QueryRequest(Request):
    """A question to the documents."""

    query: Message
    k: Annotated[int, Field(ge=1, le=50)] = 5
    """How many passages at most."""
    filters: dict[Name, ShortText] = Field(default_factory=dict, max_length=10)


class PassageView(View):
    """A found piece of a document."""

    document_id: str
    document_title: str
    location: str
    text: str
    score: float
    """0 to 1, higher is better; comparable within one answer only."""


class QueryAnswer(BaseModel):
    """What the documents say."""

    answerable: bool
    answer: str | None
    """Sentences quoted from the best passage; null when no passage is close enough."""
    passages: list[PassageView]


class Documents(BaseModel):
    """The stored documents."""

    documents: list[Document]


class DocumentContent(BaseModel):
    """A stored document and what it says, in reading order."""

    document: Document
    passages: list[Section]


class Health(BaseModel):
    """Whether the server can do its work; `parts` is null for callers who are not signed in."""

    status: HealthStatus
    parts: dict[str, PartHealth] | None


class Stats(BaseModel):
    """What the server has done and holds."""

    turns: dict[str, int]
    """Finished turns by outcome, and the `unfinished` ones."""
    proposals: dict[str, int]
    """By state."""
    documents: int
    queue_oldest_seconds: float
    """Age of the oldest waiting turn; 0 when none waits."""


class FieldError(BaseModel):
    """A part of the request that is not valid."""

    field: str
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it; branch on `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | None = None
