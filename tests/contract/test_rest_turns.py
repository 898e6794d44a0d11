"""Turns over REST: answers as JSON and as events, who may read them, decisions, repeated requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bots.rest.inbound import Delivery, chat_message
from bots.rest.models import ChatRequest
from bots.rest.outbox import WebOutboxes
from bots.rest.settings import RestSettings
from brain.actions.proposal import Item
from brain.message import Channel, Conversation, InboundMessage, Sender, Verb
from brain.reply import Reply
from brain.tables import PROPOSALS
from brain.turns.events import TurnEvents
from brain.turns.outbox import OutboxError
from security.roles import Actor, Role
from tests.support.rest_server import VIEW, RestServer, events_of, rest_server
from tws.actions import Action, Change, ObjectKind

EVENTS = {"Accept": "text/event-stream"}
DECISION = f"/api/v1/proposals/{VIEW.id}/decision"


@pytest.fixture
async def server(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> AsyncIterator[RestServer]:
    async with rest_server(engine, postgres_dsn, redis_url) as running:
        yield running


@pytest.fixture
async def proposal(engine: AsyncEngine) -> None:
    """A stored proposal with the id of `VIEW`."""
    change = Change(action=Action.RERUN, kind=ObjectKind.JOB, object_id="j", selection=VIEW.target)
    row = {
        "id": VIEW.id,
        "turn_id": "t",
        "engine": "TWS",
        "action": "rerun",
        "items": TypeAdapter(tuple[Item, ...]).dump_python((Item(change=change, before=None),), mode="json"),
        "consequences": list(VIEW.consequences),
        "requires": "self",
        "rule": "everyday work",
        "identity": "service",
        "digest": "d",
        "locale": "en",
        "proposed_by": "operator",
        "proposer_role": "operator",
        "expires_at": VIEW.expires_at,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(PROPOSALS).values(**row))


async def test_a_message_is_answered_with_the_reply_of_its_turn(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    body = {"message": "what failed?", "conversation_id": "c1"}
    async with server.client.post("/api/v1/chat", headers=headers, json=body) as response:
        assert response.status == 200
        answer = await response.json()
    assert answer["conversation_id"] == "c1"
    assert answer["agent"] == "status"
    assert answer["reply"]["plain_text"] == "You said what failed?"
    assert [block["kind"] for block in answer["reply"]["blocks"]] == ["text", "citations"]
    assert answer["citations"] == [
        {
            "document_id": "d1",
            "document_title": "Runbook",
            "location": "Restart",
            "quote": "Rerun it.",
            "page": None,
            "link": None,
        }
    ]
    assert answer["proposal"] is None
    assert server.brain.turns[0].turn_id == answer["turn_id"]


async def test_a_proposal_travels_with_the_answer(server: RestServer) -> None:
    server.brain.proposal = VIEW
    headers = await server.sign_in("operator")
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": "rerun"}) as response:
        proposal = (await response.json())["proposal"]
    assert proposal.keys() == {
        *("id", "action", "target", "targets", "arguments", "consequences"),
        *("requires", "rule", "ticket", "expires_at"),
    }
    assert proposal["expires_at"] == "2026-03-02T03:15:00Z"


async def test_a_stream_shows_progress_and_ends_with_the_same_answer(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    async with server.client.post(
        "/api/v1/chat", headers={**headers, **EVENTS}, json={"message": "hello"}
    ) as response:
        address = response.headers["Content-Location"]
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        events = await events_of(response)
    assert [(event["event"], event["id"]) for event in events] == [
        ("progress", "1"),
        ("delta", "2"),
        ("reply", "3"),
    ]
    assert events[0]["data"] == {"text": "reading the plan"}
    async with server.client.get(address, headers=headers) as response:
        looked_up = await response.json()
    assert looked_up.pop("outcome") is None
    assert looked_up == events[2]["data"]


async def test_a_stream_resumes_after_the_last_event(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hello"}) as response:
        turn_id = (await response.json())["turn_id"]
    resumed = {**headers, **EVENTS, "Last-Event-ID": "2"}
    async with server.client.get(f"/api/v1/turns/{turn_id}", headers=resumed) as response:
        events = await events_of(response)
    assert [event["event"] for event in events] == ["reply"]


async def test_an_answer_that_takes_long_is_fetched_later(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    settings = RestSettings(chat_wait=timedelta(milliseconds=50))
    async with rest_server(engine, postgres_dsn, redis_url, settings=settings) as server:
        server.brain.thinks_seconds = 0.5
        headers = await server.sign_in("viewer")
        body = {"message": "think", "conversation_id": "c1"}
        async with server.client.post("/api/v1/chat", headers=headers, json=body) as response:
            assert response.status == 202
            running = await response.json()
            address = response.headers["Location"]
        assert running == {"conversation_id": "c1", "turn_id": running["turn_id"], "state": "running"}
        async with server.client.get(address, headers=headers) as response:
            assert response.status == 202
        async with asyncio.timeout(10):
            while True:
                async with server.client.get(address, headers=headers) as response:
                    answer = await response.json()
                    if response.status == 200:
                        break
        assert answer["reply"]["plain_text"] == "You said think"


async def test_silence_is_filled_with_comments_and_ends_with_a_problem(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    settings = RestSettings(heartbeat=timedelta(milliseconds=50), stream_wait=timedelta(milliseconds=400))
    async with rest_server(engine, postgres_dsn, redis_url, settings=settings, works=False) as server:
        headers = {**await server.sign_in("viewer"), **EVENTS}
        async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hi"}) as response:
            events = await events_of(response)
    assert len([event for event in events if "comment" in event]) >= 3
    assert events[-1]["event"] == "problem"
    problem = events[-1]["data"]
    assert isinstance(problem, dict)
    assert problem["code"] == "still_running"


async def test_nobody_reads_the_turn_of_another(server: RestServer) -> None:
    mine = await server.sign_in("operator")
    async with server.client.post("/api/v1/chat", headers=mine, json={"message": "secret"}) as response:
        turn_id = (await response.json())["turn_id"]
    others = await server.sign_in("admin")
    for headers in (others, {**others, **EVENTS}):
        async with server.client.get(f"/api/v1/turns/{turn_id}", headers=headers) as response:
            assert response.status == 404
            assert (await response.json())["code"] == "turn_not_found"


@pytest.mark.parametrize(("channel", "status"), [(Channel.SLACK, 404), (Channel.WEBHOOK, 202)])
async def test_a_name_of_another_channel_opens_nothing_and_alerts_are_for_all(
    server: RestServer, channel: Channel, status: int
) -> None:
    message = InboundMessage(
        delivery_id="d1",
        conversation=Conversation(channel=channel, tenant="T1", conversation_id="C1"),
        sender=Sender(channel=channel, tenant="T1", user_id="viewer"),
        text="hello",
        received_at=datetime.now(UTC),
    )
    accepted = await server.inbox.accept(message)
    headers = await server.sign_in("viewer")
    async with server.client.get(f"/api/v1/turns/{accepted.turn_id}", headers=headers) as response:
        assert response.status == status


async def test_a_reader_who_leaves_does_not_stop_the_turn(
    engine: AsyncEngine, postgres_dsn: str, redis_url: str
) -> None:
    settings = RestSettings(heartbeat=timedelta(milliseconds=20))
    async with rest_server(engine, postgres_dsn, redis_url, settings=settings) as server:
        server.brain.thinks_seconds = 0.3
        headers = await server.sign_in("viewer")
        async with server.client.post(
            "/api/v1/chat", headers={**headers, **EVENTS}, json={"message": "hello"}
        ) as response:
            address = response.headers["Content-Location"]
            response.close()
        async with asyncio.timeout(10):
            while True:
                async with server.client.get(address, headers=headers) as looked_up:
                    if looked_up.status == 200:
                        break
    assert len(server.brain.turns) == 1


async def test_the_same_conversation_id_is_another_conversation_for_another_person(
    server: RestServer,
) -> None:
    for username in ("operator", "viewer"):
        headers = await server.sign_in(username)
        body = {"message": "hello", "conversation_id": "c1"}
        async with server.client.post("/api/v1/chat", headers=headers, json=body) as response:
            assert response.status == 200
    keys = {turn.message.conversation.key for turn in server.brain.turns}
    assert len(keys) == 2


async def test_executing_names_the_agent(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    body = {"agent": "diagnosis", "message": "PAYCALC", "parameters": {"workstation": "PAY01"}}
    async with server.client.post("/api/v1/agents/execute", headers=headers, json=body) as response:
        assert (await response.json())["agent"] == "diagnosis"
    assert server.brain.turns[0].message.parameters == {"workstation": "PAY01"}


async def test_an_unknown_agent_is_answered_with_the_known_ones(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    body = {"agent": "oracle", "message": "PAYCALC"}
    async with server.client.post("/api/v1/agents/execute", headers=headers, json=body) as response:
        assert response.status == 404
        document = await response.json()
    assert document["code"] == "agent_not_found"
    assert "diagnosis, knowledge, status" in document["detail"]


@pytest.mark.usefixtures("proposal")
async def test_a_decision_is_answered_with_its_outcome(server: RestServer) -> None:
    headers = await server.sign_in("operator")
    body = {"decision": "approve", "reason": "table copied"}
    async with server.client.post(DECISION, headers=headers, json=body) as response:
        assert response.status == 200
        assert await response.json() == {"state": "confirmed", "detail": "approve by operator"}
    button = server.brain.turns[0].message.button
    assert button is not None
    assert (button.verb, button.value, button.reason) == (Verb.APPROVE, VIEW.id, "table copied")
    async with server.client.get(
        f"/api/v1/turns/{server.brain.turns[0].turn_id}", headers=headers
    ) as response:
        assert (await response.json())["outcome"]["state"] == "confirmed"


@pytest.mark.usefixtures("proposal")
async def test_a_decision_streams_too(server: RestServer) -> None:
    headers = {**await server.sign_in("operator"), **EVENTS}
    async with server.client.post(DECISION, headers=headers, json={"decision": "reject"}) as response:
        events = await events_of(response)
    assert events[-1]["data"] == {"state": "confirmed", "detail": "reject by operator"}


@pytest.mark.usefixtures("proposal")
async def test_a_decision_that_came_to_nothing_is_no_outcome(server: RestServer) -> None:
    server.brain.outcome = None
    headers = await server.sign_in("operator")
    async with server.client.post(DECISION, headers=headers, json={"decision": "approve"}) as response:
        assert response.status == 503
        assert (await response.json())["code"] == "not_decided"
    streamed = {**headers, **EVENTS}
    async with server.client.post(DECISION, headers=streamed, json={"decision": "approve"}) as response:
        assert (await events_of(response))[-1]["event"] == "problem"


async def test_a_decision_on_nothing_starts_no_turn(server: RestServer) -> None:
    headers = await server.sign_in("operator")
    async with server.client.post(DECISION, headers=headers, json={"decision": "approve"}) as response:
        assert response.status == 404
        assert (await response.json())["code"] == "proposal_not_found"
    assert not server.brain.turns


async def test_the_same_key_joins_the_same_turn(server: RestServer) -> None:
    headers = {**await server.sign_in("viewer"), "Idempotency-Key": "k1"}
    server.brain.thinks_seconds = 0.2

    async def ask() -> dict[str, object]:
        async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hi"}) as response:
            assert response.status == 200
            answer: dict[str, object] = await response.json()
            return answer

    answers = await asyncio.gather(*(ask() for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert await ask() == answers[0]
    assert len(server.brain.turns) == 1


@pytest.mark.usefixtures("proposal")
async def test_the_same_key_decides_once(server: RestServer) -> None:
    headers = {**await server.sign_in("operator"), "Idempotency-Key": "k1"}
    for _ in range(2):
        async with server.client.post(DECISION, headers=headers, json={"decision": "approve"}) as response:
            assert (await response.json())["state"] == "confirmed"
    async with server.client.post(DECISION, headers=headers, json={"decision": "reject"}) as response:
        assert response.status == 422
        assert (await response.json())["code"] == "idempotency_key_reused"
    assert len(server.brain.turns) == 1


async def test_a_key_belongs_to_one_person_and_one_address(server: RestServer) -> None:
    key = {"Idempotency-Key": "k1"}
    for username in ("viewer", "operator"):
        headers = {**await server.sign_in(username), **key}
        async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hi"}) as response:
            assert response.status == 200
        body = {"agent": "status", "message": "hi"}
        async with server.client.post("/api/v1/agents/execute", headers=headers, json=body) as response:
            assert response.status == 200
    assert len(server.brain.turns) == 4


async def test_without_a_key_every_request_is_a_turn(server: RestServer) -> None:
    headers = await server.sign_in("viewer")
    ids = set()
    for _ in range(2):
        async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hi"}) as response:
            answer = await response.json()
            ids.add((answer["turn_id"], answer["conversation_id"]))
    assert len(ids) == 2
    assert len({conversation for _, conversation in ids}) == 2


async def test_who_asks_too_often_waits(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, person_rate="2/minute") as server:
        headers = await server.sign_in("viewer")
        statuses = []
        for number in range(3):
            body = {"message": f"question {number}"}
            async with server.client.post("/api/v1/chat", headers=headers, json=body) as response:
                statuses.append(response.status)
                answer = await response.json()
        assert statuses == [200, 200, 429]
        assert answer["code"] == "rate_limited"
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert len(server.brain.turns) == 2


async def test_logins_are_limited_by_address(engine: AsyncEngine, postgres_dsn: str, redis_url: str) -> None:
    async with rest_server(engine, postgres_dsn, redis_url, login_rate="2/minute") as server:
        statuses = []
        for username in ("a", "b", "c"):
            body = {"username": username, "password": "guess"}
            async with server.client.post("/api/v1/auth/login", json=body) as response:
                statuses.append(response.status)
        assert statuses == [401, 401, 429]


async def test_an_answer_that_cannot_be_stored_is_sent_again_later(postgres_dsn: str) -> None:
    away = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    actor = Actor(actor_id="ana", display_name="Ana", role=Role.VIEWER)
    delivery = Delivery(actor=actor, delivery_id="d1", received_at=datetime.now(UTC))
    message = chat_message(ChatRequest(message="hi"), delivery)
    outbox = WebOutboxes(TurnEvents(away, postgres_dsn))("t1", message)
    await outbox.progress("reading the plan")
    with pytest.raises(OutboxError) as caught:
        await outbox.send(Reply(blocks=(), plain_text="x"))
    assert caught.value.retryable


async def test_a_stream_that_breaks_ends_with_a_problem_and_tells_nothing_of_the_inside(
    server: RestServer, engine: AsyncEngine
) -> None:
    headers = {**await server.sign_in("viewer"), **EVENTS}
    async with server.client.post("/api/v1/chat", headers=headers, json={"message": "hi"}) as response:
        address = response.headers["Content-Location"]
        await response.read()
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE turn_events RENAME TO turn_events_away"))
    try:
        async with server.client.get(address, headers=headers) as response:
            events = await events_of(response)
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE turn_events_away RENAME TO turn_events"))
    assert [event["event"] for event in events] == ["problem"]
    assert "turn_events" not in str(events)
