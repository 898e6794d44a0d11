"""The master: one plan in motion, kept in step with the clock and on disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import structlog
from pydantic import BaseModel, Field, model_validator

from .engine import Engine
from .journal import Journal, PlanHeader
from .orders import Action, Order
from .plan import generate
from .runs import JobState

__all__ = ["IllegalActionError", "Master", "SimulatorSettings"]

_PLAN_LENGTH = timedelta(hours=24)
_HEAD_START = timedelta(hours=6)
"""How far into the night a plan is when it is made."""
_FIRST_RUN_NUMBER = 1201

_log = structlog.get_logger(__name__)


class SimulatorSettings(BaseModel):
    """The simulated TWS master."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; the simulator speaks plain HTTP."
    )
    port: int = Field(
        default=31116, ge=0, le=65535, description="Port to listen on; 0 lets the system choose a free one."
    )
    data_dir: Path | None = Field(
        default=None, description="Folder of the plan's journal; without it a restart begins another plan."
    )
    seed: int = Field(default=20, description="Chooses the plan; the same seed gives the same night.")
    speed: float = Field(
        default=1.0,
        gt=0,
        description="Simulated seconds in a real second; a plan keeps the speed it began with.",
    )
    apply_delay: tuple[float, float] = Field(
        default=(1.0, 3.0),
        description="From and to: simulated seconds between the answer to an action and its effect in the plan.",
    )

    @model_validator(mode="after")
    def _delays_in_order(self) -> SimulatorSettings:
        shortest, longest = self.apply_delay
        if not 0 <= shortest <= longest:
            raise ValueError("apply_delay must be two numbers of at least 0, the smaller one first")
        return self


class IllegalActionError(Exception):
    """The action is not legal in the job's present status."""


class Master:
    """Keeps the plan; made anew over the same folder it comes back to the same state."""

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], datetime]) -> None:
        """`clock` gives aware UTC times."""
        self._settings, self._clock = settings, clock
        self._journal = Journal(settings.data_dir) if settings.data_dir else None
        kept = self._journal.read() if self._journal else None
        if kept is None or self._is_over(kept[0]):
            self._begin(_FIRST_RUN_NUMBER if kept is None else kept[0].run_number + 1)
        else:
            self._resume(*kept)

    @property
    def engine(self) -> Engine:
        """The engine, brought to the present; another one once the plan has ended."""
        if self._is_over(self._header):
            self._begin(self._header.run_number + 1)
        self._engine.advance(self._time(self._header))
        return self._engine

    @property
    def orders(self) -> tuple[Order, ...]:
        """Every accepted order of this plan, oldest first."""
        return tuple(self._orders)

    def accept(
        self, action: Action, job: JobState, *, user: str, run_id: str | None, justification: dict[str, str]
    ) -> Order:
        """Keeps an order, whose effect follows after the delay. Raises IllegalActionError."""
        engine = self._engine
        delay = Random(f"{job.plan.id}/{len(self._orders)}").uniform(*self._settings.apply_delay)
        order = Order(
            at=engine.now,
            applies_at=engine.now + timedelta(seconds=delay),
            user=user,
            action=action,
            job_id=job.plan.id,
            job=f"{job.stream.plan.workstation}#{job.stream.plan.name}.{job.plan.name}",
            run_id=run_id,
            justification=justification,
        )
        if not engine.is_legal(order):
            raise IllegalActionError(order.job)
        if self._journal:
            self._journal.append(order)
        self._orders.append(order)
        engine.submit(order)
        _log.info("order_accepted", action=action, job=order.job, user=user)
        return order

    def _begin(self, run_number: int) -> None:
        now = self._clock()
        start = (now - _HEAD_START).replace(second=0, microsecond=0)
        header = PlanHeader(
            seed=self._settings.seed,
            run_number=run_number,
            start=start,
            created_at=now,
            speed=self._settings.speed,
        )
        if self._journal:
            self._journal.begin(header)
        self._resume(header, [])

    def _resume(self, header: PlanHeader, orders: list[Order]) -> None:
        self._header = header
        self._engine = Engine(generate(seed=header.seed, start=header.start, run_number=header.run_number))
        self._orders = orders
        for order in orders:
            self._engine.advance(order.at)
            self._engine.submit(order)
        _log.info("plan_opened", run_number=header.run_number, orders=len(orders))

    def _time(self, header: PlanHeader) -> datetime:
        """Simulated time."""
        return header.created_at + (self._clock() - header.created_at) * header.speed

    def _is_over(self, header: PlanHeader) -> bool:
        return self._time(header) - header.start >= _PLAN_LENGTH
