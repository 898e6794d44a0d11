"""Turns over REST: what begins one or asks for its answer, and the reply on its way to the client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel

from bots.problems import ProblemError, problem_document, to_problem
from brain.actions.proposal import Proposals
from brain.message import Channel, InboundMessage
from brain.reply import Reply, from_json
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox

from . import stream
from .auth import Limits
from .body import read_json
from .endpoint import ACTOR, json_response
from .idempotency import IdempotencyKeys
from .inbound import Delivery, chat_message, conversation_id_of, decision_message, execute_message
from .models import ChatAnswer, ChatRequest, Decision, DecisionRequest, ExecuteRequest, Running, TurnAnswer
from .settings import RestSettings

_ToAnswer: TypeAlias = Callable[[Reply, str, str], BaseModel]
"""Takes the reply, the conversation id as the client knows it and the turn id."""

_GLANCE: Final = timedelta(milliseconds=50)
"""How long a turn that is looked up may take to show a reply that is there already."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRoutes:
    """Messages and decisions in, answers out; a repeated delivery joins its first turn."""

    inbox: Inbox
    answers: Answers
    proposals: Proposals
    agents: Collection[str]
    keys: IdempotencyKeys
    limits: Limits
    person_rate: str
    settings: RestSettings

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Ask the assistant."""
        body = await read_json(request, ChatRequest)
        message = chat_message(body, await self._delivery(request, body))
        return await self._start(request, message, ChatAnswer.of, wait=self.settings.chat_wait)

    async def execute(self, request: web.Request) -> web.StreamResponse:
        """Have one agent answer, chosen by name, in a conversation of its own."""
        body = await read_json(request, ExecuteRequest)
        if body.agent not in self.agents:
            raise ProblemError(404, "agent_not_found", f"The agents are: {', '.join(sorted(self.agents))}.")
        message = execute_message(body, await self._delivery(request, body))
        return await self._start(request, message, ChatAnswer.of, wait=self.settings.chat_wait)

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Approve or reject a proposed change; the outcome is read back from the plan."""
        proposal_id = request.match_info["proposal_id"]
        body = await read_json(request, DecisionRequest)
        if await self.proposals.get(proposal_id) is None:
            raise ProblemError(404, "proposal_not_found", "There is no such proposal.")
        message = decision_message(proposal_id, body, await self._delivery(request, body))
        return await self._start(request, message, _to_decision, wait=self.settings.decision_wait)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The answer of a turn that you started, or to an alert; 202 while there is none."""
        turn_id = request.match_info["turn_id"]
        message = await self.inbox.find(turn_id)
        if message is None or not may_read(message, request):
            raise ProblemError(404, "turn_not_found", "There is no such turn, or it is not yours.")
        conversation_id = conversation_id_of(message)
        return await self.answers.respond(request, turn_id, conversation_id, TurnAnswer.of, wait=_GLANCE)

    async def _delivery(self, request: web.Request, body: BaseModel) -> Delivery:
        delivery_id = await self.keys.delivery_id(request, body.model_dump_json().encode())
        return Delivery(actor=request[ACTOR], delivery_id=delivery_id, received_at=datetime.now(UTC))

    async def _start(
        self, request: web.Request, message: InboundMessage, to_answer: _ToAnswer, *, wait: timedelta
    ) -> web.StreamResponse:
        await self.limits.check_turn(self.person_rate, message.sender.user_id)
        turn_id = (await self.inbox.accept(message)).turn_id
        return await self.answers.respond(request, turn_id, conversation_id_of(message), to_answer, wait=wait)


def _to_decision(reply: Reply, _conversation_id: str, _turn_id: str) -> Decision:
    if reply.outcome is None:
        # The turn was refused or broke off before the proposal was touched; its words say why.
        raise ProblemError(503, "not_decided", reply.plain_text)
    return Decision.model_validate(reply.outcome)


def may_read(message: InboundMessage, request: web.Request) -> bool:
    """One's own turns, and the answers to alerts, which are for everybody who may ask.

    By channel too: a Slack user id may be spelled like a name here.
    """
    sender = message.sender
    return sender.channel is Channel.WEBHOOK or (
        sender.channel is Channel.WEB and sender.user_id == request[ACTOR].actor_id
    )


class Answers:
    """Answers requests with the replies of turns."""

    def __init__(self, events: TurnEvents, settings: RestSettings) -> None:
        self._events = events
        self._settings = settings

    async def respond(
        self, request: web.Request, turn_id: str, conversation_id: str, to_answer: _ToAnswer, wait: timedelta
    ) -> web.StreamResponse:
        """The answer as JSON, within `wait` or else 202; or a stream of events, if the client asks for one."""

        def answer(reply: Reply) -> BaseModel:
            return to_answer(reply, conversation_id, turn_id)

        if stream.is_wanted(request):
            return await self._stream(request, turn_id, answer)
        reply = await self.reply(turn_id, wait)
        if reply is not None:
            return json_response(answer(reply))
        return json_response(
            Running(conversation_id=conversation_id, turn_id=turn_id),
            status=202,
            headers={hdrs.LOCATION: _address(turn_id), hdrs.RETRY_AFTER: "1"},
        )

    async def reply(self, turn_id: str, wait: timedelta = _GLANCE) -> Reply | None:
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
        """The turn's events, those after `Last-Event-ID` if the client has seen some."""
        seen = request.headers.get("Last-Event-ID", "")
        after = int(seen) if seen.isascii() and seen.isdigit() else 0
        frames = self._frames(request, turn_id, after, answer)
        return await stream.respond(request, frames, {hdrs.CONTENT_LOCATION: _address(turn_id)})

    async def _frames(
        self, request: web.Request, turn_id: str, after: int, answer: Callable[[Reply], BaseModel]
    ) -> AsyncGenerator[str]:
        """The events as the stream carries them; what goes wrong ends it with a `problem` event."""
        try:
            events = self._events.follow(turn_id, patience=self._settings.stream_wait)
            async for event in stream.beating(events, self._settings.heartbeat):
                if event is None:
                    yield stream.BEAT
                elif event.number > after:
                    is_reply = event.kind == "reply"
                    data = answer(from_json(event.data)) if is_reply else {"text": event.data}
                    yield f"id: {event.number}\n" + stream.frame(event.kind, data)
        except TimeoutError:
            detail = f"The answer takes longer; it will be at {_address(turn_id)}."
            yield stream.frame("problem", problem_document(503, "still_running", detail))
        except Exception as error:  # noqa: BLE001 the status is sent, so no middleware can answer any more
            problem = to_problem(error, request)
            yield stream.frame("problem", problem_document(problem.status, problem.code, problem.detail))


def _address(turn_id: str) -> str:
    return f"/api/v1/turns/{turn_id}"
