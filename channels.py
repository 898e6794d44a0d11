"""The ways in and out that the settings switch on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.rest.outbox import WebOutboxes
from brain.message import Channel, Locale
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from brain.turns.outbox import Outbox, OutboxFactory
from security.vault import Vault
from settings import Settings

if TYPE_CHECKING:
    from bots.slack.outbox import SlackOutboxes
    from bots.slack.workspaces import Installed
    from bots.teams.routes import TeamsChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """What of Slack and Teams there is; the web is always there."""

    slack: Installed | None
    slack_outboxes: SlackOutboxes | None
    teams: TeamsChannel | None
    outboxes: Mapping[Channel, OutboxFactory]
    """What is found about an incident is kept for its card and for readers, as if the web had asked."""
    locale: Locale
    """Of what is posted without being asked."""

    def target(self, target: str) -> Outbox | None:
        """The way to where incidents are posted: slack:T123:C456, or teams:TENANT:CONVERSATION."""
        kind, _, place = target.partition(":")
        tenant, _, conversation_id = place.partition(":")
        if kind == "slack" and self.slack_outboxes is not None:
            return self.slack_outboxes.to_channel(tenant, conversation_id)
        if kind == "teams" and self.teams is not None:
            return self.teams.outboxes.to_conversation(tenant, conversation_id, self.locale)
        return None


def open_channels(
    settings: Settings,
    session: aiohttp.ClientSession,
    engine: AsyncEngine,
    *,
    vault: Vault,
    inbox: Inbox,
    events: TurnEvents,
) -> Channels:
    """Opens nothing that must be closed; the session stays the caller's."""
    web = WebOutboxes(events)
    outboxes: dict[Channel, OutboxFactory] = {Channel.WEB: web, Channel.WEBHOOK: web}
    slack = slack_outboxes = teams = None
    if settings.slack.enabled:
        from bots.slack.outbox import SlackOutboxes  # noqa: PLC0415  # the SDKs are loaded where they are used
        from bots.slack.workspaces import open_installed  # noqa: PLC0415  # likewise

        slack = open_installed(settings.slack, engine, vault, session)
        outboxes[Channel.SLACK] = slack_outboxes = SlackOutboxes(settings.slack, session, slack)
    if settings.teams.enabled:
        from bots.teams.routes import build_channel  # noqa: PLC0415  # likewise

        teams = build_channel(settings.teams, session, inbox, engine)
        outboxes[Channel.TEAMS] = teams.outboxes
    return Channels(
        slack=slack,
        slack_outboxes=slack_outboxes,
        teams=teams,
        outboxes=outboxes,
        locale=settings.turns.locale,
    )
