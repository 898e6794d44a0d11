"""The migrations make exactly the tables that the code declares."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations


@pytest.mark.parametrize("number", range(len(migrations.metadatas())))
async def test_tables_are_as_declared(shared_engine: AsyncEngine, number: int) -> None:
    metadata = migrations.metadatas()[number]

    def differences(connection: Connection) -> list[object]:
        options = {
            "include_object": lambda _object, name, kind, _reflected, _other: _is_ours(metadata, name, kind)
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with shared_engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def _is_ours(metadata: MetaData, name: str | None, kind: str) -> bool:
    return kind != "table" or name in metadata.tables


async def test_upgrading_again_and_at_once_changes_nothing(postgres_dsn: str) -> None:
    await asyncio.gather(*(migrations.upgrade(postgres_dsn) for _ in range(3)))
