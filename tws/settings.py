"""How Resync reaches a TWS engine."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, SecretStr

from .credentials import Credentials

_BASE_PATH = "/twsd/api/v2"
_ENV = "RESYNC_TWS__"
"""What the variables of the one engine begin with that most installations have."""
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def _normalise_url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address, such as https://tws.example.com:31116")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or password; they have settings of their own")
    if parts.query or parts.fragment:
        raise ValueError("must not contain ? or #")
    if parts.port == 0:
        raise ValueError("has no such port")
    # Whoever copies the address may stop at the host, at /twsd or anywhere in the API's own path.
    path = re.sub(r"(/twsd(/api(/v2)?)?)?/*$", "", parts.path) + _BASE_PATH
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def _read_seconds(value: object) -> object:
    is_number = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value)
    return timedelta(seconds=float(value)) if is_number else value  # type: ignore[arg-type] # is_number says str


EngineUrl = Annotated[str, AfterValidator(_normalise_url)]
Span = Annotated[timedelta, BeforeValidator(_read_seconds), Field(gt=timedelta(0), le=timedelta(hours=1))]


class TwsSettings(BaseModel):
    """One engine, one account. An API key wins over a user and password."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str = Field(default="TWS", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")
    """What people and policies call this engine; unique among several."""
    url: EngineUrl
    """Address of the master's engine server, e.g. https://tws.example.com:31116. `/twsd/api/v2` is added where it
    is missing."""
    fallback_urls: tuple[EngineUrl, ...] = ()
    """Addresses of its backup masters, asked in this order while the master does not answer; changes go to
    whichever is the acting master."""
    username: str = ""
    """Account for HTTP Basic authentication."""
    password: SecretStr | None = None
    """Password of that account."""
    api_key: SecretStr | None = None
    """API key (JWT) made in the console; sent as a Bearer token."""
    ca_bundle: Path | None = None
    """PEM file with the certificates that sign the engine's; default: the system's."""
    allow_unverified_tls: bool = False
    """Accepts any certificate. Anyone on the way can then read the credentials."""
    write: bool = False
    """Whether Resync may change the plan at all."""
    connect_timeout: Span = timedelta(seconds=5)
    """Longest wait for a connection (seconds or ISO 8601)."""
    read_timeout: Span = timedelta(seconds=30)
    """Longest wait for a whole answer (seconds or ISO 8601)."""
    read_retries: int = Field(default=2, ge=0, le=10)
    """How often a failed read is tried again. Changes never are."""
    max_concurrent: int = Field(default=16, ge=1, le=1000)
    """How many requests may be under way at the engine at once."""
    max_waiting: int = Field(default=200, ge=0)
    """How many more may wait for their turn; further ones fail at once."""
    breaker_failures: int = Field(default=5, ge=1)
    """After so many requests without an answer in a row the engine is let alone."""
    breaker_pause: Span = timedelta(seconds=5)
    """For how long, until one request tries again."""
    fresh_for: Span = timedelta(seconds=2)
    """How long an answer to a question is given again without asking the engine."""
    stale_while_revalidate: Span = timedelta(seconds=10)
    """How old an answer may be that is given, with its age, while the engine is asked anew."""
    max_log_bytes: ByteSize = Field(default=ByteSize(512 * 1024), ge=4096)
    """How much of a job log is kept: the beginning and the end, e.g. 512KiB."""
    read_back_patience: Span = timedelta(seconds=60)
    """How long the effect of a change is waited for in the plan."""
    read_back_interval: Span = timedelta(seconds=2)
    """How often the plan is read while waiting."""

    @property
    def credentials(self) -> Credentials:
        """The account of these settings."""
        nothing = SecretStr("")
        return Credentials(
            username=self.username, password=self.password or nothing, api_key=self.api_key or nothing
        )

    @property
    def urls(self) -> tuple[str, ...]:
        """All addresses, the master's first, each once."""
        return tuple(dict.fromkeys((self.url, *self.fallback_urls)))

    def unsafe(self, prefix: str = _ENV) -> list[str]:
        """What forbids the start, each with the setting's name after the prefix; empty when safe.

        Certificates are verified unless `allow_unverified_tls` says otherwise, so that switch alone is a decision,
        but together with a CA bundle it is a contradiction.
        """
        found = self._unsafe_credentials(prefix)
        if any(url.startswith("http:") and urlsplit(url).hostname not in _THIS_MACHINE for url in self.urls):
            found.append(f"{prefix}URL: plain HTTP would send the credentials in the clear; use https")
        if self.ca_bundle is not None and self.allow_unverified_tls:
            found.append(f"{prefix}ALLOW_UNVERIFIED_TLS: would ignore {prefix}CA_BUNDLE; set one of them")
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            found.append(f"{prefix}CA_BUNDLE: there is no file {self.ca_bundle}")
        return found

    def _unsafe_credentials(self, prefix: str) -> list[str]:
        if self.api_key:
            is_sendable = re.fullmatch(r"[\x21-\x7e]+", self.api_key.get_secret_value())
            return [] if is_sendable else [f"{prefix}API_KEY: contains spaces or other characters no key has"]
        if ":" in self.username:
            return [f"{prefix}USERNAME: HTTP Basic authentication does not allow a colon"]
        if not self.username:
            return [f"{prefix}API_KEY, or {prefix}USERNAME and {prefix}PASSWORD: no credentials are set"]
        return [] if self.password else [f"{prefix}PASSWORD: is not set, although {prefix}USERNAME is"]
