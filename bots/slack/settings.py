"""How the Slack app is reached and recognised."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bots.addresses import SafeUrl


class SlackSettings(BaseModel):
    """The Slack section; the channel is on when `bot_token` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bot_token: SecretStr = SecretStr("")
    """Bot token of the workspace (xoxb-…). Empty: Slack is off."""
    signing_secret: SecretStr = SecretStr("")
    """The app's signing secret, with which Slack signs each request. Required with a bot token."""
    api_url: SafeUrl = "https://slack.com/api/"
    """Address of Slack's Web API; https, or http on this machine, since the token is sent there."""
    team_allow_list: frozenset[str] = frozenset()
    """Team ids (T…) whose people may talk to Resync. Empty: any team that Slack vouches for."""
    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    """Largest request taken from Slack. A button press carries its whole message, some 100 kB."""

    @property
    def enabled(self) -> bool:
        """Whether the channel is on."""
        return bool(self.bot_token.get_secret_value())

    def allows(self, *teams: str) -> bool:
        """Whether every one of these teams may talk to Resync."""
        return not self.team_allow_list or self.team_allow_list.issuperset(teams)

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        if self.enabled and not self.signing_secret.get_secret_value().strip():
            raise ValueError("signing_secret is required when bot_token is set")
        return self
