"""How the Slack app is reached and recognised."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bots.addresses import SafeUrl


class SlackSettings(BaseModel):
    """The Slack section; the channel is on when `bot_token` or `client_id` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bot_token: SecretStr = SecretStr("")
    """Bot token of the one workspace (xoxb-…). For several, set `client_id` instead. Neither: Slack is off."""
    client_id: str = ""
    """The app's client id: workspaces install Resync themselves at `/slack/install`."""
    client_secret: SecretStr = SecretStr("")
    """The app's client secret. Required with `client_id`."""
    redirect_url: str = ""
    """Where Slack returns after an installation, `https://YOUR-ADDRESS/slack/oauth_redirect`. Empty: the app's first."""
    signing_secret: SecretStr = SecretStr("")
    """The app's signing secret, with which Slack signs each request. Required unless `app_token` is set."""
    app_token: SecretStr = SecretStr("")
    """App-level token (xapp-…): Resync calls Slack by Socket Mode, and needs no address that Slack can reach."""
    socket_ping: timedelta = Field(default=timedelta(seconds=10), gt=timedelta(0))
    """How often the connection of Socket Mode is tried (ISO 8601); after four without an answer it is made anew."""
    api_url: SafeUrl = "https://slack.com/api/"
    """Address of Slack's Web API; https, or http on this machine, since the token is sent there."""
    team_allow_list: frozenset[str] = frozenset()
    """Team ids (T…) whose people may talk to Resync. Empty: any team that Slack vouches for."""
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    """Largest request taken from Slack. A button press carries its whole message, some 100 kB."""

    @property
    def enabled(self) -> bool:
        """Whether the channel is on."""
        return bool(self.bot_token.get_secret_value() or self.client_id)

    def allows(self, *teams: str) -> bool:
        """Whether every one of these teams may talk to Resync."""
        return not self.team_allow_list or self.team_allow_list.issuperset(teams)

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        if not self.enabled:
            return self
        if not (_filled(self.signing_secret) or _filled(self.app_token)):
            raise ValueError("signing_secret (or app_token) is required when bot_token or client_id is set")
        if self.client_id and not _filled(self.client_secret):
            raise ValueError("client_secret is required when client_id is set")
        if self.client_id and self.bot_token.get_secret_value():
            raise ValueError("set bot_token for one workspace or client_id for several, not both")
        return self


def _filled(secret: SecretStr) -> bool:
    return bool(secret.get_secret_value().strip())
