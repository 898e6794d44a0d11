"""The Teams channel as one piece: what the application mounts and what it answers through."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from brain.turns.inbox import AcceptsMessages

from .adapter import TeamsAdapter, TeamsConnector
from .bot import TeamsBot
from .conversations import Patience
from .credentials import BotToken
from .outbox import TeamsOutboxes
from .routes import TeamsRoutes
from .settings import TeamsSettings
from .signing_keys import SigningKeys
from .verifier import TokenVerifier

__all__ = ["TeamsChannel", "build_channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsChannel:
    """In and out."""

    routes: TeamsRoutes
    outboxes: TeamsOutboxes


def build_channel(
    settings: TeamsSettings, session: aiohttp.ClientSession, inbox: AcceptsMessages
) -> TeamsChannel:
    """Puts the parts together; opens nothing, so there is nothing to close. The session stays the caller's."""
    verifier = TokenVerifier(
        SigningKeys(
            session,
            settings.open_id_metadata_url,
            refresh_after=settings.metadata_refresh,
            unknown_key_refresh=settings.unknown_key_refresh,
            timeout=settings.http_timeout,
        ),
        app_id=settings.app_id,
        issuer=settings.issuer,
        tenants=settings.allowed_tenants,
        service_urls=settings.service_urls,
        leeway=settings.leeway,
    )
    token = BotToken(
        session,
        token_url=settings.outbound_token_url,
        app_id=settings.app_id,
        app_password=settings.app_password,
        scope=settings.token_scope,
        timeout=settings.http_timeout,
    )
    adapter = TeamsAdapter(
        session,
        token,
        app_id=settings.app_id,
        service_urls=settings.service_urls,
        patience=Patience(attempts=settings.send_attempts, timeout=settings.http_timeout),
    )
    return TeamsChannel(
        routes=TeamsRoutes(verifier, adapter, TeamsBot(inbox), max_body_bytes=settings.max_body_bytes),
        outboxes=TeamsOutboxes(TeamsConnector(adapter)),
    )
