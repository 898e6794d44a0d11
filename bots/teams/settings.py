"""How the bot is registered and whom it believes."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bots.addresses import SafeUrl, is_loopback, parse_url, require_safe


class TeamsSettings(BaseModel):
    """Microsoft Teams. Without an app id the channel does not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    app_id: str = ""
    """App (client) id of the bot registration; empty switches Teams off."""
    app_password: SecretStr = SecretStr("")
    """Client secret of the bot registration."""
    tenant_id: str = ""
    """Entra tenant that issues the bot's token; `botframework.com` for an old multi-tenant bot."""
    tenant_allow_list: frozenset[str] = frozenset()
    """Tenants whose people may talk to the bot; empty means `tenant_id` alone."""
    open_id_metadata_url: SafeUrl = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    """OpenID document that names the keys of inbound tokens; differs in government clouds."""
    issuer: str = "https://api.botframework.com"
    """Issuer of inbound tokens; differs in government clouds."""
    token_url: str = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105 an address
    """Where the bot gets its own token; `{tenant}` stands for `tenant_id`."""
    token_scope: str = "https://api.botframework.com/.default"  # noqa: S105 no secret
    """Scope of the bot's own token."""
    service_url_hosts: frozenset[str] = frozenset(
        {
            "smba.trafficmanager.net",
            "smba.infra.gcc.teams.microsoft.com",
            "smba.infra.gov.teams.microsoft.us",
            "smba.infra.dod.teams.microsoft.us",
        }
    )
    """Hosts of Teams that answers, and with them the bot's token, may be sent to."""
    allow_loopback_service_url: bool = False
    """Also answer to a service URL on this machine (a local client); never to other machines."""
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    """Largest activity that is read."""
    developer_name: str = Field(default="Resync", min_length=1, max_length=32)
    """Who is named as the app's developer in the app package."""
    privacy_url: SafeUrl | None = None
    """Page about privacy that the app package names; unset: `RESYNC_REST__PUBLIC_URL`."""
    terms_url: SafeUrl | None = None
    """Page with the terms of use that the app package names; unset: `RESYNC_REST__PUBLIC_URL`."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.enabled and not (self.app_password.get_secret_value() and self.tenant_id):
            raise ValueError("app_password and tenant_id are required with app_id")
        require_safe(self.outbound_token_url)
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

    def permits(self, service_url: str) -> bool:
        """Whether the bot may send its token there: a host of Teams, matched whole, on the https port."""
        url = parse_url(service_url)
        if url is None or url.user or url.password or url.query_string or url.fragment:
            return False
        if url.scheme == "https" and url.port == 443 and url.host in self.service_url_hosts:  # noqa: PLR2004 https
            return True
        return self.allow_loopback_service_url and url.scheme in {"http", "https"} and is_loopback(url)
