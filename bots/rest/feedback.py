"""What people say of answers, and the queue of their corrections: `/api/v1/feedback`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from bots.problems import ProblemError
from brain.turns.inbox import Inbox
from knowledge.documents import Reader, Readers
from knowledge.feedback import Decision, Feedback, FeedbackBook, FeedbackState, Verdict

from .body import read_json, read_query
from .endpoint import ACTOR, json_response
from .idempotency import IdempotencyKeys
from .models import Id, Request
from .rag import problems
from .turns import Answers, may_read

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=r"^[^\x00]*$")]


class FeedbackRequest(Request):
    """What you say of an answer; later words replace earlier ones."""

    turn_id: Id
    verdict: Verdict
    correction: _Words = ""
    """How it is right, in your words."""


class FeedbackGiven(BaseModel):
    """What you said is stored."""

    id: UUID


class FeedbackQuery(Request):
    """Which feedback."""

    state: FeedbackState = "open"


class FeedbackQueue(BaseModel):
    """The oldest first."""

    feedback: Sequence[Feedback]


class FeedbackDecision(Request):
    """What becomes of a correction."""

    decision: Literal["accept", "reject"]
    become: Annotated[Literal["document", "glossary"], Field(alias="as")] = "document"
    """A document that searches find, or a line of words that stand for each other."""
    text: _Words = ""
    """Your wording; empty: as it was proposed."""
    readers: Readers | None = None
    """Who may read the document; needed where the answer cited a restricted one."""


class Decided(BaseModel):
    """The decision is carried out."""

    decision: Literal["accept", "reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRoutes:
    """Everybody says what they think of answers that they may read; who manages documents decides."""

    book: FeedbackBook
    inbox: Inbox
    answers: Answers
    keys: IdempotencyKeys

    async def give(self, request: web.Request) -> web.Response:
        """Say whether an answer was good, and how it is right; what you said before is replaced."""
        body = await read_json(request, FeedbackRequest)
        return await self.keys.once(
            request, body.model_dump_json().encode(), lambda: self._give(request, body)
        )

    async def queue(self, request: web.Request) -> web.Response:
        """The feedback on answers whose sources you may read, the oldest first."""
        query = read_query(request, FeedbackQuery)
        with problems():
            found = await self.book.list(query.state, Reader(request[ACTOR].readers))
        return json_response(FeedbackQueue(feedback=found))

    async def decide(self, request: web.Request) -> web.Response:
        """Accept a correction, as a document or a line of the glossary, or reject it."""
        body = await read_json(request, FeedbackDecision)
        return await self.keys.once(
            request, body.model_dump_json().encode(), lambda: self._decide(request, body)
        )

    async def _give(self, request: web.Request, body: FeedbackRequest) -> web.Response:
        message = await self.inbox.find(body.turn_id)
        if message is None or not may_read(message, request):
            raise ProblemError(404, "turn_not_found", "There is no such turn, or it is not yours.")
        reply = await self.answers.reply(body.turn_id)
        if reply is None:
            raise ProblemError(409, "still_running", "There is no answer yet.")
        documents = dict.fromkeys(item.document_id for item in reply.citations if ":" not in item.document_id)
        with problems():
            given = await self.book.give(
                body.turn_id,
                request[ACTOR].actor_id,
                body.verdict,
                question=message.text,
                correction=body.correction,
                sources=list(documents),
            )
        if given is None:
            raise ProblemError(409, "already_decided", "What you said of this answer has been decided on.")
        return json_response(FeedbackGiven(id=given))

    async def _decide(self, request: web.Request, body: FeedbackDecision) -> web.Response:
        actor = request[ACTOR]
        decision = Decision(
            accept=body.decision == "accept", become=body.become, text=body.text, readers=body.readers
        )
        with problems():
            is_done = await self.book.decide(
                request.match_info["feedback_id"], decision, by=actor.actor_id, reader=Reader(actor.readers)
            )
        if not is_done:
            raise ProblemError(404, "feedback_not_found", "There is no such feedback that is open.")
        return json_response(Decided(decision=body.decision))
