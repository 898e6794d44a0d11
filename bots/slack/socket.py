"""Socket Mode: Slack's events over a connection that Resync opens, for the same listeners.

An envelope is acknowledged when its listener returns, so after the message is stored; what cannot be stored is not
acknowledged, and Slack delivers it again. Protocol: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from .settings import SlackSettings

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def listening(bolt: AsyncApp, settings: SlackSettings) -> AsyncIterator[None]:
    """Keeps a connection to Slack while the context is open; Slack may be away at the start."""
    seconds = settings.socket_ping.total_seconds()
    handler = AsyncSocketModeHandler(
        bolt,
        settings.app_token.get_secret_value(),
        web_client=AsyncWebClient(base_url=settings.api_url),
        ping_interval=seconds,
    )
    task = asyncio.create_task(_watch(handler, seconds), name="slack-socket")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await handler.client.close()  # type: ignore[no-untyped-call]


async def _watch(handler: AsyncSocketModeHandler, seconds: float) -> None:
    """Connects, and connects anew where the SDK itself did not notice for a while that nothing comes any more."""
    await handler.client.connect()  # type: ignore[no-untyped-call]
    silent = 0
    while True:
        await asyncio.sleep(seconds)
        silent = 0 if await handler.client.is_connected() else silent + 1
        if silent > 1:
            _log.warning("slack_socket_silent", rounds=silent)
            await handler.client.connect_to_new_endpoint(force=True)
            silent = 0
