"""The master: one plan in motion, kept in step with the clock and on disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import structlog

from .engine import Engine
from .generator import generate
from .journal import Journal, PlanHeader
from .orders import Order
from .runs import JobState
from .transitions import Action

__all__ = ["IllegalActionError", "Master"]

_PLAN_LENGTH = timedelta(hours=24)
_HEAD_START = timedelta(hours=6)
"""How far into the night a plan is when it is made."""
_FIRST_RUN_NUMBER = 1201

_log = structlog.get_logger(__name__)


class IllegalActionError(Exception):
    """The action is not legal in the job's present status."""


class Master:
    """Keeps the plan; made anew over the same folder it comes back to the same state."""

    def __init__(
        self,
        *,
        seed: int,
        speed: float,
        apply_delay: tuple[float, float],
        clock: Callable[[], datetime],
        folder: Path | None,
    ) -> None:
        """`apply_delay` is in simulated seconds, from and to; `clock` gives aware UTC times."""
        self._seed, self._speed, self._apply_delay, self._clock = seed, speed, apply_delay, clock
        self._journal = Journal(folder) if folder else None
        header = self._journal.header() if self._journal else None
        if header is None or self._is_over(header):
            self._begin(_FIRST_RUN_NUMBER if header is None else header.run_number + 1)
        else:
            self._resume(header)

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
        delay = Random(f"{job.plan.id}/{len(self._orders)}").uniform(*self._apply_delay)
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
            seed=self._seed, run_number=run_number, start=start, created_at=now, speed=self._speed
        )
        if self._journal:
            self._journal.begin(header)
        self._resume(header)

    def _resume(self, header: PlanHeader) -> None:
        self._header = header
        self._engine = Engine(generate(seed=header.seed, start=header.start, run_number=header.run_number))
        self._orders = self._journal.orders() if self._journal else []
        for order in self._orders:
            self._engine.advance(order.at)
            self._engine.submit(order)
        _log.info("plan_opened", run_number=header.run_number, orders=len(self._orders))

    def _time(self, header: PlanHeader) -> datetime:
        """Simulated time."""
        return header.created_at + (self._clock() - header.created_at) * header.speed

    def _is_over(self, header: PlanHeader) -> bool:
        return self._time(header) - header.start >= _PLAN_LENGTH
