"""`resync demo`: the whole product on one machine, with a simulated TWS master and a night in progress."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from bots.webhook.settings import WebhookSettings, WebhookSource
from client_settings import ClientSettings
from observability import logging
from observability.settings import ObservabilitySettings
from process import until_stopped
from security.masking import mask_event
from security.roles import Role
from tws.settings import TwsSettings
from tws.simulator.server import serve as serve_simulator
from tws.simulator.settings import SimulatorSettings

if TYPE_CHECKING:
    from security.actors import ActorDirectory
    from services import Services
    from settings import Settings

RUNBOOKS = Path(__file__).parent / "manifests" / "demo" / "runbooks"
_SERVICE_USER = "resync"
_SIMULATOR_START = timedelta(seconds=60)
_log = structlog.get_logger(__name__)


async def run_demo(settings: Settings, *, tws_port: int) -> None:
    """Runs until it is told to stop; prints `tws …` and `ready …` when each can be used."""
    from app import serving  # noqa: PLC0415  # the simulator alone needs none of it

    given = ClientSettings().demo_password
    password = secrets.token_urlsafe(9) if given is None else given.get_secret_value()
    service_password = secrets.token_urlsafe(24)
    users = {
        **{role.value: (password, role.value) for role in Role},
        _SERVICE_USER: (service_password, "service"),
    }
    async with _simulator(settings.data_dir.resolve() / "tws", tws_port, users) as tws_url:
        print(f"tws {tws_url}", flush=True)  # noqa: T201  # a line that whoever started us reads
        configured = settings.model_copy(
            update={
                "tws": TwsSettings(
                    url=tws_url, username=_SERVICE_USER, password=SecretStr(service_password), write=True
                ),
                # One person plays all parts, and scripts do too.
                "security": settings.security.model_copy(
                    update={"person_rate": "1200/minute", "login_rate": "120/minute"}
                ),
                "rest": settings.rest.model_copy(update={"rate": "3000/minute"}),
                # The simulated engine and its logs are in this zone.
                "turns": settings.turns.model_copy(update={"timezone": "America/Sao_Paulo"}),
                "webhook": WebhookSettings(sources={"tws": WebhookSource(secret=SecretStr(password))}),
            }
        )
        async with serving(configured) as (services, address):
            await _fill(services, password)
            if given is None:
                print(f"password of viewer, operator, supervisor and admin: {password}", flush=True)  # noqa: T201
            print(f"ready {address}", flush=True)  # noqa: T201  # likewise
            await until_stopped()


async def run_simulator(
    settings: SimulatorSettings, users: Mapping[str, Sequence[str]], *, ends_with_input: bool
) -> None:
    """Runs the simulated TWS alone; prints `tws …`. Raises `CatalogueError` for a broken scenario.

    `users` maps a name to password and role.
    """
    logging.configure(ObservabilitySettings(), mask_event)
    people = {name: (password, role) for name, (password, role) in users.items()}
    async with serve_simulator(settings, people) as url:
        print(f"tws {url}", flush=True)  # noqa: T201  # a line that whoever started us reads
        if ends_with_input:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await until_stopped()


async def _fill(services: Services, password: str) -> None:
    """The demo's people and runbooks; both are there already on a second start."""
    await _add_people(services.database.actors, password)
    reports = await services.database.library.ingest.ingest_paths([RUNBOOKS])
    _log.info("demo_runbooks", outcomes=sorted({report.outcome for report in reports}), count=len(reports))


async def _add_people(actors: ActorDirectory, password: str) -> None:
    for role in Role:
        known = await actors.authenticate(role.value, password)
        if known is None:
            await actors.add(role.value, role.value.capitalize(), role, password, replace=True)


@asynccontextmanager
async def _simulator(data_dir: Path, port: int, users: Mapping[str, tuple[str, str]]) -> AsyncIterator[str]:
    """Runs the simulator as a process of its own, which ends when its standard input does.

    So it ends with this process however that ends. The users travel by the same pipe: neither the command
    line nor the environment shows a password.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        "tws-sim",
        "--port",
        str(port),
        "--data-dir",
        str(data_dir),
        "--users-from-stdin",
        cwd=Path(__file__).parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(users).encode() + b"\n")
        await process.stdin.drain()
        async with asyncio.timeout(_SIMULATOR_START.total_seconds()):
            line = (await process.stdout.readline()).decode().strip()
        if not line.startswith("tws "):
            raise RuntimeError(f"the TWS simulator did not start; is port {port} free?")
        yield line.removeprefix("tws ")
    finally:
        process.stdin.close()
        await process.wait()
