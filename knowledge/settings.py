"""The `knowledge` section of the settings."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

from .documents import EVERYONE, Language, Link, Readers


class WatchedFolder(BaseModel):
    """A folder whose documents are those of the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    readers: Readers = EVERYONE


class WatchedPage(BaseModel):
    """A page that is read again from time to time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Link
    readers: Readers = EVERYONE


class EmbedderSettings(BaseModel):
    """An embedding model: a server with OpenAI's API (`url`) or files of this machine."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: str
    dimensions: int = Field(gt=0, le=4000)
    languages: frozenset[Language] = frozenset({"en", "pt"})
    url: HttpUrl | None = None
    key: SecretStr | None = None
    model_file: Path | None = None
    tokenizer_file: Path | None = None

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if (self.url is None) == (self.model_file is None or self.tokenizer_file is None):
            raise ValueError("give either url, or model_file and tokenizer_file")
        return self


class KnowledgeSettings(BaseModel):
    """What documents are taken and how much of the machine reading them may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_document_bytes: int = Field(
        default=20 * 1024 * 1024,
        gt=0,
        description="Largest document taken, in bytes; larger ones are rejected before they are read.",
    )
    max_archive_bytes: int = Field(
        default=200 * 1024 * 1024, gt=0, description="Largest ZIP file taken, in bytes, also when unpacked."
    )
    max_read_seconds: float = Field(
        default=300, gt=0, description="Longest time that reading one document may take; then it is rejected."
    )
    folders: tuple[WatchedFolder, ...] = Field(
        default=(),
        description="Folders kept in step with: JSON, a list of `path` and, if not for everybody, `readers`.",
    )
    folder_seconds: float = Field(
        default=30, gt=0, description="Seconds between two looks at the folders and pages."
    )
    pages: tuple[WatchedPage, ...] = Field(
        default=(), description="Web pages kept: JSON, a list of `url` and, if not for everybody, `readers`."
    )
    page_minutes: float = Field(default=60, gt=0, description="Minutes between two readings of a page.")
    page_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="Hosts that pages may be read from, JSON; `*.example.com` stands for all below it.",
    )
    page_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Internal networks that those hosts may be in, JSON; others are refused."
    )
    embedders: tuple[EmbedderSettings, ...] = Field(
        default=(),
        description="Embedding models, JSON: `model`, `dimensions`, `languages` and `url` with `key`, or `model_file`"
        " with `tokenizer_file`. The first is used, the others answer until it has embedded everything;"
        " none: the built-in one.",
    )
    rerank_url: HttpUrl | None = Field(
        default=None, description="Address of a `/rerank` server that puts the best passages in order."
    )
    rerank_model: str = Field(default="", description="Model that the rerank server shall use.")
    rerank_key: SecretStr | None = Field(default=None, description="Key of the rerank server.")
    embedding_threads: int = Field(
        default=2, ge=1, le=64, description="Threads the embedding model computes with."
    )
    cached_answers: int = Field(
        default=5000, ge=0, description="Answers from documents kept for the same question; 0 keeps none."
    )
    cached_answer_minutes: float = Field(
        default=1440, gt=0, description="Minutes after which a kept answer is worked out anew."
    )
