"""Who may send alerts, what they look like, and who is told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from brain.incidents.sameness import Sameness

from .formats import Format

_MIN_SECRET = 16
"""Characters of a source's secret in production."""


class WebhookSource(BaseModel):
    """One sender of alerts, such as the event rules of one engine."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    secret: SecretStr = Field(min_length=1)
    """Key of the HMAC with which the sender signs, or its token. `serve` asks for 16 characters; use 32 random ones."""
    auth: Literal["hmac", "bearer"] = "hmac"
    """`bearer` for senders that cannot sign: the secret is sent as `Authorization: Bearer …`."""
    format: Format = "tws"
    """What the sender sends."""
    each: str = ""
    """Where its list of alerts is, such as `alerts`."""
    mapping: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Where the attributes of the canonical alert are: {"JobName": ["result.job"]}."""
    same: Sameness | None = None
    """By what its reports are about the same occurrence, where the format's own rule tells too many apart:
    {"fields": ["job_stream", "job"], "within": "PT1H"}."""
    notify: tuple[str, ...] = ()
    """Where incidents that this source reported are posted, e.g. slack:T123:C456 or
    teams:TENANT:CONVERSATION. None: nowhere."""


class WebhookSettings(BaseModel):
    """The webhook section; without a source nobody can send."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    sources: dict[str, WebhookSource] = Field(default_factory=dict)
    """Senders by the name in their address, POST /webhooks/{name}."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    """Largest request taken, in bytes; it may have up to 5,000 alerts."""

    def unsafe(self) -> list[str]:
        """Why the server must not start with these settings; each sentence names a setting."""
        return [
            f"RESYNC_WEBHOOK__SOURCES: the secret of {name} has fewer than {_MIN_SECRET} characters"
            for name, source in self.sources.items()
            if len(source.secret.get_secret_value()) < _MIN_SECRET
        ]
