"""Answers of turns: waited for, streamed as events, or looked up later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel

from bots.problems import ProblemError, problem_document, to_problem
from brain.message import Channel, InboundMessage
from brain.reply import Reply, from_json
from brain.turns.events import TurnEvent, TurnEvents
from brain.turns.inbox import Inbox
from security.headers import API_HEADERS
from security.roles import Permission

from .authn import Limits
from .endpoint import ACTOR, Endpoint
from .inbound import conversation_id_of
from .models import ChatAnswer, Decision, Running, TurnAnswer
from .settings import RestSettings

__all__ = ["TurnRoutes", "json_response", "to_chat_answer"]

EVENT_STREAM: Final = "text/event-stream"
_GLANCE: Final = timedelta(milliseconds=50)
"""How long a turn that is looked up may take to show a reply that is there already."""

_log = structlog.get_logger(__name__)


class TurnRoutes:
    """Answers with a turn's reply, for every endpoint that starts one, and `GET /api/v1/turns/{turn_id}`."""

    def __init__(
        self,
        inbox: Inbox,
        events: TurnEvents,
        limits: Limits,
        settings: RestSettings,
        *,
        person_rate: str,
    ) -> None:
        self._inbox = inbox
        self._events = events
        self._limits = limits
        self._settings = settings
        self._person_rate = person_rate

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="GET",
                path="/api/v1/turns/{turn_id}",
                handle=self.get,
                summary="The answer of a turn that you started, or to an alert",
                tag="chat",
                permission=Permission.ASK,
                responses={200: TurnAnswer, 202: Running},
                streams=True,
            ),
        )

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The reply if it is there, 202 if not; a stream resumes after `Last-Event-ID`."""
        turn_id = request.match_info["turn_id"]
        message = await self._inbox.find(turn_id)
        if message is None or not _may_read(message, request):
            raise ProblemError(404, "turn_not_found", "There is no such turn, or it is not yours.")
        return await self._respond(request, turn_id, message, to_turn_answer, wait=_GLANCE)

    async def start(
        self,
        request: web.Request,
        message: InboundMessage,
        to_answer: Callable[[Reply, str, str], BaseModel],
        *,
        wait: timedelta,
    ) -> web.StreamResponse:
        """Hands the message over and answers with `to_answer(reply, conversation_id, turn_id)`.

        As JSON, within `wait` or else 202; or as a stream of events, if the client asks for one.
        """
        await self._limits.check_turn(self._person_rate, message.sender.user_id)
        accepted = await self._inbox.accept(message)
        return await self._respond(request, accepted.turn_id, message, to_answer, wait=wait)

    async def _respond(
        self,
        request: web.Request,
        turn_id: str,
        message: InboundMessage,
        to_answer: Callable[[Reply, str, str], BaseModel],
        *,
        wait: timedelta,
    ) -> web.StreamResponse:
        conversation_id = conversation_id_of(message)

        def answer(reply: Reply) -> BaseModel:
            return to_answer(reply, conversation_id, turn_id)

        if EVENT_STREAM in request.headers.get(hdrs.ACCEPT, ""):
            return await self._stream(request, turn_id, answer)
        reply = await self._reply(turn_id, wait)
        if reply is not None:
            return json_response(answer(reply))
        running = Running(conversation_id=conversation_id, turn_id=turn_id)
        return json_response(
            running, status=202, headers={hdrs.LOCATION: _address(turn_id), hdrs.RETRY_AFTER: "1"}
        )

    async def _reply(self, turn_id: str, wait: timedelta) -> Reply | None:
        """The reply, None if it does not come in time."""
        reply = None
        try:
            async for event in self._events.follow(turn_id, patience=wait):
                if event.kind == "reply":
                    reply = from_json(event.data)
        except TimeoutError:
            return None
        return reply

    async def _stream(
        self, request: web.Request, turn_id: str, answer: Callable[[Reply], BaseModel]
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                # Once a stream has begun no middleware can add them.
                **API_HEADERS,
                hdrs.CONTENT_TYPE: EVENT_STREAM,
                hdrs.CONTENT_LOCATION: _address(turn_id),
                # nginx would otherwise collect the events until its buffer is full.
                "X-Accel-Buffering": "no",
            }
        )
        seen = request.headers.get("Last-Event-ID", "")
        after = int(seen) if seen.isascii() and seen.isdigit() else 0
        try:
            await response.prepare(request)
            async for frame in self._frames(request, turn_id, after, answer):
                await response.write(frame.encode())
            await response.write_eof()
        except ConnectionResetError:
            # The reader left; the turn goes on and can be looked up.
            _log.info("stream_left", turn_id=turn_id)
        return response

    async def _frames(
        self, request: web.Request, turn_id: str, after: int, answer: Callable[[Reply], BaseModel]
    ) -> AsyncIterator[str]:
        """The events as the stream carries them; what goes wrong ends it with a `problem` event."""
        try:
            async for event in self._beating(turn_id):
                if event is None:
                    yield ": still working\n\n"
                elif event.number > after:
                    data = (
                        answer(from_json(event.data)).model_dump_json()
                        if event.kind == "reply"
                        else json.dumps({"text": event.data}, ensure_ascii=False)
                    )
                    yield f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n"
        except TimeoutError:
            yield _problem_frame(
                ProblemError(
                    503, "still_running", f"The answer takes longer; it will be at {_address(turn_id)}."
                )
            )
        except Exception as error:  # noqa: BLE001 the status is sent, so no middleware can answer any more
            yield _problem_frame(to_problem(error, request))

    async def _beating(self, turn_id: str) -> AsyncIterator[TurnEvent | None]:
        """The turn's events, and None after each `heartbeat` of silence."""
        events = self._events.follow(turn_id, patience=self._settings.stream_wait)
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=self._settings.heartbeat.total_seconds())
                if not done:
                    yield None
                    continue
                event = coming.result()
                if event is None:
                    return
                yield event
                coming = asyncio.ensure_future(anext(events, None))
        finally:
            coming.cancel()


def to_chat_answer(reply: Reply, conversation_id: str, turn_id: str) -> ChatAnswer:
    """The answer of a chat message."""
    return ChatAnswer.of(reply, conversation_id=conversation_id, turn_id=turn_id)


def to_turn_answer(reply: Reply, conversation_id: str, turn_id: str) -> TurnAnswer:
    """The answer of a turn of any kind."""
    outcome = reply.outcome and Decision(state=reply.outcome.state, detail=reply.outcome.detail)
    return TurnAnswer(
        **dict(to_chat_answer(reply, conversation_id, turn_id)),
        outcome=outcome,
    )


def json_response(
    answer: BaseModel, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """The model as JSON; never cached, since every answer is somebody's own."""
    return web.Response(
        status=status,
        text=answer.model_dump_json(),
        content_type="application/json",
        headers={**(headers or {}), hdrs.CACHE_CONTROL: "no-store"},
    )


def _may_read(message: InboundMessage, request: web.Request) -> bool:
    """One's own turns, and the answers to alerts, which are for everybody who may ask.

    By channel too: a Slack user id may be spelled like a name here.
    """
    sender = message.sender
    return sender.channel is Channel.WEBHOOK or (
        sender.channel is Channel.WEB and sender.user_id == request[ACTOR].actor_id
    )


def _address(turn_id: str) -> str:
    return f"/api/v1/turns/{turn_id}"


def _problem_frame(problem: ProblemError) -> str:
    document = problem_document(problem.status, problem.code, problem.detail)
    return f"event: problem\ndata: {json.dumps(document, ensure_ascii=False)}\n\n"
