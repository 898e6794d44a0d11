"""The database's schema: our tables by Alembic, the queue's and the checkpointer's by their libraries."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import asyncpg
import psycopg
from alembic import command
from alembic.config import Config
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from pgqueuer import AsyncpgDriver, Queries
from sqlalchemy import MetaData
from sqlalchemy.engine import make_url

__all__ = ["metadatas", "sqlalchemy_url", "upgrade"]

_PACKAGES_WITH_TABLES = ("brain", "knowledge", "tws", "security", "bots.rest", "bots.teams")
_LOCK = 0x7265_7379_6E63
"""Advisory lock of schema changes, so that replicas that start together take turns."""


def metadatas() -> list[MetaData]:
    """The metadata of every package that has tables."""
    return [importlib.import_module(f"{package}.tables").metadata for package in _PACKAGES_WITH_TABLES]


def sqlalchemy_url(dsn: str) -> str:
    """The address for SQLAlchemy's asyncpg dialect."""
    return make_url(dsn).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


async def upgrade(dsn: str) -> None:
    """Brings the schema up to date; safe to run from several processes at once.

    `dsn` is a plain `postgresql://` address. Raises asyncpg's errors when the database is away.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await asyncio.to_thread(command.upgrade, _config(dsn), "head")
        queue = Queries(AsyncpgDriver(connection))
        if await queue.has_table("pgqueuer"):
            await queue.upgrade()
        else:
            await queue.install()
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as checkpoints:
            await AsyncPostgresSaver(checkpoints).setup()  # type: ignore[arg-type]  # its rows are unused here
    finally:
        await connection.close()


def _config(dsn: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = sqlalchemy_url(dsn)
    return config
