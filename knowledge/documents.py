"""Documents, their passages and what a search returns: pure types."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

__all__ = ["Chunk", "Document", "IngestReport", "Passage", "SearchResult", "Section"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A parsed piece of a document: text under one heading, or of one page."""

    location: str
    """Heading path (`Restart > After a full disk`) or `page 3`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece small enough to embed, of one section."""

    position: int
    """From 0, in reading order."""
    location: str
    text: str
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
    chunks: int
    ingested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A found piece of a document."""

    document_id: str
    document_title: str
    location: str
    text: str
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
    degraded: tuple[str, ...] = ()
    """`embeddings` when the vector search was away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """How one source fared."""

    source: str
    outcome: Literal["added", "replaced", "unchanged", "rejected"]
    document_id: str | None
    chunks: int
    detail: str = ""
    """Why it was rejected."""
