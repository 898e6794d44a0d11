"""An action that was accepted: what the journal keeps and the engine carries out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from .transitions import Action

__all__ = ["ORDERS", "Order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One accepted action. Times are simulated."""

    at: datetime
    applies_at: datetime
    """When the plan shows it: the answer comes first, batchman works later."""
    user: str
    action: Action
    job_id: str
    job: str
    """`workstation#stream.job`, for readers of the journal."""
    run_id: str | None
    justification: dict[str, str]
    """`description`, `category`, `ticket`, where the caller sent them."""


ORDERS: TypeAdapter[Order] = TypeAdapter(Order)
"""Reads and writes an order as JSON."""
