"""Talking to the assistant: `POST /api/v1/chat`."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from security.roles import Permission

from .body import read_json
from .endpoint import ACTOR, Endpoint
from .idempotency import IdempotencyKeys
from .inbound import chat_message
from .models import ChatAnswer, ChatRequest, Running
from .settings import RestSettings
from .turns import TurnRoutes, to_chat_answer

__all__ = ["ChatRoutes"]


class ChatRoutes:
    """One message in, one answer out."""

    def __init__(self, turns: TurnRoutes, keys: IdempotencyKeys, settings: RestSettings) -> None:
        self._turns = turns
        self._keys = keys
        self._settings = settings

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="POST",
                path="/api/v1/chat",
                handle=self.chat,
                summary="Ask the assistant",
                tag="chat",
                permission=Permission.ASK,
                request=ChatRequest,
                responses={200: ChatAnswer, 202: Running},
                streams=True,
                idempotent=True,
            ),
        )

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The answer as JSON or as a stream of events; a repeated delivery joins its first turn."""
        body = await read_json(request, ChatRequest, max_bytes=self._settings.max_body)
        message = chat_message(
            body,
            actor=request[ACTOR],
            delivery_id=await self._keys.delivery_id(request, body.model_dump_json().encode()),
            received_at=datetime.now(UTC),
        )
        return await self._turns.start(request, message, to_chat_answer, wait=self._settings.chat_wait)
