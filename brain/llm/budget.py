"""What may still be spent on models today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from brain.tables import MODEL_CALLS

from .model import ModelUnavailableError
from .payer import Payer
from .settings import BudgetSettings

_LOCK = func.pg_advisory_xact_lock(func.hashtext("model_calls"))


class BudgetExhaustedError(ModelUnavailableError):
    """Nothing is left of a budget of the day; no call was made."""

    part: ClassVar[str] = "budget"

    def __init__(self, name: str) -> None:
        super().__init__(f"llm.budget.{name} is used up", retryable=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits, and the zone in which a day begins."""

    limits: BudgetSettings
    zone: ZoneInfo

    async def check(self, connection: AsyncConnection, payer: Payer) -> None:
        """Raises `BudgetExhaustedError` where nothing is left.

        Calls that begin elsewhere wait until the caller's transaction ends, which stores what this one may use:
        so of any number at once only the last that still found something left goes beyond a budget.
        """
        limits = {name: limit for name, limit in self.limits if limit is not None}
        if not limits:
            return
        calls = MODEL_CALLS.c
        tokens = func.sum(calls.input_tokens + calls.output_tokens)
        spent = {
            "person_tokens_per_day": tokens.filter(calls.actor_id == payer.actor_id),
            "channel_tokens_per_day": tokens.filter(calls.channel == payer.channel),
            "tokens_per_day": tokens,
            "money_per_day": func.sum(calls.cost),
        }
        query = select(*(func.coalesce(spent[name], 0).label(name) for name in limits)).where(
            calls.started_at >= func.date_trunc("day", func.now(), self.zone.key)
        )
        await connection.execute(select(_LOCK))
        row = (await connection.execute(query)).mappings().one()
        for name, limit in limits.items():
            if row[name] >= limit:
                raise BudgetExhaustedError(name)
