"""The whole product in this process, on real services and loopback vendors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from app import serving
from demo import RUNBOOKS
from security.roles import Role
from services import Services
from settings import Settings
from tests.support.simulator import PASSWORD
from tws.mirror.plans import Plans
from tws.settings import TwsSettings

WEBHOOK_SECRET = "a secret of thirty-two characters"
_FIRST_PLAN_SECONDS = 15
_OPERATOR = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}


@dataclass(frozen=True, slots=True)
class Client:
    """One logged-in person at the REST API."""

    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(path) as response:
            return response.status, await response.json(content_type=None)

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        async with self.session.post(path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def ask(self, message: str, conversation_id: str | None = None) -> dict[str, Any]:
        body = {"message": message} | ({"conversation_id": conversation_id} if conversation_id else {})
        status, answer = await self.post("/api/v1/chat", body)
        assert status == 200, answer
        return dict(answer)

    async def decide(self, proposal_id: str, decision: str, reason: str = "") -> tuple[int, Any]:
        path = f"/api/v1/proposals/{proposal_id}/decision"
        return await self.post(path, {"decision": decision, "reason": reason})


@dataclass(frozen=True, kw_only=True)
class Server:
    """How to reach a running server and its simulator; everybody's password is the simulator's."""

    address: str
    tws_url: str

    @asynccontextmanager
    async def client(self, user: str | None) -> AsyncIterator[Client]:
        """A client of the REST API, logged in as the user, or as nobody."""
        async with aiohttp.ClientSession(self.address) as session:
            if user is not None:
                body = {"username": user, "password": PASSWORD}
                async with session.post("/api/v1/auth/login", json=body) as response:
                    assert response.status == 200, await response.text()
                    token = (await response.json())["access_token"]
                session.headers["Authorization"] = f"Bearer {token}"
            yield Client(session)

    async def simulated(self, path: str) -> Any:
        """What the simulator itself says, past Resync."""
        root = self.tws_url.removesuffix("/twsd/api/v2")
        base = root if path.startswith("/sim/") else self.tws_url
        async with (
            aiohttp.ClientSession(headers=_OPERATOR) as session,
            session.get(base + path) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()

    async def runs_of(self, job: str, job_stream: str) -> list[dict[str, Any]]:
        """The runs of a job as the simulator has them, oldest first."""
        oql = f"name = '{job}' AND jobStreamName = '{job_stream}'"
        async with (
            aiohttp.ClientSession(headers=_OPERATOR) as session,
            session.get(f"{self.tws_url}/plan/job", params={"oql": oql}) as response,
        ):
            (found,) = (await response.json())["results"]
        return list(found["jobruns"])


@dataclass(frozen=True, kw_only=True)
class Resync(Server):
    """A server in this process."""

    services: Services


@asynccontextmanager
async def running_resync(
    *, dsn: str, redis_url: str, tws_url: str, data_dir: Path, **sections: Any
) -> AsyncIterator[Resync]:
    """Serves on a free port with the demo's people (all with the simulator's password) and runbooks."""
    settings = Settings(
        _env_file=None,
        port=0,
        data_dir=data_dir,
        database_url=SecretStr(dsn),
        redis_url=SecretStr(redis_url),
        tws=TwsSettings(
            url=tws_url,
            username="resync",
            password=SecretStr(PASSWORD),
            write=True,
            read_back_interval=0.1,
            read_retries=0,
        ),
        **{"security": {"person_rate": "1000/minute", "login_rate": "1000/minute", "bcrypt_rounds": 10}}
        | sections,
    )
    async with serving(settings) as (services, address):
        for role in Role:
            await services.database.actors.add(role, role.capitalize(), role, PASSWORD, replace=True)
        await services.database.library.ingest.ingest_paths([RUNBOOKS])
        await _read_plan(services)
        yield Resync(address=address, tws_url=tws_url, services=services)


async def _read_plan(services: Services) -> None:
    """Waits until the plan was read for the first time, unless nobody reads it or there is none."""
    settings = services.settings
    plans = Plans(services.database.engine, fresh_for=timedelta(0))
    for _ in range(_FIRST_PLAN_SECONDS * 20 if settings.run_worker else 0):
        if await plans.current(settings.engines[0].name) is not None:
            return
        await asyncio.sleep(0.05)
