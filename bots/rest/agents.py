"""Asking one agent by name: `POST /api/v1/agents/execute`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from aiohttp import web

from bots.problems import ProblemError
from security.roles import Permission

from .body import read_json
from .endpoint import ACTOR, Endpoint
from .idempotency import IdempotencyKeys
from .inbound import execute_message
from .models import ChatAnswer, ExecuteRequest, Running
from .settings import RestSettings
from .turns import TurnRoutes, to_chat_answer

__all__ = ["AgentRoutes"]


class AgentRoutes:
    """Skips the router; everything else is as in a chat."""

    def __init__(
        self, names: Collection[str], turns: TurnRoutes, keys: IdempotencyKeys, settings: RestSettings
    ) -> None:
        self._names = names
        self._turns = turns
        self._keys = keys
        self._settings = settings

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="POST",
                path="/api/v1/agents/execute",
                handle=self.execute,
                summary="Have one agent answer",
                tag="agents",
                permission=Permission.ASK,
                request=ExecuteRequest,
                responses={200: ChatAnswer, 202: Running},
                problems=(404,),
                streams=True,
                idempotent=True,
            ),
        )

    async def execute(self, request: web.Request) -> web.StreamResponse:
        """The agent's answer, in a conversation of its own."""
        body = await read_json(request, ExecuteRequest, max_bytes=self._settings.max_body)
        if body.agent not in self._names:
            raise ProblemError(404, "agent_not_found", f"The agents are: {', '.join(sorted(self._names))}.")
        message = execute_message(
            body,
            actor=request[ACTOR],
            delivery_id=await self._keys.delivery_id(request, body.model_dump_json().encode()),
            received_at=datetime.now(UTC),
        )
        return await self._turns.start(request, message, to_chat_answer, wait=self._settings.chat_wait)
