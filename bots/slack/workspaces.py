"""The workspaces that Resync is installed to, and the token for each.

By a bot token there is one. By OAuth there are many: https://docs.slack.dev/authentication/installing-with-oauth; their
tokens may rotate: https://docs.slack.dev/authentication/using-token-rotation
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp
import structlog
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Text, TypeDecorator, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from security.vault import Vault, VaultError

from .settings import SlackSettings

SCOPES: Final = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "mpim:history",
)
"""What the bot may do; the same as in the manifest."""
_STATE_SECONDS = 600
_ROTATE_MINUTES = 120
"""Tokens that rotate are valid for 12 hours; they are renewed so long before their end."""
_SECRETS = frozenset({"bot_token", "bot_refresh_token", "user_token", "user_refresh_token"})

_log = structlog.get_logger(__name__)


class Installed(Protocol):
    """Knows the token of each workspace."""

    async def token(self, team: str) -> str | None:
        """The bot's token in the workspace; None where Resync is not installed."""
        ...

    async def forget(self, team: str) -> None:
        """Resync was removed from the workspace."""
        ...


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """By the bot token of the settings."""

    settings: SlackSettings

    async def token(self, team: str) -> str | None:  # noqa: ARG002  # whatever team: there is one
        """The token of the settings."""
        return self.settings.bot_token.get_secret_value()

    async def forget(self, team: str) -> None:
        """Whoever set the token must remove it."""
        _log.warning("slack_token_revoked", team=team)


class Workspaces:
    """By OAuth: installations are rows, whose tokens are encrypted."""

    def __init__(
        self, settings: SlackSettings, engine: AsyncEngine, vault: Vault, client: AsyncWebClient
    ) -> None:
        secret = settings.client_secret.get_secret_value()
        self._engine = engine
        self._store = _Store(settings.client_id, engine, vault)
        self._rotator = AsyncTokenRotator(client_id=settings.client_id, client_secret=secret, client=client)
        self.flow: AsyncOAuthFlow = _Flow(
            settings,
            client=client,
            settings=AsyncOAuthSettings(
                client_id=settings.client_id,
                client_secret=secret,
                scopes=SCOPES,
                redirect_uri=settings.redirect_url or None,
                installation_store=self._store,
                state_store=AsyncSQLAlchemyOAuthStateStore(_STATE_SECONDS, engine),
                state_expiration_seconds=_STATE_SECONDS,
            ),
        )

    async def token(self, team: str) -> str | None:
        """The workspace's token, renewed in time. Raises the database's errors."""
        try:
            bot = await self._find(team)
            if bot is not None and self._is_old(bot):
                bot = await self._renewed(team, bot)
        except VaultError as error:
            _log.error("slack_token_unreadable", team=team, reason=str(error))
            return None
        return None if bot is None else bot.bot_token

    async def forget(self, team: str) -> None:
        """Wipes what is stored of the workspace."""
        await self._store.async_delete_all(enterprise_id=None, team_id=team)
        _log.info("slack_installation_wiped", team=team)

    async def _find(self, team: str) -> Bot | None:
        return await self._store.async_find_bot(enterprise_id=None, team_id=team)

    def _is_old(self, bot: Bot) -> bool:
        ends = bot.bot_token_expires_at
        return ends is not None and ends < time.time() + _ROTATE_MINUTES * 60

    async def _renewed(self, team: str, old: Bot) -> Bot | None:
        """A refresh token works once, so one process at a time renews; the others read what it stored."""
        async with self._engine.begin() as lock:
            await lock.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"slack:{team}", 0))))
            bot = await self._find(team)
            if bot is None or not self._is_old(bot):
                return bot
            try:
                renewed = await self._rotator.perform_bot_token_rotation(
                    bot=bot, minutes_before_expiration=_ROTATE_MINUTES
                )
            except (SlackTokenRotationError, aiohttp.ClientError, OSError) as error:
                # The old one may still do for a while.
                _log.error("slack_token_not_renewed", team=team, error=type(error).__name__)
                return old
            if renewed is not None:
                await self._store.async_save_bot(renewed)
            return renewed or bot


class _Sealed(TypeDecorator[str]):
    """Text that is encrypted in the database."""

    impl = Text
    cache_ok = False

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else self._vault.encrypt(value)

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else self._vault.decrypt(value)


class _Store(AsyncSQLAlchemyInstallationStore):
    """One installation for each workspace, whether or not it belongs to an organisation."""

    def __init__(self, client_id: str, engine: AsyncEngine, vault: Vault) -> None:
        super().__init__(client_id, engine)
        for column in (*self.bots.c, *self.installations.c):
            if column.name in _SECRETS:
                column.type = _Sealed(vault)

    async def async_save(self, installation: Installation) -> None:
        installation.enterprise_id = None
        await super().async_save(installation)


class _Flow(AsyncOAuthFlow):
    """Takes installations of the teams that may talk to Resync."""

    def __init__(self, slack: SlackSettings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._slack = slack

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        team = installation.team_id
        if installation.is_enterprise_install or team is None or not self._slack.allows(team):
            _log.warning("slack_installation_refused", team=team)
            raise BoltError("This workspace may not install Resync.")
        await super().store_installation(request, installation)
        _log.info("slack_installed", team=team, by=installation.user_id)


def open_installed(
    settings: SlackSettings, engine: AsyncEngine, vault: Vault, session: aiohttp.ClientSession
) -> Installed:
    """One workspace or several, as the settings say."""
    if not settings.client_id:
        return OneWorkspace(settings)
    return Workspaces(settings, engine, vault, AsyncWebClient(base_url=settings.api_url, session=session))
