"""The least that an acknowledgement can be: a bare aiohttp handler that inserts one row. `… baseline DSN`"""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import uvloop
from aiohttp import web

from process import until_stopped


async def _serve(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=10) as pool:
        await pool.execute("CREATE TABLE baseline (id bigint GENERATED ALWAYS AS IDENTITY, body text)")

        async def insert(request: web.Request) -> web.Response:
            await pool.execute("INSERT INTO baseline (body) VALUES ($1)", await request.text())
            return web.Response()

        app = web.Application()
        app.router.add_post("/", insert)
        await serve(app)


async def serve(app: web.Application) -> None:
    """Serves on a free port, says which, and goes on until it is told to stop."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"ready http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await until_stopped()
    await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_serve(sys.argv[1]))
