"""Real services for the tests: PostgreSQL with pgvector and Valkey, embedded unless URLs are given."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from yarl import URL

import migrations
from embedded import embedded_postgres, embedded_valkey
from observability.logging import configure
from observability.settings import ObservabilitySettings
from security.masking import mask_event
from tests.support.postgres import fresh_database


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as in production: one JSON line an event, secrets masked."""
    configure(ObservabilitySettings(), mask_event)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Vendor documents and schemas that are not part of the project."""
    folder = Path(os.environ.get("RESYNC_SHARED", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"vendor documents are not here: {folder} (set RESYNC_SHARED)")
    return folder


@pytest.fixture(scope="session")
async def postgres_dsn() -> AsyncIterator[str]:
    """A plain `postgresql://` address of a migrated, empty database."""
    given = os.environ.get("RESYNC_TEST_DATABASE_URL")
    if given:
        async with fresh_database(given) as dsn:  # tests run in several processes
            await migrations.upgrade(dsn)
            yield dsn
        return
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder:
        async with embedded_postgres(Path(folder)) as dsn:
            await migrations.upgrade(dsn)
            yield dsn


@pytest.fixture(scope="session")
async def database_url(postgres_dsn: str) -> str:
    """The same address for SQLAlchemy's asyncpg dialect."""
    return migrations.sqlalchemy_url(postgres_dsn)


@pytest.fixture(scope="session")
async def shared_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def engine(shared_engine: AsyncEngine) -> AsyncEngine:
    """An engine on a database whose tables are empty."""
    tables = [table.name for metadata in migrations.metadatas() for table in metadata.sorted_tables]
    async with shared_engine.begin() as connection:
        # The audit table refuses deletions by trigger; only the database's owner may lift it, here.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in tables:
            await connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608  # our own names
    return shared_engine


@pytest.fixture(scope="session")
async def redis_url(worker_id: str) -> AsyncIterator[str]:
    given = os.environ.get("RESYNC_TEST_REDIS_URL")
    if given:
        # a database for each process that runs tests
        yield str(URL(given).with_path("/" + (re.sub(r"\D", "", worker_id) or "0")))
        return
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url
