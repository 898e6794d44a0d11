"""Who would be told, and silences, over REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.alerts import Alerts, Report
from brain.incidents.routes import Routes
from brain.incidents.sameness import Sameness
from brain.message import Alert
from tests.support.rest_server import rest_server

_RULES = Routes.model_validate(
    {
        "routes": [
            {"name": "pay", "job": "PAY*", "to": ["slack:T:C", "person:sue"], "severity": "high"},
            {"name": "hourly", "to": "teams:t:c", "digest": "PT1H"},
        ]
    }
)


async def test_the_preview_tells_nobody_and_says_who_would_be_told(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, works=False, rules=_RULES) as server:
        viewer, path = await server.sign_in("viewer"), "/api/v1/routes/preview"
        async with server.client.get(
            f"{path}?engine=TWS&job=PAYROLL&severity=high", headers=viewer
        ) as response:
            assert response.status == 200
            assert await response.json() == {
                "deliveries": [
                    {"route": "pay", "target": "slack:T:C", "way": "card", "wait_seconds": 0},
                    {"route": "hourly", "target": "teams:t:c", "way": "digest", "wait_seconds": 3600},
                ],
                "hushed_by": None,
                "unreached": ["person:sue"],
            }
        for query in ("job=X", "engine=TWS&severity=worst", "engine=TWS&unacknowledged_minutes=-1"):
            async with server.client.get(f"{path}?{query}", headers=viewer) as response:
                assert response.status == 422, query


async def test_a_silence_is_begun_seen_and_ended(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    asked = {"job_stream": ["PAY*"], "until": until, "reason": "release night"}
    async with rest_server(engine, postgres_dsn, redis_url, works=False, rules=_RULES) as server:
        viewer, operator = await server.sign_in("viewer"), await server.sign_in("operator")
        path = "/api/v1/silences"
        async with server.client.post(path, headers=viewer, json=asked) as response:
            assert response.status == 403
        async with server.client.post(path, headers=operator, json=asked) as response:
            assert response.status == 201
            made = await response.json()
        assert (made["job_stream"], made["job"], made["created_by"]) == (["PAY*"], ["*"], "operator")
        query = "engine=TWS&job_stream=PAYDAILY"
        for severity, hushed_by in (("high", f"silence {made['id']}"), ("critical", None)):
            async with server.client.get(
                f"/api/v1/routes/preview?{query}&severity={severity}", headers=viewer
            ) as response:
                assert (await response.json())["hushed_by"] == hushed_by
        async with server.client.get(path, headers=viewer) as response:
            assert (await response.json())["silences"] == [made]
        async with server.client.post(f"{path}/{made['id']}/end", headers=operator) as response:
            assert response.status == 200
        for number in (made["id"], "x", "9" * 30):
            async with server.client.post(f"{path}/{number}/end", headers=operator) as response:
                assert response.status == 404
        async with server.client.get(path, headers=viewer) as response:
            assert (await response.json())["silences"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"job_stream": ["*"]}, 409),
        ({"until": "2020-01-01T00:00:00Z"}, 409),
        ({"until": "2026-01-01T00:00:00"}, 422),
        ({"reason": " "}, 422),
        ({"job": ["re:["]}, 422),
        ({"job": [""]}, 422),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str, change: dict[str, object], status: int
) -> None:
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    asked = {"job_stream": ["PAY*"], "until": until, "reason": "release night", **change}
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        operator = await server.sign_in("operator")
        async with server.client.post("/api/v1/silences", headers=operator, json=asked) as response:
            assert response.status == status, await response.text()


async def test_a_rule_of_sameness_is_tried_on_past_alerts(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    rule = Sameness(fields=("job_stream", "job"), within=timedelta(hours=1))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    alerts = [
        Alert(event=event, job_stream="PAY", job=job, happened_at=hour - timedelta(minutes=minutes))
        for event, job, minutes in (
            ("late", "A", 10),
            ("failed", "A", 20),
            ("failed", "A", 70),
            ("failed", "B", 10),
        )
    ]
    await Alerts(engine).accept("monitor", [Report(str(number), one) for number, one in enumerate(alerts)])
    await Alerts(engine).accept("monitor", [Report("0", alerts[0])])
    await Alerts(engine).accept("other", [Report("0", alerts[0])])
    async with rest_server(engine, postgres_dsn, redis_url, works=False) as server:
        viewer, path = await server.sign_in("viewer"), "/api/v1/alerts/preview?source=monitor"
        async with server.client.get(f"{path}&fields=job_stream,job", headers=viewer) as response:
            assert response.status == 200, await response.text()
            found = await response.json()
        assert (found["reports"], found["occurrences"], found["would_be"]) == (5, 4, 3)
        assert found["groups"][0] == {"values": ["PAY", "A"], "occurrences": 2, "reports": 3}
        for query in ("fields=colour", "fields=", "fields=job&within_minutes=0", "fields=job&hours=0"):
            async with server.client.get(f"{path}&{query}", headers=viewer) as response:
                assert response.status == 422, query
    # What was tried is what would be done.
    assert len({rule.fingerprint(one, datetime.now(UTC)) for one in alerts}) == found["would_be"]
