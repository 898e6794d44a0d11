"""The `knowledge` section of the settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["KnowledgeSettings"]


class KnowledgeSettings(BaseModel):
    """What documents are taken and how much of the machine reading them may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_document_bytes: int = Field(
        default=20 * 1024 * 1024,
        gt=0,
        description="Largest document taken, in bytes; larger ones are rejected before they are read.",
    )
    embedding_threads: int = Field(
        default=2, ge=1, le=64, description="Threads the embedding model computes with."
    )
