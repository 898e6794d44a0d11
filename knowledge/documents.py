"""Documents, their passages and what a search returns: pure types."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, StringConstraints

Kind: TypeAlias = Literal["document", "case", "correction"]
"""What somebody wrote, a resolved incident, an accepted correction of an answer."""

Language: TypeAlias = Literal["en", "pt"]

Outcome: TypeAlias = Literal["added", "replaced", "unchanged", "removed", "rejected"]

Link: TypeAlias = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00]{1,2000}$")]


def _tokens(value: object) -> object:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set | frozenset):
        return value
    return {text for part in parts if (text := str(part).strip().casefold())}


_Token: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^(role:(viewer|operator|supervisor|admin)|group:[^,\x00]{1,64})$")
]
Readers: TypeAlias = Annotated[frozenset[_Token], BeforeValidator(_tokens)]
"""`role:operator` (and every role above) or `group:sap`; pydantic also takes them as one text, parted by commas."""


@dataclass(frozen=True, slots=True)
class Reader:
    """On whose behalf documents are read."""

    tokens: frozenset[str] | None
    """As `Actor.readers`; None reads everything, for commands of administrators."""


EVERYONE: frozenset[str] = frozenset()
"""The readers of a document that is not restricted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What is declared of a document by whoever brings it."""

    readers: Readers = EVERYONE
    """Any of them will do."""
    language: Language | None = None
    """None: found out from the text."""
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day that it holds; later it is shown as outdated."""
    link: Link | None = None
    """Where people read the original."""
    kind: Kind = "document"
    weight: float = 1.0
    """Factor of its scores: above 1 for what has helped, below for what has not."""

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A parsed piece of a document: text under one heading, or of one page."""

    location: str
    """Heading path (`Restart > After a full disk`) or `page 3`."""
    text: str
    page: int | None = None
    """From 1, where the format has pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece small enough to embed, of one section."""

    position: int
    """From 0, in reading order."""
    section: int
    """The section it is of, from 0; its chunks in order are the section's text."""
    location: str
    text: str
    digest: str
    """Of the text that is embedded; equal texts have one vector."""
    page: int | None = None
    identifiers: frozenset[str]
    """Upper-cased message ids, job, stream and workstation names, options, file names, `RC 8` forms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A stored document."""

    id: str
    title: str
    source: str
    """Path or name it came from; the same source replaces the document."""
    media_type: str
    content_hash: str
    language: str
    readers: frozenset[str]
    valid_from: date | None
    valid_to: date | None
    link: str | None
    kind: Kind
    weight: float
    chunks: int
    ingested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A found piece of a document."""

    document_id: str
    document_title: str
    location: str
    text: str
    """The chunk that was found; `section` has the whole section."""
    section: str
    page: int | None
    link: str | None
    kind: Kind
    ingested_at: datetime
    valid_to: date | None
    score: float
    """0 to 1, higher is better; comparable within one search only."""
    matched: frozenset[Literal["identifier", "words", "vector"]] = field(default_factory=frozenset)
    """Which of the three searches found it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a question found."""

    passages: tuple[Passage, ...]
    """Best first."""
    answerable: bool
    """Whether the best passage is close enough to answer from."""
    confidence: float
    """0 to 1: how sure it is that the first passage answers, calibrated; `answerable` from a threshold on."""
    degraded: tuple[str, ...] = ()
    """`embeddings` when the vector search was away, `translation` when a question should have been translated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """How one source fared."""

    source: str
    outcome: Outcome
    document_id: str | None
    chunks: int
    detail: str = ""
    """Why it was rejected or removed, or what is missing."""
