"""The ways in and out that the settings switch on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.mail import MailOutbox
from bots.rest.outbox import WebOutboxes
from bots.webhook.outbox import HookOutbox
from brain.incidents.settings import MailServer
from brain.message import Channel, Locale
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from brain.turns.outbox import Outbox, OutboxFactory
from security.actors import Identity
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
    webhooks: Mapping[str, HookOutbox]
    mail: MailServer

    def target(self, target: str) -> Outbox | None:
        """The way to where incidents are posted: slack:T123:C456, teams:TENANT:CONVERSATION, webhook:NAME, mail:ADDRESS."""
        kind, _, place = target.partition(":")
        if kind == "webhook":
            return self.webhooks.get(place)
        if kind == "mail" and self.mail.host:
            return MailOutbox(server=self.mail, to=place)
        tenant, _, conversation_id = place.partition(":")
        if kind == "slack" and self.slack_outboxes is not None:
            return self.slack_outboxes.to_channel(tenant, conversation_id)
        if kind == "teams" and self.teams is not None:
            return self.teams.outboxes.to_conversation(tenant, conversation_id, self.locale)
        return None

    async def places_of(self, identities: Iterable[Identity]) -> tuple[str, ...]:
        """The targets of a person in private. Raises SQLAlchemy's errors when the database is away."""
        places = []
        for one in identities:
            if one.channel == Channel.SLACK and self.slack is not None:
                places.append(f"slack:{one.tenant}:{one.user_id}")
            if one.channel == Channel.TEAMS and self.teams is not None:
                chats = await self.teams.references.private(one.tenant, one.user_id)
                places += [f"teams:{one.tenant}:{chat}" for chat in chats]
        return tuple(places)


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
        webhooks={
            name: HookOutbox(session=session, url=hook.url, secret=hook.secret.get_secret_value())
            for name, hook in settings.incidents.webhooks.items()
        },
        mail=settings.incidents.mail,
    )
