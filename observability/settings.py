"""What an operator of Resync sets about logs and traces."""

from typing import Literal, Self

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, SecretStr, model_validator

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


class ObservabilitySettings(BaseModel):
    """The section `observability`; environment variables begin with `RESYNC_OBSERVABILITY__`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is logged."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object a line, or lines for people to read."""
    langfuse_host: AnyHttpUrl = AnyHttpUrl("https://cloud.langfuse.com")
    """Where Langfuse is; used when its keys are set."""
    langfuse_public_key: str | None = None
    """Langfuse project key, `pk-lf-…`."""
    langfuse_secret_key: SecretStr | None = None
    """Langfuse secret key, `sk-lf-…`."""
    langfuse_send_text: bool = False
    """Whether traces carry questions and answers; otherwise only ids, times and outcomes."""

    @model_validator(mode="after")
    def _has_both_keys_or_none(self) -> Self:
        if (self.langfuse_public_key is None) != (self.langfuse_secret_key is None):
            raise ValueError("langfuse_public_key and langfuse_secret_key are set together or not at all")
        return self

    def unsafe(self) -> list[str]:
        """Why this must not serve real people: a sentence for each problem, beginning with the setting's name."""
        is_protected = self.langfuse_host.scheme == "https" or self.langfuse_host.host in _THIS_MACHINE
        if self.langfuse_secret_key is None or is_protected:
            return []
        return ["RESYNC_OBSERVABILITY__LANGFUSE_HOST is plain HTTP: the secret key would travel unprotected"]
