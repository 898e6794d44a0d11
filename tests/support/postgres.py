"""PostgreSQL beyond its address: databases of a test's own, and an abrupt restart."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
from sqlalchemy.engine import make_url


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
    """The address of the database that runs in a data folder of `resync`."""
    _pid, _pgdata, _start, port, folder, *_ = _postmaster(data_dir)
    return f"postgresql://postgres@/resync?host={folder}&port={port}"


async def pg_ctl(data_dir: Path, *arguments: str) -> None:
    """`pg_ctl` on the server in the data folder, as the user to whom its files belong."""
    pgdata = data_dir / "postgres"
    pid, *_ = _postmaster(data_dir)
    process = await asyncio.create_subprocess_exec(
        Path(psutil.Process(int(pid)).exe()).with_name("pg_ctl"),
        *("-D", pgdata, "-l", pgdata / "log", *arguments),
        cwd=pgdata,
        user=pgdata.owner(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0, f"pg_ctl {arguments} failed; see {pgdata / 'log'}"


def _postmaster(data_dir: Path) -> list[str]:
    """What the running server wrote down: process id, folder, start, port, folder of the socket, …"""
    return (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
