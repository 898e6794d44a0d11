"""Serves the simulator: settings, the application, the listening socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from .api import Api
from .master import Master
from .rights import Users

__all__ = ["SimulatorSettings", "build_app", "serve"]


class SimulatorSettings(BaseModel):
    """The simulated TWS master."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; the simulator speaks plain HTTP."
    )
    port: int = Field(
        default=31116, ge=0, le=65535, description="Port to listen on; 0 lets the system choose a free one."
    )
    data_dir: Path | None = Field(
        default=None, description="Folder of the plan's journal; without it a restart begins another plan."
    )
    seed: int = Field(default=20, description="Chooses the plan; the same seed gives the same night.")
    speed: float = Field(
        default=1.0,
        gt=0,
        description="Simulated seconds in a real second; a plan keeps the speed it began with.",
    )
    apply_delay: tuple[float, float] = Field(
        default=(1.0, 3.0),
        description="From and to: simulated seconds between the answer to an action and its effect in the plan.",
    )

    @model_validator(mode="after")
    def _delays_in_order(self) -> SimulatorSettings:
        shortest, longest = self.apply_delay
        if not 0 <= shortest <= longest:
            raise ValueError("apply_delay must be two numbers of at least 0, the smaller one first")
        return self


def _now() -> datetime:
    return datetime.now(UTC)


def build_app(
    settings: SimulatorSettings,
    users: Mapping[str, tuple[str, str]],
    *,
    api_keys: Mapping[str, tuple[str, str]] | None = None,
    clock: Callable[[], datetime] = _now,
) -> web.Application:
    """The application. `users` maps a name to password and role, `api_keys` a token to a name and its role.

    Roles are viewer (reads only), operator, supervisor, admin and service. `clock` gives aware UTC times.
    """
    master = Master(
        seed=settings.seed,
        speed=settings.speed,
        apply_delay=settings.apply_delay,
        clock=clock,
        folder=settings.data_dir,
    )
    api = Api(master, Users(users, api_keys))
    app = web.Application(middlewares=[api.guard])
    app.add_routes(api.routes())
    return app


@asynccontextmanager
async def serve(
    settings: SimulatorSettings,
    users: Mapping[str, tuple[str, str]],
    *,
    api_keys: Mapping[str, tuple[str, str]] | None = None,
    clock: Callable[[], datetime] = _now,
) -> AsyncIterator[str]:
    """Listens while the context is open; gives the URL of the REST API, e.g. `http://127.0.0.1:31116/twsd/api/v2`."""
    runner = web.AppRunner(build_app(settings, users, api_keys=api_keys, clock=clock), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://{settings.host}:{port}/twsd/api/v2"
    finally:
        await runner.cleanup()
