"""What people say of answers, and what becomes of their corrections once somebody has decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Text, any_, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from security.audit import AuditEntry, AuditLog

from .documents import Properties, Reader, Readers
from .errors import DocumentRejectedError
from .ingest import Ingest
from .store import Store, mark_changed, readable, transaction
from .tables import documents, feedback, glossary
from .terms import tokenize

Verdict: TypeAlias = Literal["good", "bad"]
FeedbackState: TypeAlias = Literal["open", "accepted", "rejected"]

_SHOWN = 200
"""Open corrections listed; the oldest first, so that none is forgotten."""
_COLUMNS = [column for column in feedback.c if column.name != "actor_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What one person said of one answer; the person is not named to whoever decides."""

    id: UUID
    turn_id: str
    verdict: Verdict
    question: str
    correction: str
    sources: Sequence[str]
    """Ids of the documents that the answer cited; empty where it knew no answer."""
    state: FeedbackState
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a correction."""

    accept: bool
    become: Literal["document", "glossary"] = "document"
    text: str = ""
    """In the curator's words; empty: as it was proposed."""
    readers: Readers | None = None
    """Of the document. None: everybody, which is refused where a source of the answer was restricted."""


class FeedbackBook:
    """All feedback. Every method may raise `StoreUnavailableError`."""

    def __init__(self, engine: AsyncEngine, *, store: Store, ingest: Ingest, audit: AuditLog) -> None:
        self._engine = engine
        self._store = store
        self._ingest = ingest
        self._audit = audit

    async def give(
        self,
        turn_id: str,
        actor_id: str,
        verdict: Verdict,
        *,
        question: str,
        correction: str,
        sources: Sequence[str],
    ) -> UUID | None:
        """Stores what a person says of an answer in the place of what they said before; None once that is decided.

        Cases that the answer cited count for more or less from then on.
        """
        mine = (feedback.c.turn_id == turn_id) & (feedback.c.actor_id == actor_id)
        values = {"verdict": verdict, "correction": correction, "created_at": func.now()}
        statement = (
            insert(feedback)
            .values(
                id=uuid4(),
                turn_id=turn_id,
                actor_id=actor_id,
                question=question,
                sources=list(sources),
                **values,
            )
            .on_conflict_do_update(
                index_elements=["turn_id", "actor_id"], set_=values, where=feedback.c.state == "open"
            )
            .returning(feedback.c.id)
        )
        async with transaction(self._engine) as connection:
            before = (
                await connection.execute(select(feedback.c.verdict).where(mine).with_for_update())
            ).scalar()
            given: UUID | None = (await connection.execute(statement)).scalar()
        if given is not None and before != verdict:
            for _ in range(1 if before is None else 2):  # what was said before is taken back first
                await self._weigh(sources, verdict)
        return given

    async def list(self, state: FeedbackState, reader: Reader) -> tuple[Feedback, ...]:
        """What is in this state, the oldest first, as far as the reader may read all that the answers cited."""
        query = select(*_COLUMNS).where(feedback.c.state == state, ~_cites_restricted(reader))
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(feedback.c.created_at).limit(_SHOWN))
            return tuple(Feedback(**row._asdict()) for row in rows)

    async def decide(self, feedback_id: str, decision: Decision, *, by: str, reader: Reader) -> bool:
        """Carries the decision out, once; False where nothing is open under the id (or it is not the reader's to see).

        Raises `DocumentRejectedError` for a correction that cannot be taken, and says why.
        """
        try:
            wanted = feedback.c.id == UUID(feedback_id)
        except ValueError:
            return False
        query = select(*_COLUMNS).where(wanted, feedback.c.state == "open", ~_cites_restricted(reader))
        async with transaction(self._engine) as connection:
            # held until the end: who comes second finds it decided
            row = (await connection.execute(query.with_for_update())).one_or_none()
            if row is None:
                return False
            if decision.accept:
                await self._accept(connection, Feedback(**row._asdict()), decision, by)
            state = "accepted" if decision.accept else "rejected"
            await connection.execute(
                update(feedback).where(wanted).values(state=state, decided_by=by, decided_at=func.now())
            )
            entry = AuditEntry(
                actor_id=by,
                channel="web",
                action="accept_feedback" if decision.accept else "reject_feedback",
                target=feedback_id,
                phase="other",
                detail={"as": decision.become, "readers": sorted(decision.readers or ())},
            )
            await self._audit.append(connection, entry)
        return True

    async def _accept(
        self, connection: AsyncConnection, given: Feedback, decision: Decision, by: str
    ) -> None:
        words = (decision.text or given.correction).strip()
        if decision.become == "glossary":
            if len(set(tokenize(words))) < 2:  # noqa: PLR2004  # a word and another that stands for it
                raise DocumentRejectedError("a line of the glossary has at least two words")
            await mark_changed(connection)
            line = insert(glossary).values(notion=" ".join(words.split()), added_by=by)
            await connection.execute(line.on_conflict_do_nothing())
            return
        if decision.readers is None and await _has_restricted(connection, given.sources):
            raise DocumentRejectedError(
                "the answer cites restricted documents: say who may read the correction"
            )
        report = await self._ingest.ingest_bytes(
            f"correction:{given.id}",
            f"# {' '.join(given.question.split())}\n\n{words}\n".encode(),
            media_type="text/markdown",
            properties=Properties(kind="correction", readers=decision.readers or frozenset()),
        )
        if report.outcome == "rejected":
            raise DocumentRejectedError(report.detail)

    async def _weigh(self, sources: Sequence[str], verdict: Verdict) -> None:
        for document_id in sources:
            document = await self._store.get(document_id, Reader(None))
            if document is not None and document.kind == "case":
                await self._store.weigh(document_id, verdict)


def _cites_restricted(reader: Reader) -> ColumnElement[bool]:
    """Whether an answer cited what the reader may not read."""
    cited = cast(documents.c.id, Text) == any_(feedback.c.sources)
    return select(documents.c.id).where(cited, ~readable(reader)).exists()


async def _has_restricted(connection: AsyncConnection, sources: Sequence[str]) -> bool:
    cited = cast(documents.c.id, Text).in_(sources)
    restricted = select(documents.c.id).where(cited, func.cardinality(documents.c.readers) > 0)
    return (await connection.execute(restricted.limit(1))).first() is not None
