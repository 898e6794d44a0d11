"""The ledger of model calls: who asked which model for what, what that used and cost, and what was sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import structlog
from sqlalchemy import Date, cast, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.tables import MODEL_CALLS

from .budget import Budget
from .payer import Payer

Outcome: TypeAlias = Literal["running", "ok", "refused", "unavailable"]
"""`running` also stays of a call whose process died."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a call used. While it runs, the most that it may use."""

    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    """None for a model without a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended."""

    outcome: Outcome
    model: str
    """Who answered, or was asked last."""
    usage: Usage
    reason: str = ""
    """Why there is no answer."""
    latency: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One call to a provider."""

    id: str
    turn_id: str
    actor_id: str
    channel: str
    task: str
    model: str
    started_at: datetime
    latency_ms: int | None
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    outcome: Outcome
    reason: str
    sent: Sequence[dict[str, Any]] | None
    """The messages as they left the process; None where they are not kept any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """All calls of one day."""

    day: date
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    """Of models that have a price."""


class ModelCalls:
    """All calls of all processes. Every method but `end` raises SQLAlchemy's errors when the database is away."""

    def __init__(self, engine: AsyncEngine, budget: Budget) -> None:
        self._engine = engine
        self._budget = budget

    async def begin(
        self, payer: Payer, model: str, most: Usage, sent: Sequence[dict[str, Any]] | None
    ) -> str:
        """Sets aside what a call may use and gives its id. Raises `BudgetExhaustedError`."""
        call_id = uuid.uuid4().hex
        async with self._engine.begin() as connection:
            await self._budget.check(connection, payer)
            values = {**asdict(payer), **asdict(most), "id": call_id, "model": model, "sent": sent}
            await connection.execute(insert(MODEL_CALLS).values(values))
        return call_id

    async def end(self, call_id: str, ending: Ending) -> None:
        """Puts what was used in the place of what was set aside. Never raises: without it that stays spent."""
        values = {
            **asdict(ending.usage),
            "outcome": ending.outcome,
            "model": ending.model,
            "reason": ending.reason,
            "latency_ms": round(ending.latency / timedelta(milliseconds=1)),
        }
        try:
            async with self._engine.begin() as connection:
                await connection.execute(
                    update(MODEL_CALLS).where(MODEL_CALLS.c.id == call_id).values(values)
                )
        except (OSError, SQLAlchemyError) as error:
            _log.warning("model_call_not_recorded", call_id=call_id, error=type(error).__name__)

    async def models_of(self, turn_id: str) -> tuple[str, ...]:
        """The models that helped with the turn."""
        query = (
            select(MODEL_CALLS.c.model)
            .where(MODEL_CALLS.c.turn_id == turn_id, MODEL_CALLS.c.outcome == "ok")
            .distinct()
            .order_by(MODEL_CALLS.c.model)
        )
        async with self._engine.connect() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def recent(self, *, limit: int, actor_id: str = "") -> tuple[ModelCall, ...]:
        """The last calls, of one person or of all, the newest first."""
        query = select(MODEL_CALLS).order_by(MODEL_CALLS.c.started_at.desc(), MODEL_CALLS.c.id).limit(limit)
        if actor_id:
            query = query.where(MODEL_CALLS.c.actor_id == actor_id)
        async with self._engine.connect() as connection:
            return tuple(ModelCall(**row) for row in (await connection.execute(query)).mappings())

    async def usage(self, *, days: int) -> tuple[DayUsage, ...]:
        """Sums of the last days on which a model was asked, the newest first; days begin as for budgets."""
        calls = MODEL_CALLS.c
        day = cast(func.timezone(self._budget.zone.key, calls.started_at), Date)
        query = (
            select(
                day.label("day"),
                func.count().label("calls"),
                func.count().filter(calls.outcome.in_(("refused", "unavailable"))).label("failed"),
                func.sum(calls.input_tokens).label("input_tokens"),
                func.sum(calls.output_tokens).label("output_tokens"),
                func.coalesce(func.sum(calls.cost), 0).label("cost"),
            )
            .group_by(day)
            .order_by(day.desc())
            .limit(days)
        )
        async with self._engine.connect() as connection:
            return tuple(DayUsage(**row) for row in (await connection.execute(query)).mappings())
