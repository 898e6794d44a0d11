"""The board shows each change to everybody who watches; the figures are those of the records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.rest.settings import RestSettings
from brain.incidents.alerts import Alerts, Report
from brain.incidents.desk import Desk
from brain.incidents.figures import Span, read_figures
from brain.incidents.incidents import Incidents, step
from brain.message import Alert
from security.audit import AuditLog
from tests.support.brain_parts import OPERATOR
from tests.support.rest_server import rest_server
from tests.support.told import opened

_EVENTS = {"Accept": "text/event-stream"}


async def _boards(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in response.content:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


async def test_everybody_who_watches_sees_each_change(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    desk = Desk(incidents=Incidents(engine), audit=AuditLog())
    settings = RestSettings(heartbeat=timedelta(seconds=1))
    async with rest_server(engine, postgres_dsn, redis_url, works=False, settings=settings) as server:
        viewer = await server.sign_in("viewer")
        path, headers = "/api/v1/board", {**viewer, **_EVENTS}
        first = await opened(engine, "FIRST")
        async with (
            asyncio.timeout(20),
            server.client.get(path, headers=headers) as one,
            server.client.get(path, headers=headers) as other,
        ):
            assert one.content_type == "text/event-stream"
            watching, also = _boards(one), _boards(other)
            assert [each["id"] for each in (await anext(watching))["incidents"]] == [first.id]
            await anext(also)
            second = await opened(engine, "SECOND")
            for boards in (watching, also):
                assert {each["id"] for each in (await anext(boards))["incidents"]} == {first.id, second.id}
            await desk.step(first.id, "acknowledge", by=OPERATOR, channel="rest")
            for boards in (watching, also):
                states = {each["id"]: each["assignee"] for each in (await anext(boards))["incidents"]}
                assert states == {first.id: "operator", second.id: None}
        await desk.step(second.id, "resolve", by=OPERATOR, channel="rest")
        async with server.client.get(path, headers=viewer) as response:
            found = (await response.json())["incidents"]
            assert [(each["id"], each["state"]) for each in found] == [
                (first.id, "acknowledged"),
                (second.id, "resolved"),
            ]


async def test_a_stream_ends_so_that_rights_are_looked_at_again(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    settings = RestSettings(heartbeat=timedelta(seconds=0.2), stream_wait=timedelta(seconds=0.5))
    async with rest_server(engine, postgres_dsn, redis_url, works=False, settings=settings) as server:
        headers = {**await server.sign_in("viewer"), **_EVENTS}
        async with asyncio.timeout(10), server.client.get("/api/v1/board", headers=headers) as response:
            whole = await response.text()
        assert whole.count("event: board") == 1
        assert ": still working" in whole
        async with server.client.get("/api/v1/board", headers=_EVENTS) as response:
            assert response.status == 401


async def test_the_figures_are_those_of_the_records(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    desk, alerts = Desk(incidents=Incidents(engine), audit=AuditLog()), Alerts(engine)
    taken, alone, _still = [await opened(engine, job) for job in ("TAKEN", "ALONE", "STILL")]
    reports = [Report(name, Alert(event="x", job=name)) for name in ("a", "b", "c")]
    await alerts.accept("tws", [*reports, *reports])
    await desk.step(taken.id, "acknowledge", by=OPERATOR, channel="rest")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alerts SET incident_id = :id"), {"id": taken.id})
        for incident in (taken, alone):
            found = await Incidents(engine).get(incident.id)
            assert found is not None
            await step(connection, found, "resolve")
        # As if all had begun an hour ago, and the one was acknowledged after ten minutes.
        for statement in (
            "UPDATE incidents SET first_seen = now() - interval '1 hour', ended_at = now() WHERE ended_at IS NOT NULL",
            "UPDATE incident_events SET at = now() - interval '50 minutes' WHERE kind = 'acknowledge'",
            "UPDATE incidents SET root = root || jsonb_build_object('job_stream', 'OTHER') WHERE ended_at IS NULL",
        ):
            await connection.execute(text(statement))
    whole, pay, other = await read_figures(engine, timedelta(days=1))
    assert (whole.job_stream, pay.job_stream, other.job_stream) == ("", "PAY", "OTHER")
    assert (whole.incidents, whole.reports, whole.noise, whole.without_people) == (3, 6, 0.5, 0.5)
    assert whole.acknowledged == Span(median=600.0, p95=600.0)
    assert pay.restored == Span(median=3600.0, p95=3600.0)
    assert (other.incidents, other.restored, other.without_people) == (1, Span(median=None, p95=None), None)
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        viewer = await server.sign_in("viewer")
        async with server.client.get("/api/v1/figures?days=1", headers=viewer) as response:
            found = await response.json()
        assert found["days"] == 1
        assert found["figures"][0]["acknowledged"] == {"median": 600.0, "p95": 600.0}
        async with server.client.get("/api/v1/figures?days=0", headers=viewer) as response:
            assert response.status == 422
