"""What other thresholds would do to questions that people judged; switching is a decision of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from security.audit import AuditEntry, AuditLog

from .documents import Reader
from .search import THRESHOLD, Search
from .store import mark_changed, transaction
from .tables import feedback, thresholds

_STEPS = tuple(step / 20 for step in range(1, 20))


@dataclass(frozen=True, slots=True)
class Judged:
    """A question of which somebody said whether it should have been answered."""

    confidence: float
    """Of the search as it is now."""
    should_answer: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What one threshold does to the judged questions: how many of each."""

    threshold: float
    answered_right: int
    answered_wrong: int
    refused_right: int
    refused_wrong: int


def effects(judged: Iterable[Judged], candidates: Iterable[float]) -> tuple[Effect, ...]:
    """The effect of each threshold, ascending. Pure."""
    questions = list(judged)

    def effect(threshold: float) -> Effect:
        counts = Counter((one.confidence >= threshold, one.should_answer) for one in questions)
        return Effect(
            threshold, counts[True, True], counts[True, False], counts[False, False], counts[False, True]
        )

    return tuple(map(effect, sorted(set(candidates))))


class Tuning:
    """The threshold from which the search answers. Every method may raise `StoreUnavailableError`."""

    def __init__(self, engine: AsyncEngine, search: Search, audit: AuditLog) -> None:
        self._engine = engine
        self._search = search
        self._audit = audit

    async def report(self) -> tuple[float, tuple[Effect, ...]]:
        """The threshold as it is, and the effects of it and of others on the judged questions."""
        query = select(
            feedback.c.question, feedback.c.verdict, feedback.c.sources, feedback.c.state
        ).order_by(feedback.c.created_at)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        judged = []
        for row in rows:
            wanted = _should_answer(row.verdict, row.sources, row.state)
            if wanted is not None:
                found = await self._search.search(row.question, reader=Reader(None), k=1)
                judged.append(Judged(found.confidence, wanted))
        current = await self._search.threshold()
        return current, effects(judged, (current, *_STEPS))

    async def switch(self, threshold: float, *, by: str) -> None:
        """From now on the search answers from this confidence on; audited. Raises ValueError outside of 0 to 1."""
        if not 0 <= threshold <= 1:
            raise ValueError("a threshold is between 0 and 1")
        values = {"value": threshold, "set_by": by, "set_at": func.now()}
        async with transaction(self._engine) as connection:
            await mark_changed(connection)  # answers that were kept go with it
            before = await connection.execute(
                select(thresholds.c.value).where(thresholds.c.name == THRESHOLD)
            )
            entry = AuditEntry(
                actor_id=by,
                channel="cli",
                action="set_threshold",
                target=THRESHOLD,
                phase="other",
                detail={"before": str(before.scalar() or "default"), "after": str(threshold)},
            )
            statement = insert(thresholds).values(name=THRESHOLD, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
            await self._audit.append(connection, entry)


def _should_answer(verdict: str, sources: Sequence[str], state: str) -> bool | None:
    """What people wanted of a question; None where they did not tell."""
    if verdict == "good":
        return bool(sources)  # a refusal that is good was right
    if sources:
        return False
    return True if state == "accepted" else None
