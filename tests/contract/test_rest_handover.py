"""The handover over REST: each line names its record, and the record can be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.desk import Desk
from brain.incidents.incidents import Incidents, create
from security.audit import AuditEntry, AuditLog
from tests.support.brain_parts import OPERATOR
from tests.support.rest_server import rest_server


@pytest.fixture
async def number(engine: AsyncEngine) -> int:
    """An incident that was taken, and a change that was approved, with their records."""
    now, audit = datetime.now(UTC), AuditLog()
    values = {
        "engine": "TWS",
        "trouble": "job:1",
        "cause": "failed",
        "subject": "AGT01#PAYDAILY.PAYROLL",
        "severity": "high",
        "first_seen": now,
        "last_seen": now,
    }
    detail = {"proposal_id": "p1", "reason": "disk is free", "requested_by": "otto", "ticket": "CHG7"}
    entry = AuditEntry(
        actor_id="sue",
        channel="web",
        action="rerun",
        target="AGT01#PAYDAILY.PAYROLL",
        phase="before",
        detail=detail,
    )
    async with engine.begin() as connection:
        made = await create(connection, values)
    await Desk(incidents=Incidents(engine), audit=audit).step(
        made.id, "acknowledge", by=OPERATOR, channel="web"
    )
    async with engine.begin() as connection:
        await audit.append(connection, entry)
    return made.id


async def test_each_line_leads_to_its_record(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, number: int
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        viewer = await server.sign_in("viewer")
        async with server.client.get("/api/v1/handover?hours=1", headers=viewer) as response:
            assert response.status == 200
            found = await response.json()
        assert (found["zone"], found["as_of"]) == ("UTC", None)
        assert [(line["section"], line["by"], line["text"]) for line in found["lines"]] == [
            ("failed", "", f"Incident {number}: AGT01#PAYDAILY.PAYROLL failed"),
            ("done", "operator", f"Incident {number}, AGT01#PAYDAILY.PAYROLL failed: taken"),
            (
                "done",
                "sue",
                "Rerun AGT01#PAYDAILY.PAYROLL: Approved. “disk is free” (asked for by otto, CHG7)",
            ),
            (
                "open",
                "operator",
                f"Incident {number}, AGT01#PAYDAILY.PAYROLL failed: acknowledged, high, jobs that wait: 0",
            ),
        ]
        for line in found["lines"]:
            async with server.client.get(line["link"], headers=viewer) as response:
                assert response.status == 200, line
                record = await response.json()
            kind, _, seq = line["record"].partition(":")
            if kind == "incident":
                assert record["id"] == int(seq) == number
            else:
                assert (record["record"], record["row"]["seq"]) == (line["record"], int(seq))
                assert record["row"]["actor_id"] == line["by"]
        async with server.client.get("/api/v1/handover?locale=pt", headers=viewer) as response:
            assert "assumido" in (await response.json())["lines"][1]["text"]


@pytest.mark.parametrize(
    "query",
    [
        "hours=0",
        "hours=73",
        "since=2026-03-02T06:00:00",
        "since=2026-03-02T06:00:00Z&until=2026-03-02T06:00:00Z",
        "since=2026-03-02T06:00:00Z&until=2026-03-06T06:00:00Z",
        "until=0001-01-01T00:00:00Z",
        "since=9999-12-31T23:59:59Z",
        "locale=fr",
    ],
)
async def test_a_time_that_makes_no_sense_is_refused(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, query: str
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        viewer = await server.sign_in("viewer")
        async with server.client.get(f"/api/v1/handover?{query}", headers=viewer) as response:
            assert response.status == 422


async def test_nobody_reads_it_unsigned_and_no_other_row_of_the_audit_log(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, number: int
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        async with server.client.get("/api/v1/handover") as response:
            assert response.status == 401
        viewer = await server.sign_in("viewer")
        # The first row is about the incident: what it changed is an event.
        for record in ("audit-1", "audit-999", f"incident-{number}", "event-x", "event-" + "9" * 40):
            async with server.client.get(f"/api/v1/handover/records/{record}", headers=viewer) as response:
                assert response.status == 404, record
