"""The whole product on one scenario: a simulated master whose clock stands still, and messages to the real inbox."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from pydantic import SecretStr

from brain.message import Alert, Channel, Conversation, InboundMessage, Sender
from brain.reply import Reply, from_json
from services import Services, open_services
from settings import Settings
from tws.mirror.poller import Mirror
from tws.settings import TwsSettings
from tws.simulator.server import serve
from tws.simulator.settings import SimulatorSettings

from .case import Case, scenario_of
from .observed import Observer

_PATIENCE = timedelta(seconds=150)
_SERVICE, _OBSERVER = "resync", "observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The last answer of a case, and how long each of its answers took."""

    reply: Reply
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A scenario with the product on it."""

    services: Services
    observer: Observer
    secret: str
    """The password of the product's own account; no answer may have it."""

    async def ask(self, case: Case) -> Answered:
        """Says the messages of the case, in a conversation of its own. Raises TimeoutError."""
        conversation, seconds = uuid.uuid4().hex, []
        for words in case.messages:
            began = time.perf_counter()
            accepted = await self.services.inbox.accept(_message(case, words, conversation))
            reply = await self._reply(accepted.turn_id)
            seconds.append(time.perf_counter() - began)
        return Answered(reply=reply, seconds=tuple(seconds))

    async def _reply(self, turn_id: str) -> Reply:
        async for event in self.services.events.follow(turn_id, patience=_PATIENCE):
            if event.kind == "reply":
                return from_json(event.data)
        raise TimeoutError


@asynccontextmanager
async def staged(settings: Settings, scenario: str) -> AsyncIterator[Stage]:
    """Opens the product on the scenario; `settings` name the database that it shares with the other scenarios.

    The clocks of simulator and answers differ by as long as the scenario takes, a fraction of a minute.
    """
    secret, now = secrets.token_urlsafe(24), datetime.now(UTC)
    users = {_SERVICE: (secret, "service"), _OBSERVER: (secret, "viewer")}
    simulated = SimulatorSettings(port=0, scenario=scenario_of(scenario))
    async with serve(simulated, users, clock=lambda: now) as tws_url:
        engine = TwsSettings(
            name=_engine_name(scenario),
            url=tws_url,
            username=_SERVICE,
            password=SecretStr(secret),
            write=True,
        )
        login = {"Authorization": aiohttp.encode_basic_auth(_OBSERVER, secret)}
        async with (
            open_services(settings.model_copy(update={"tws": engine, "more_tws": {}})) as services,
            aiohttp.ClientSession(headers=login) as session,
        ):
            await asyncio.gather(*(one.poll() for one in services.rounds if isinstance(one, Mirror)))
            services.start()
            yield Stage(services=services, observer=Observer(session, tws_url), secret=secret)
            await services.stop()


def _engine_name(scenario: str) -> str:
    return "E-" + scenario.replace(".", "-")


def _message(case: Case, words: str, conversation: str) -> InboundMessage:
    channel = Channel.WEBHOOK if case.group.alert else Channel.WEB
    return InboundMessage(
        delivery_id=uuid.uuid4().hex,
        conversation=Conversation(channel=channel, tenant="local", conversation_id=conversation),
        sender=Sender(channel=channel, tenant="local", user_id=case.group.role),
        text="" if case.group.alert else words,
        received_at=datetime.now(UTC),
        alert=Alert(**case.group.alert, text=words) if case.group.alert else None,  # type: ignore[arg-type]  # texts all
        locale=case.lang if case.group.alert else None,
    )
