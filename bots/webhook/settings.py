"""Who may send alerts, and where the answers to them go."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_MIN_SECRET = 16
"""Characters of a source's secret in production."""


class WebhookSource(BaseModel):
    """One sender of alerts, such as the event rules of one engine."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    secret: SecretStr = Field(min_length=1)
    """Key of the HMAC with which the sender signs. `serve` asks for 16 characters; use 32 random ones."""
    notify: tuple[str, ...] = ()
    """Where answers to this source's alerts are posted, e.g. slack:T123:C456. None: nowhere."""


class WebhookSettings(BaseModel):
    """The webhook section; without a source nobody can send."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    sources: dict[str, WebhookSource] = Field(default_factory=dict)
    """Senders by the name in their address, POST /webhooks/{name}."""
    max_body_bytes: int = Field(default=64 * 1024, gt=0)
    """Largest alert taken, in bytes."""

    def unsafe(self) -> list[str]:
        """Why the server must not start with these settings; each sentence names a setting."""
        return [
            f"RESYNC_WEBHOOK__SOURCES: the secret of {name} has fewer than {_MIN_SECRET} characters"
            for name, source in self.sources.items()
            if len(source.secret.get_secret_value()) < _MIN_SECRET
        ]
