"""How the bot is registered and whom it believes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from .service_urls import ServiceUrls, is_loopback, parse_url

__all__ = ["TeamsSettings"]


def _is_safe_url(text: str) -> str:
    url = parse_url(text)
    if url is None or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host or ""))):
        raise ValueError("must be https, or http on this machine")
    return text


def _read_seconds(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        return timedelta(seconds=float(value))
    return value


_SafeUrl = Annotated[str, AfterValidator(_is_safe_url)]
_Span = Annotated[timedelta, BeforeValidator(_read_seconds)]
"""Seconds or ISO 8601."""


class TeamsSettings(BaseModel):
    """Microsoft Teams. Without an app id the channel does not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_id: str = Field("", description="App (client) id of the bot registration; empty switches Teams off.")
    app_password: SecretStr = Field(SecretStr(""), description="Client secret of the bot registration.")
    tenant_id: str = Field(
        "",
        description="Entra tenant that issues the bot's token; `botframework.com` for an old multi-tenant bot.",
    )
    tenant_allow_list: frozenset[str] = Field(
        frozenset(), description="Tenants whose people may talk to the bot; empty means `tenant_id` alone."
    )
    open_id_metadata_url: _SafeUrl = Field(
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="OpenID document that names the keys of inbound tokens; differs in government clouds.",
    )
    issuer: str = Field(
        "https://api.botframework.com", description="Issuer of inbound tokens; differs in government clouds."
    )
    token_url: str = Field(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        description="Where the bot gets its own token; `{tenant}` stands for `tenant_id`.",
    )
    token_scope: str = Field(
        "https://api.botframework.com/.default", description="Scope of the bot's own token."
    )
    service_url_hosts: frozenset[str] = Field(
        frozenset(
            {
                "smba.trafficmanager.net",
                "smba.infra.gcc.teams.microsoft.com",
                "smba.infra.gov.teams.microsoft.us",
                "smba.infra.dod.teams.microsoft.us",
            }
        ),
        description="Hosts of Teams that answers, and with them the bot's token, may be sent to.",
    )
    allow_loopback_service_url: bool = Field(
        default=False,
        description="Also answer to a service URL on this machine (a local client); never to other machines.",
    )
    metadata_refresh: _Span = Field(
        timedelta(hours=24),
        gt=timedelta(0),
        description="After this the keys of inbound tokens are read anew (seconds or ISO 8601).",
    )
    unknown_key_refresh: _Span = Field(
        timedelta(minutes=5),
        gt=timedelta(0),
        description="Tokens with an unknown key make the keys be read anew at most once in this time (seconds or ISO 8601).",
    )
    leeway: _Span = Field(
        timedelta(seconds=300),
        ge=timedelta(0),
        le=timedelta(seconds=300),
        description="How far the clocks of Microsoft and this machine may differ (seconds or ISO 8601).",
    )
    http_timeout: _Span = Field(
        timedelta(seconds=10),
        gt=timedelta(0),
        description="Time limit of one request to Microsoft (seconds or ISO 8601).",
    )
    send_attempts: int = Field(
        4, ge=1, le=10, description="How often a message is sent that Teams refuses as too early or too much."
    )
    max_body_bytes: int = Field(256 * 1024, ge=1024, description="Largest activity that is read.")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.enabled and not (self.app_password.get_secret_value() and self.tenant_id):
            raise ValueError("app_password and tenant_id are required with app_id")
        _is_safe_url(self.outbound_token_url)
        return self

    @property
    def enabled(self) -> bool:
        """Whether the channel exists."""
        return bool(self.app_id)

    @property
    def allowed_tenants(self) -> frozenset[str]:
        """Tenants whose people may talk to the bot."""
        return self.tenant_allow_list or frozenset({self.tenant_id})

    @property
    def outbound_token_url(self) -> str:
        """The token address for the tenant."""
        return self.token_url.replace("{tenant}", self.tenant_id)

    @property
    def service_urls(self) -> ServiceUrls:
        """Where the bot's token may be sent."""
        return ServiceUrls(hosts=self.service_url_hosts, allow_loopback=self.allow_loopback_service_url)
