"""Settings of the REST API and the web page."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import AnyHttpUrl, BaseModel, ByteSize, ConfigDict, Field

from security.settings import Rate

_Span: TypeAlias = Annotated[timedelta, Field(gt=timedelta(0))]


class RestSettings(BaseModel):
    """How the REST API behaves; spans are seconds or ISO 8601 durations."""

    model_config = ConfigDict(extra="forbid")

    public_url: AnyHttpUrl | None = Field(
        default=None,
        description="Address under which clients reach this server; named in the OpenAPI document.",
    )
    upload_max: ByteSize = Field(
        default=ByteSize(20 * 1024 * 1024), gt=0, description="Largest document that may be uploaded."
    )
    rate: Rate = Field(
        default="300/minute",
        description="Requests of one person, or refreshes from one address; messages have a limit of their own.",
    )
    chat_wait: _Span = Field(
        default=timedelta(seconds=30),
        description="How long a JSON answer is waited for before 202 and the address of the turn.",
    )
    upload_wait: _Span = Field(
        default=timedelta(seconds=10),
        description="How long a document that was handed in is waited for before 202.",
    )
    decision_wait: _Span = Field(
        default=timedelta(seconds=90),
        description="The same for a decision, which includes reading the result back from the plan.",
    )
    stream_wait: _Span = Field(
        default=timedelta(minutes=5),
        description="How long an event stream stays open without its reply.",
    )
    heartbeat: _Span = Field(
        default=timedelta(seconds=10),
        description="Silence after which an event stream sends a comment, so that proxies keep it open.",
    )
