"""What can go wrong with documents and search, by what the caller can do about it.

KnowledgeError
├── StoreUnavailableError       the database did not answer (retryable)
├── EmbeddingUnavailableError   no vectors now; search goes on without them (retryable)
├── DocumentRejectedError       this file will never be taken; says why
│   └── PageGoneError           there is no such page any more
└── FilterRejectedError         the search was asked to filter by something documents do not have
"""

from __future__ import annotations

from typing import ClassVar


class KnowledgeError(Exception):
    """Root of all knowledge errors. Messages never contain document text."""

    code: ClassVar[str] = "knowledge"
    retryable: ClassVar[bool] = False


class StoreUnavailableError(KnowledgeError):
    """The database of the documents did not answer."""

    code = "knowledge_store_unavailable"
    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"the document store did not answer: {reason}")


class EmbeddingUnavailableError(KnowledgeError):
    """The embedding model cannot be loaded or run."""

    code = "embedding_unavailable"
    retryable = True

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"the embedding model {model} is not available: {reason}")
        self.model = model


class DocumentRejectedError(KnowledgeError):
    """The file is not a document this product can read; the message is the reason."""

    code = "document_rejected"


class PageGoneError(DocumentRejectedError):
    """The server has no such page."""


class FilterRejectedError(KnowledgeError):
    """A search filter names no property of a document."""

    code = "filter_rejected"

    def __init__(self, names: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(f"unknown filter {', '.join(names)}; known are {', '.join(known)}")
