"""The least that a channel can be: bare slack-bolt and a bare Bot Framework adapter that acknowledge and store nothing.

`… channel_baseline SLACK_API_URL OPEN_ID_METADATA_URL`
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web
from botbuilder.core import BotFrameworkAdapter, BotFrameworkAdapterSettings, TurnContext
from botbuilder.schema import Activity
from botframework.connector.auth import ChannelValidation
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.bench.baseline import serve
from tests.support.fake_connector import APP_ID, APP_PASSWORD
from tests.support.fake_slack import TOKEN
from tests.support.slack_driver import SECRET


def _slack(app: web.Application, api_url: str) -> None:
    bolt = AsyncApp(client=AsyncWebClient(token=TOKEN, base_url=api_url), signing_secret=SECRET)

    @bolt.command("/tws")
    async def acknowledge(ack: AsyncAck) -> None:
        await ack(response_type="in_channel")

    async def receive(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app.router.add_post("/slack/events", receive)


def _teams(app: web.Application, metadata_url: str) -> None:
    ChannelValidation.open_id_metadata_endpoint = metadata_url
    adapter = BotFrameworkAdapter(BotFrameworkAdapterSettings(APP_ID, APP_PASSWORD))

    async def take(_context: TurnContext) -> None:
        """Nothing to do."""

    async def receive(request: web.Request) -> web.Response:
        activity = Activity.deserialize(await request.json())
        await adapter.process_activity(activity, request.headers["Authorization"], take)
        return web.Response(status=201)

    app.router.add_post("/api/messages", receive)


async def _serve(api_url: str, metadata_url: str) -> None:
    app = web.Application()
    _slack(app, api_url)
    _teams(app, metadata_url)
    await serve(app)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(*sys.argv[1:]))
