"""Deciding on a proposed change: `POST /api/v1/proposals/{proposal_id}/decision`."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from bots.problems import ProblemError
from brain.actions.proposal import Proposals
from brain.reply import Reply
from security.roles import Permission

from .body import read_json
from .endpoint import ACTOR, Endpoint
from .idempotency import IdempotencyKeys
from .inbound import decision_message
from .models import Decision, DecisionRequest, Running
from .settings import RestSettings
from .turns import TurnRoutes

__all__ = ["ProposalRoutes"]


class ProposalRoutes:
    """A decision is a turn, as a press on a button is in every channel."""

    def __init__(
        self, proposals: Proposals, turns: TurnRoutes, keys: IdempotencyKeys, settings: RestSettings
    ) -> None:
        self._proposals = proposals
        self._turns = turns
        self._keys = keys
        self._settings = settings

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this noun adds to the API."""
        return (
            Endpoint(
                method="POST",
                path="/api/v1/proposals/{proposal_id}/decision",
                handle=self.decide,
                summary="Approve or reject a proposed change",
                tag="proposals",
                permission=Permission.APPROVE,
                request=DecisionRequest,
                responses={200: Decision, 202: Running},
                streams=True,
                idempotent=True,
            ),
        )

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """The outcome, after the plan has been read back."""
        proposal_id = request.match_info["proposal_id"]
        body = await read_json(request, DecisionRequest, max_bytes=self._settings.max_body)
        if await self._proposals.get(proposal_id) is None:
            raise ProblemError(404, "proposal_not_found", "There is no such proposal.")
        message = decision_message(
            proposal_id,
            body,
            actor=request[ACTOR],
            delivery_id=await self._keys.delivery_id(request, body.model_dump_json().encode()),
            received_at=datetime.now(UTC),
        )
        return await self._turns.start(request, message, _to_decision, wait=self._settings.decision_wait)


def _to_decision(reply: Reply, _conversation_id: str, _turn_id: str) -> Decision:
    if reply.outcome is None:
        # The turn was refused or broke off before the proposal was touched; its words say why.
        raise ProblemError(503, "not_decided", reply.plain_text)
    return Decision(state=reply.outcome.state, detail=reply.outcome.detail)
