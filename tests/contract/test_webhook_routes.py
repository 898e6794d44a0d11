from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bots.problems import problem_middleware
from bots.webhook.routes import WebhookRoutes
from bots.webhook.settings import WebhookSettings, WebhookSource
from bots.webhook.signature import sign
from brain.incidents.alerts import Alerts, StoredAlert, waiting
from brain.incidents.sameness import Sameness
from observability.metrics import Metrics

SECRET = "correct horse battery"
ALERT = {
    "event": "JobStatusChanged",
    "engine": "PROD",
    "JobName": "LOAD",
    "JobNumber": 1,
    "InternalStatus": "ABEND",
}


class Sender:
    """A scheduler's script: signs and posts."""

    def __init__(self, session: ClientSession, server: BaseTestServer) -> None:
        self._session = session
        self._server = server

    async def send(
        self,
        body: bytes = json.dumps(ALERT).encode(),
        *,
        source: str = "tws-prod",
        secret: str = SECRET,
        age_seconds: int = 0,
        headers: dict[str, str] | None = None,
    ) -> ClientResponse:
        stamp = str(int(time.time()) - age_seconds)
        signed = {
            "Content-Type": "application/json",
            "X-Resync-Timestamp": stamp,
            "X-Resync-Signature": sign(secret, stamp, body),
        }
        url = self._server.make_url(f"/webhooks/{source}")
        async with self._session.post(url, data=body, headers=signed | (headers or {})) as answer:
            await answer.read()
            return answer


class Store:
    """What was accepted, and what was refused and counted."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.metrics = Metrics()

    async def alerts(self) -> list[StoredAlert]:
        async with self.engine.connect() as connection:
            return await waiting(connection, limit=10_000, read_at=datetime.now(UTC))

    def counted(self, outcome: str, source: str = "tws-prod") -> float:
        line = f'resync_alerts_total{{outcome="{outcome}",source="{source}"}} '
        found = [one for one in self.metrics.render().decode().splitlines() if one.startswith(line)]
        return float(found[0].split()[-1]) if found else 0.0


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


SOURCES = {
    "tws-prod": WebhookSource(secret=SECRET),
    "monitor": WebhookSource(secret=SECRET, auth="bearer", format="alertmanager"),
    "desk": WebhookSource(secret=SECRET, auth="bearer", format="servicenow"),
    "cloud": WebhookSource(secret=SECRET, auth="bearer", format="cloudevents"),
    "probe": WebhookSource(secret=SECRET, auth="bearer", format="eif"),
    "noisy": WebhookSource(
        secret=SECRET, same=Sameness(fields=("job_stream", "job"), within=timedelta(days=31))
    ),
    "lines": WebhookSource(secret=SECRET, auth="bearer", format="bmevents"),
}


@asynccontextmanager
async def receiving(
    engine: AsyncEngine, metrics: Metrics, max_bytes: int = 2_000_000
) -> AsyncIterator[Sender]:
    host = web.Application(middlewares=[problem_middleware])
    WebhookRoutes(
        WebhookSettings(sources=SOURCES, max_body_bytes=max_bytes), Alerts(engine), metrics
    ).register(host)
    async with TestServer(host) as server, ClientSession() as session:
        yield Sender(session, server)


@pytest.fixture
async def sender(store: Store) -> AsyncIterator[Sender]:
    async with receiving(store.engine, store.metrics) as sending:
        yield sending


async def problem_code(answer: ClientResponse) -> str:
    assert answer.content_type == "application/problem+json"
    code: str = (await answer.json())["code"]
    return code


async def test_alert_is_stored_and_acknowledged(sender: Sender, store: Store) -> None:
    answer = await sender.send()

    assert answer.status == 202
    (taken,) = await store.alerts()
    assert await answer.json() == {"id": taken.id, "duplicate": False}
    assert (taken.source, taken.alert.job) == ("tws-prod", "LOAD")
    assert store.counted("new") == 1


async def test_replayed_request_joins_the_first_turn(sender: Sender, store: Store) -> None:
    body = json.dumps(ALERT).encode()
    stamp = str(int(time.time()))
    same = {"X-Resync-Timestamp": stamp, "X-Resync-Signature": sign(SECRET, stamp, body)}

    answers = [await sender.send(body, headers=same) for _ in range(3)]

    assert [answer.status for answer in answers] == [202] * 3
    told = [await answer.json() for answer in answers]
    assert [one["duplicate"] for one in told] == [False, True, True]
    assert len({one["id"] for one in told}) == 1
    assert store.counted("duplicate") == 2
    (stored,) = await store.alerts()
    assert stored.times == 3


async def test_same_alert_signed_anew_is_a_duplicate(sender: Sender) -> None:
    await sender.send()
    again = json.dumps(ALERT | {"rule": "ANOTHER"}).encode()

    assert (await (await sender.send(again, age_seconds=1)).json())["duplicate"] is True


async def test_another_run_is_another_alert(sender: Sender, store: Store) -> None:
    await sender.send()
    another = json.dumps(ALERT | {"JobNumber": 2}).encode()

    assert (await (await sender.send(another)).json())["duplicate"] is False
    assert len(await store.alerts()) == 2


@pytest.mark.parametrize("source", ["other", "TWS-PROD", "%2e%2e"])
async def test_unknown_source_is_not_found(sender: Sender, store: Store, source: str) -> None:
    answer = await sender.send(source=source)

    assert answer.status == 404
    assert await store.alerts() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Resync-Signature": "v1=" + "0" * 64},
        {"X-Resync-Signature": ""},
        {"X-Resync-Signature": "v1=é"},
        {"X-Resync-Timestamp": ""},
        {"X-Resync-Timestamp": "1"},
        {"X-Resync-Timestamp": "tomorrow"},
    ],
    ids=str,
)
async def test_bad_signature_is_refused(sender: Sender, store: Store, headers: dict[str, str]) -> None:
    answer = await sender.send(headers=headers)

    assert answer.status == 401
    assert await problem_code(answer) == "bad_signature"
    assert await store.alerts() == []


@pytest.mark.parametrize("age_seconds", [-310, 310])
async def test_stale_request_is_refused(sender: Sender, store: Store, age_seconds: int) -> None:
    assert (await sender.send(age_seconds=age_seconds)).status == 401
    assert await store.alerts() == []


async def test_secret_of_another_source_is_refused(sender: Sender, store: Store) -> None:
    assert (await sender.send(secret="another secret, long")).status == 401
    assert await store.alerts() == []


async def test_large_body_is_refused_before_its_signature_is_checked(store: Store) -> None:
    async with receiving(store.engine, store.metrics, max_bytes=2_000) as sender:
        answer = await sender.send(b"x" * 2_001, secret="another secret, long")

    assert store.counted("too_large") == 1
    assert answer.status == 413
    assert await problem_code(answer) == "too_large"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
async def test_other_media_types_are_refused(sender: Sender, content_type: str) -> None:
    answer = await sender.send(headers={"Content-Type": content_type})

    assert answer.status == 415
    assert await problem_code(answer) == "unsupported_media_type"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"event": []}', b"{}"])
async def test_signed_nonsense_is_malformed(sender: Sender, store: Store, body: bytes) -> None:
    answer = await sender.send(body)

    assert answer.status == 400
    assert await problem_code(answer) == "malformed_alert"
    assert await store.alerts() == []


async def test_alert_that_cannot_be_stored_is_asked_for_again() -> None:
    away = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    async with receiving(away, Metrics()) as sender:
        answer = await sender.send()
    await away.dispose()

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "10"
    assert await problem_code(answer) == "not_stored"


async def test_refusals_are_counted_with_their_reason(sender: Sender, store: Store) -> None:
    await sender.send(b"{")
    await sender.send(secret="another secret, long")
    await sender.send(source="nobody")

    assert store.counted("malformed_alert") == 1
    assert store.counted("bad_signature") == 1
    assert store.counted("unknown_source", source="") == 1


async def post(sender: Sender, source: str, body: bytes, kind: str = "application/json") -> ClientResponse:
    return await sender.send(
        body, source=source, headers={"Authorization": f"Bearer {SECRET}", "Content-Type": kind}
    )


async def test_a_token_that_is_missing_or_wrong_is_refused(sender: Sender, store: Store) -> None:
    body = json.dumps(ALERTMANAGER).encode()
    for token in ("", "Bearer wrong", SECRET):
        answer = await sender.send(body, source="monitor", headers={"Authorization": token})
        assert answer.status == 401
        assert await problem_code(answer) == "bad_token"
    assert store.counted("bad_token", source="monitor") == 3


ALERTMANAGER = {
    "version": "4",
    "groupKey": '{}:{alertname="WorkstationUnlinked"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "resync",
    "groupLabels": {"alertname": "WorkstationUnlinked"},
    "commonLabels": {"alertname": "WorkstationUnlinked", "severity": "critical"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager.example:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "WorkstationUnlinked", "workstation": name, "severity": "critical"},
            "annotations": {"summary": "The link is down"},
            "startsAt": "2026-03-02T01:13:07.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example:9090/graph",
            "fingerprint": f"c1a2b3c4d5e6{number}",
        }
        for number, name in enumerate(("AGT_POS01", "AGT_POS02"))
    ],
}


async def test_alertmanagers_payload_is_one_alert_for_each_of_its_own(sender: Sender, store: Store) -> None:
    body = json.dumps(ALERTMANAGER).encode()
    first, again = await post(sender, "monitor", body), await post(sender, "monitor", body)

    assert (await first.json())["duplicate"] is False
    assert (await again.json())["duplicate"] is True
    stored = await store.alerts()
    assert {one.alert.workstation for one in stored} == {"AGT_POS01", "AGT_POS02"}
    assert [one.times for one in stored] == [2, 2]
    assert {one.alert.event for one in stored} == {"WorkstationUnlinked"}


async def test_a_source_may_say_by_what_its_reports_are_the_same(sender: Sender, store: Store) -> None:
    told = []
    for attributes in ({"JobNumber": 1}, {"JobNumber": 2}, {"JobNumber": 3, "JobName": "OTHER"}):
        body = json.dumps({**ALERT, **attributes}).encode()
        told.append((await (await sender.send(body, source="noisy")).json())["duplicate"])
    assert told == [False, True, False]
    assert sorted(one.times for one in await store.alerts()) == [1, 2]


async def test_servicenows_incident_names_its_job_in_its_words(sender: Sender, store: Store) -> None:
    body = {
        "sys_id": "9d385017c611228701d22104cc95c371",
        "number": "INC0010023",
        "state": "2",
        "category": "batch",
        "short_description": "Job AGT_DWH01#DWHNIGHT.LOAD_SALES abended with RC 8",
        "cmdb_ci": {"display_value": "AGT_DWH01", "link": "https://instance.example/api/now/table/cmdb_ci/1"},
        "sys_updated_on": "2026-03-02 01:13:07",
    }
    assert (await post(sender, "desk", json.dumps(body).encode())).status == 202
    (stored,) = await store.alerts()
    assert (stored.alert.job_stream, stored.alert.job) == ("DWHNIGHT", "LOAD_SALES")
    assert stored.alert.workstation == "AGT_DWH01"
    assert stored.alert.happened_at is not None


async def test_cloudevents_come_alone_and_in_batches(sender: Sender, store: Store) -> None:
    one = {
        "specversion": "1.0",
        "type": "com.example.tws.JobAbend",
        "source": "/tws/prod",
        "id": "A234-1234-1234",
        "time": "2026-03-02T01:13:07Z",
        "datacontenttype": "application/json",
        "data": {"JobStreamName": "DWHNIGHT", "JobName": "LOAD_SALES", "InternalStatus": "ABEND"},
    }
    alone = await post(sender, "cloud", json.dumps(one).encode(), "application/cloudevents+json")
    batch = [one, {**one, "id": "A234-1234-1235", "data": {**one["data"], "JobName": "AGGREGATE"}}]  # type: ignore[dict-item]  # of a literal
    both = await post(sender, "cloud", json.dumps(batch).encode(), "application/cloudevents-batch+json")

    assert (await alone.json())["duplicate"] is False
    assert (await both.json())["duplicate"] is False
    assert sorted(one.alert.job for one in await store.alerts()) == ["AGGREGATE", "LOAD_SALES"]


async def test_eif_slots_are_read_with_their_quotes(sender: Sender, store: Store) -> None:
    body = (
        b"TWS_Job_Abend;source=TWS;engine='PROD';job_stream_name=DWHNIGHT;job_name='LOAD_SALES';"
        b"return_code=8;msg='it''s; full';END\n\x01"
    )
    assert (await post(sender, "probe", body, "text/plain")).status == 202
    (stored,) = await store.alerts()
    assert (stored.alert.event, stored.alert.job, stored.alert.return_code) == (
        "TWS_Job_Abend",
        "LOAD_SALES",
        8,
    )
    assert stored.alert.text == "it's; full"


async def test_bmevents_come_as_lines(sender: Sender, store: Store) -> None:
    lines = [
        {"event": 101, "schedName": "DWHNIGHT", "jobName": "LOAD_SALES", "jobNumber": 4711},
        {"event": 115, "schedName": "DWHNIGHT", "jobName": "AGGREGATE", "jobNumber": 4712},
    ]
    body = b"\n".join(json.dumps(line).encode() for line in lines)
    assert (await post(sender, "lines", body, "application/x-ndjson")).status == 202
    assert sorted((one.alert.event, one.alert.job) for one in await store.alerts()) == [
        ("JobAbend", "LOAD_SALES"),
        ("JobStuck", "AGGREGATE"),
    ]


async def test_no_request_has_more_alerts_than_can_be_stored_at_once(sender: Sender, store: Store) -> None:
    many = [{**ALERT, "JobNumber": number} for number in range(5001)]
    refused = await sender.send(json.dumps(many).encode())
    assert refused.status == 400
    assert (await sender.send(json.dumps(many[1:]).encode())).status == 202
    assert len(await store.alerts()) == 5000
