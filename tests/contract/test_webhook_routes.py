from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from bots.problems import problem_middleware
from bots.webhook.routes import WebhookRoutes
from bots.webhook.settings import WebhookSettings, WebhookSource
from bots.webhook.signature import sign
from tests.support.recording_inbox import RecordingInbox

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


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
async def sender(inbox: RecordingInbox) -> AsyncIterator[Sender]:
    settings = WebhookSettings(sources={"tws-prod": WebhookSource(secret=SECRET)}, max_body_bytes=2_000)
    host = web.Application(middlewares=[problem_middleware])
    WebhookRoutes(settings, inbox).register(host)
    async with TestServer(host) as server, ClientSession() as session:
        yield Sender(session, server)


async def problem_code(answer: ClientResponse) -> str:
    assert answer.content_type == "application/problem+json"
    code: str = (await answer.json())["code"]
    return code


async def test_alert_is_stored_and_acknowledged(sender: Sender, inbox: RecordingInbox) -> None:
    answer = await sender.send()

    assert answer.status == 202
    assert await answer.json() == {"id": "turn-1", "duplicate": False}
    (taken,) = inbox.messages
    assert taken.alert is not None
    assert taken.alert.job == "LOAD"


async def test_replayed_request_joins_the_first_turn(sender: Sender, inbox: RecordingInbox) -> None:
    body = json.dumps(ALERT).encode()
    stamp = str(int(time.time()))
    same = {"X-Resync-Timestamp": stamp, "X-Resync-Signature": sign(SECRET, stamp, body)}

    answers = [await sender.send(body, headers=same) for _ in range(3)]

    assert [answer.status for answer in answers] == [202] * 3
    assert [await answer.json() for answer in answers] == [
        {"id": "turn-1", "duplicate": False},
        {"id": "turn-1", "duplicate": True},
        {"id": "turn-1", "duplicate": True},
    ]
    assert len(inbox.messages) == 1


async def test_same_alert_signed_anew_is_a_duplicate(sender: Sender) -> None:
    await sender.send()
    again = json.dumps(ALERT | {"rule": "ANOTHER"}).encode()

    assert (await (await sender.send(again, age_seconds=1)).json())["duplicate"] is True


async def test_another_run_is_another_turn(sender: Sender) -> None:
    await sender.send()
    another = json.dumps(ALERT | {"JobNumber": 2}).encode()

    assert await (await sender.send(another)).json() == {"id": "turn-2", "duplicate": False}


@pytest.mark.parametrize("source", ["other", "TWS-PROD", "%2e%2e"])
async def test_unknown_source_is_not_found(sender: Sender, inbox: RecordingInbox, source: str) -> None:
    answer = await sender.send(source=source)

    assert answer.status == 404
    assert inbox.deliveries == 0


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
async def test_bad_signature_is_refused(
    sender: Sender, inbox: RecordingInbox, headers: dict[str, str]
) -> None:
    answer = await sender.send(headers=headers)

    assert answer.status == 401
    assert await problem_code(answer) == "bad_signature"
    assert inbox.deliveries == 0


@pytest.mark.parametrize("age_seconds", [-310, 310])
async def test_stale_request_is_refused(sender: Sender, inbox: RecordingInbox, age_seconds: int) -> None:
    assert (await sender.send(age_seconds=age_seconds)).status == 401
    assert inbox.deliveries == 0


async def test_secret_of_another_source_is_refused(sender: Sender, inbox: RecordingInbox) -> None:
    assert (await sender.send(secret="another secret, long")).status == 401
    assert inbox.deliveries == 0


async def test_large_body_is_refused_before_its_signature_is_checked(sender: Sender) -> None:
    answer = await sender.send(b"x" * 2_001, secret="another secret, long")

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
async def test_signed_nonsense_is_malformed(sender: Sender, inbox: RecordingInbox, body: bytes) -> None:
    answer = await sender.send(body)

    assert answer.status == 400
    assert await problem_code(answer) == "malformed_alert"
    assert inbox.deliveries == 0


async def test_alert_that_cannot_be_stored_is_asked_for_again(sender: Sender, inbox: RecordingInbox) -> None:
    inbox.error = ConnectionError("database is away")

    answer = await sender.send()

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "10"
    assert await problem_code(answer) == "not_stored"
    inbox.error = None
    assert await (await sender.send()).json() == {"id": "turn-1", "duplicate": False}
