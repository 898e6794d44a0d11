"""The audit chain, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from security.audit import AuditEntry, AuditLog
from security.tables import audit_log

_LOG = AuditLog()
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_DETAILS = st.dictionaries(
    _TEXTS,
    st.recursive(
        st.none() | st.booleans() | st.integers() | _TEXTS,
        lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner),
        max_leaves=8,
    ),
)
_WITH_ONE_DATABASE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _entry(number: int = 1, **changes: Any) -> AuditEntry:
    known: dict[str, Any] = {
        "actor_id": "ana",
        "channel": "slack",
        "action": "rerun",
        "target": f"WKS#STREAM.JOB{number}",
        "phase": "before",
    }
    return AuditEntry(**known | changes)


async def _append(engine: AsyncEngine, count: int) -> None:
    async with engine.begin() as connection:
        for number in range(count):
            await _LOG.append(connection, _entry(number))


async def _tamper(connection: AsyncConnection, statement: Any) -> None:
    # Only the owner of the database can lift the trigger; that is whom the chain is for.
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    await connection.execute(statement)


async def test_an_empty_log_is_intact(engine: AsyncEngine) -> None:
    verdict = await _LOG.verify(engine)
    assert verdict.intact
    assert verdict.rows == 0


async def test_appended_rows_hold_and_are_numbered_from_one(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert [await _LOG.append(connection, _entry(number)) for number in range(3)] == [1, 2, 3]
        last = await connection.scalar(select(audit_log.c.hash).where(audit_log.c.seq == 3))
    verdict = await _LOG.verify(engine)
    assert verdict.intact
    assert verdict.rows == 3
    assert verdict.head == last


@_WITH_ONE_DATABASE
@given(target=_TEXTS, detail=_DETAILS)
async def test_whatever_is_recorded_holds(engine: AsyncEngine, target: str, detail: dict[str, Any]) -> None:
    async with engine.begin() as connection:
        await _LOG.append(connection, _entry(target=target, detail=detail))
    assert (await _LOG.verify(engine)).intact


@pytest.mark.parametrize("value", [1e22, -0.0, "\0", "\ud800"])
async def test_what_storage_would_change_is_refused(engine: AsyncEngine, value: object) -> None:
    with pytest.raises((ValueError, DBAPIError)):
        async with engine.begin() as connection:
            await _LOG.append(connection, _entry(detail={"value": value}))
    assert (await _LOG.verify(engine)).rows == 0


async def test_a_rolled_back_entry_leaves_no_gap(engine: AsyncEngine) -> None:
    await _append(engine, 1)
    async with engine.connect() as connection:
        await _LOG.append(connection, _entry())
        await connection.rollback()
    await _append(engine, 1)
    verdict = await _LOG.verify(engine)
    assert verdict.intact
    assert verdict.rows == 2


async def test_appends_at_the_same_moment_form_one_chain(engine: AsyncEngine) -> None:
    await asyncio.gather(*(_append(engine, 3) for _ in range(5)))
    verdict = await _LOG.verify(engine)
    assert verdict.intact
    assert verdict.rows == 15


_CHANGES: dict[str, Any] = {
    "at": text("at + interval '1 microsecond'"),
    "actor_id": "bia",
    "channel": "teams",
    "action": "cancel",
    "target": "WKS#OTHER.JOB",
    "phase": "after",
    "detail": {"x": 1},
    "prev_hash": "f" * 64,
    "hash": "f" * 64,
}


def test_every_column_is_tampered_with_below() -> None:
    assert {"seq", *_CHANGES} == set(audit_log.c.keys())


@_WITH_ONE_DATABASE
@given(seq=st.integers(1, 6), column=st.sampled_from(sorted(_CHANGES)))
async def test_a_changed_row_is_named(engine: AsyncEngine, seq: int, column: str) -> None:
    async with engine.begin() as connection:
        await _tamper(connection, delete(audit_log))
    await _append(engine, 6)
    async with engine.begin() as connection:
        await _tamper(
            connection, update(audit_log).where(audit_log.c.seq == seq).values({column: _CHANGES[column]})
        )
    verdict = await _LOG.verify(engine)
    assert verdict.first_broken == seq
    assert verdict.rows == seq - 1


@pytest.mark.parametrize("seq", [1, 3])
async def test_a_missing_row_is_named(engine: AsyncEngine, seq: int) -> None:
    await _append(engine, 4)
    async with engine.begin() as connection:
        await _tamper(connection, delete(audit_log).where(audit_log.c.seq == seq))
    assert (await _LOG.verify(engine)).first_broken == seq


async def test_a_slipped_in_row_is_named(engine: AsyncEngine) -> None:
    await _append(engine, 2)
    async with engine.begin() as connection:
        row = (await connection.execute(select(audit_log).where(audit_log.c.seq == 2))).mappings().one()
        await _tamper(connection, insert(audit_log).values({**row, "seq": 3}))
    assert (await _LOG.verify(engine)).first_broken == 3


async def test_a_cut_end_changes_the_head(engine: AsyncEngine) -> None:
    await _append(engine, 3)
    before = await _LOG.verify(engine)
    async with engine.begin() as connection:
        await _tamper(connection, delete(audit_log).where(audit_log.c.seq == 3))
    after = await _LOG.verify(engine)
    assert after.intact
    assert after.head != before.head


@pytest.mark.parametrize(
    "change", ["UPDATE audit_log SET target = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_the_server_refuses_to_change_the_log(engine: AsyncEngine, change: str) -> None:
    await _append(engine, 2)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(change))
    verdict = await _LOG.verify(engine)
    assert verdict.intact
    assert verdict.rows == 2
