"""Settings of the REST API and the web page."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AnyHttpUrl, BaseModel, ByteSize, ConfigDict, Field

from security.settings import Rate

__all__ = ["RestSettings"]


class RestSettings(BaseModel):
    """How the REST API behaves; spans are seconds or ISO 8601 durations."""

    model_config = ConfigDict(extra="forbid")

    public_url: AnyHttpUrl | None = Field(
        default=None,
        description="Address under which clients reach this server; named in the OpenAPI document.",
    )
    max_body: ByteSize = Field(
        default=ByteSize(65_536), gt=0, description="Largest JSON body; a longer one is answered with 413."
    )
    upload_max: ByteSize = Field(
        default=ByteSize(20 * 1024 * 1024), gt=0, description="Largest document that may be uploaded."
    )
    rate: Rate = Field(
        default="300/minute",
        description="Requests of one person, or refreshes from one address; messages have a limit of their own.",
    )
    chat_wait: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        description="How long a JSON answer is waited for before 202 and the address of the turn.",
    )
    decision_wait: timedelta = Field(
        default=timedelta(seconds=90),
        gt=timedelta(0),
        description="The same for a decision, which includes reading the result back from the plan.",
    )
    stream_wait: timedelta = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        description="How long an event stream stays open without its reply.",
    )
    heartbeat: timedelta = Field(
        default=timedelta(seconds=10),
        gt=timedelta(0),
        description="Silence after which an event stream sends a comment, so that proxies keep it open.",
    )
    idempotency_for: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="How long an Idempotency-Key is remembered.",
    )
    in_flight_for: timedelta = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        description="After this a request that never finished no longer blocks its Idempotency-Key.",
    )
