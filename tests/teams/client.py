"""Microsoft 365 Agents Playground, a Teams client on this machine, in front of a bot that checks tokens.

It comes from npm when it is asked for and is no part of the project: its licence allows to evaluate with it, not to hand
it on. It sends no token, so a proxy signs what it sends as the Bot Framework channel does.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from tests.support.fake_connector import TENANT, FakeConnector
from tests.support.teams_activities import AAD_OBJECT_ID, BOT_ID

PACKAGE = "@microsoft/m365agentsplayground@0.2.28"
ALERTS_CHANNEL = "19:alerts@thread.tacv2"
_ROLES = ("Operator", "Supervisor", "Viewer", "Administrator", "Developer", "Planner")
"""Of the playground's people, who are called what they do; it wants one and five others."""
_START = 60.0
"""Seconds."""


def missing() -> list[str]:
    """Programs that are needed and not here."""
    return [name for name in ("node", "npm") if shutil.which(name) is None]


async def install(folder: Path) -> Path:
    """The package's program, installed by npm below the folder. Raises RuntimeError with npm's words."""
    command = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE)
    npm = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await npm.communicate()
    if npm.returncode:
        raise RuntimeError(f"npm cannot install {PACKAGE}: {said.decode(errors='replace').strip()}")
    return folder / "node_modules/@microsoft/m365agentsplayground/cli.js"


@dataclass(slots=True)
class SigningProxy:
    """Signs what a client sends and hands it on to the bot."""

    connector: FakeConnector
    messages_url: str
    """The bot's own endpoint."""
    activities: list[Mapping[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """HTTP statuses of the bot."""

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        activity = json.loads(body)
        self.activities.append(activity)
        token = self.connector.sign(serviceurl=activity["serviceUrl"])
        headers = {"Authorization": token, "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.messages_url, data=body, headers=headers) as answer,
        ):
            self.answers.append(answer.status)
            kind = {"content_type": answer.content_type} if answer.content_type else {}
            return web.Response(status=answer.status, body=await answer.read(), **kind)


@asynccontextmanager
async def signing_proxy(
    connector: FakeConnector, messages_url: str
) -> AsyncIterator[tuple[SigningProxy, str]]:
    """Gives the proxy and the endpoint for the client."""
    proxy = SigningProxy(connector, messages_url)
    app = web.Application()
    app.router.add_post("/api/messages", proxy.forward)
    async with TestServer(app) as server:
        yield proxy, str(server.make_url("/api/messages"))


@asynccontextmanager
async def playground(program: Path, endpoint: str, folder: Path) -> AsyncIterator[str]:
    """Runs the client for the bot's endpoint; gives the address of its page."""
    (folder / ".m365agentsplayground.yml").write_text(json.dumps(_config()))  # JSON is YAML
    port = unused_port()
    command = ("node", str(program), "start", "-e", endpoint, "-c", "msteams", "-p", str(port))
    with (folder / "playground.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            "--disable-telemetry",
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "BROWSER": "none"},
        )
        try:
            await _answers(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}/"
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answers(address: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_START), aiohttp.ClientSession() as session:
        while process.returncode is None:
            try:
                async with session.get(address) as response:
                    await response.read()
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
    raise RuntimeError("the playground ended at once")


def _config() -> dict[str, Any]:
    """Whom and what the client shows; the operator sits in front of it."""
    people = [
        {
            "id": f"29:{role.lower()}",
            "name": role,
            "userPrincipleName": f"{role.lower()}@resync.example",
            "aadObjectId": f"{AAD_OBJECT_ID[:-1]}{5 - number}",
            "givenName": role,
            "surname": "on duty",
            "email": f"{role.lower()}@resync.example",
        }
        for number, role in enumerate(_ROLES)
    ]
    return {
        "version": "0.1.1",
        "tenantId": TENANT,
        "bot": {"id": BOT_ID, "name": "Resync"},
        "currentUser": people[0],
        "users": people[1:],
        "personalChat": {"id": "a:personal"},
        "groupChat": {"id": "19:night-shift@thread.v2", "name": "Night shift"},
        "team": {
            "id": "19:operations@thread.tacv2",
            "name": "Operations",
            "aadGroupId": "00000000-0000-0000-0000-000000000031",
            "channels": [{"id": ALERTS_CHANNEL, "name": "Alerts"}],
        },
    }
