"""What was answered, for those who say what they think of it or ask why."""

from __future__ import annotations

from dataclasses import dataclass

from brain.llm.calls import ModelCalls
from brain.message import Conversation
from brain.reply import Reply
from brain.turns.inbox import Inbox
from knowledge.feedback import FeedbackBook, Verdict
from security.roles import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer and what it was made with."""

    turn_id: str
    question: str
    reply: Reply
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Raises SQLAlchemy's errors and `StoreUnavailableError` when the database is away."""

    inbox: Inbox
    book: FeedbackBook
    model_calls: ModelCalls

    async def find(self, turn_id: str, conversation: Conversation) -> Answered | None:
        """The answer to a turn; None where there is none in this chat or channel."""
        found = await self.inbox.answered(turn_id)
        if found is None or found[0].conversation.place != conversation.place:
            return None
        message, reply = found
        models = await self.model_calls.models_of(turn_id)
        return Answered(turn_id=turn_id, question=message.text, reply=reply, models=models)

    async def rate(self, answered: Answered, verdict: Verdict, correction: str, *, by: Actor) -> bool:
        """Keeps what the person thinks of it; False once somebody has decided on what they said before."""
        citations = answered.reply.citations
        documents = dict.fromkeys(one.document_id for one in citations if ":" not in one.document_id)
        given = await self.book.give(
            answered.turn_id,
            by.actor_id,
            verdict,
            question=answered.question,
            correction=correction,
            sources=list(documents),
        )
        return given is not None
