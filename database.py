"""The database with what only needs it: people, the audit log, documents, and secrets kept in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

import migrations
from bots.rest.idempotency import forget_documents
from brain.turns.withdrawal import withdraw
from embedded import embedded_postgres
from knowledge.library import Library, open_library
from security.actors import ActorDirectory
from security.audit import AuditLog
from security.passwords import Passwords
from security.secret_files import load_or_create_secret
from security.vault import Vault
from settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What commands need that touch stored data only."""

    dsn: str
    engine: AsyncEngine
    actors: ActorDirectory
    audit: AuditLog
    library: Library


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, brought up to date, and what only needs it."""
    async with AsyncExitStack() as stack:
        if settings.database_url is None:
            dsn = await stack.enter_async_context(embedded_postgres(data_dir(settings)))
        else:
            dsn = settings.database_url.get_secret_value()
        await migrations.upgrade(dsn)
        engine = open_engine(dsn, pool_size=10)
        stack.push_async_callback(engine.dispose)
        yield Database(
            dsn=dsn,
            engine=engine,
            actors=ActorDirectory(engine, Passwords(settings.security.bcrypt_rounds)),
            audit=AuditLog(),
            library=open_library(engine, settings.knowledge, on_removed=(withdraw, forget_documents)),
        )


def open_engine(dsn: str, *, pool_size: int, max_overflow: int = 10) -> AsyncEngine:
    """Connections of which none that the server closed is used; `dsn` is a plain `postgresql://` address."""
    engine = create_async_engine(
        migrations.sqlalchemy_url(dsn), pool_size=pool_size, max_overflow=max_overflow, hide_parameters=True
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def _replace_closed(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """The driver knows when a server hung up; SQLAlchemy's ping would ask three times over the wire."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def open_vault(settings: Settings) -> Vault:
    """With the configured keys, or one that is made in the data folder."""
    keys = [key.get_secret_value() for key in settings.security.vault_keys]
    return Vault(keys or [load_or_create_secret(data_dir(settings) / "vault.key")])


def data_dir(settings: Settings) -> Path:
    """The folder of what this process keeps; it is made."""
    folder = settings.data_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
