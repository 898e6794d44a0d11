"""The master: one plan after the other in motion, kept in step with the clock and on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import structlog

from .catalogue import scenario
from .definition import PlanDefinition
from .engine import Engine
from .generator import generated
from .journal import Entry, Journal, PlanHeader, Skip
from .maker import generate
from .orders import Order
from .settings import SimulatorSettings

_PLAN_LENGTH = timedelta(days=1)
_KEPT = 7 * _PLAN_LENGTH
"""A master that was down for longer begins afresh instead of living through all of it."""
_FIRST_RUN_NUMBER = 1201

_log = structlog.get_logger(__name__)


class IllegalActionError(Exception):
    """The action is not legal in the object's present state; the text says why."""


class OutageError(Exception):
    """The processes restart with the plan of the next day."""


class Master:
    """Keeps the plan; made anew over the same folder it comes back to the same state.

    When a plan ends the next one begins, with what has to be carried forward; the one before can still be read.
    """

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], datetime]) -> None:
        """`clock` gives aware UTC times. Raises CatalogueError where the scenario is broken."""
        self._settings, self._clock = settings, clock
        self._journal = Journal(settings.data_dir) if settings.data_dir else None
        kept = self._journal.read() if self._journal else None
        if kept and (kept[0].scenario, kept[0].jobs) == (settings.scenario, settings.jobs):
            self._resume(*kept)
        else:
            self._begin(_FIRST_RUN_NUMBER)
        if self._now() - self._header.start >= _KEPT:
            self._begin(self._header.run_number + (self._now() - self._header.start) // _PLAN_LENGTH)

    @property
    def engine(self) -> Engine:
        """The engine of the current plan, brought to the present."""
        self._advance(self._now())
        return self._engine

    @property
    def orders(self) -> tuple[Order, ...]:
        """Every accepted order, oldest first."""
        return tuple(self._orders)

    def engine_of(self, plan_id: str) -> Engine | None:
        """The engine of a plan: `current`, or the id of this plan or the one before. Raises OutageError."""
        engine = self.engine
        if self._previous and (engine.now - engine.plan.start).total_seconds() < self._settings.outage:
            raise OutageError
        kept = {"current": engine, engine.plan.id: engine}
        if self._previous:
            kept.setdefault(self._previous.plan.id, self._previous)
        return kept.get(plan_id)

    def accept(self, draft: Order, *, late: float = 0.0) -> Order:
        """Dates an order and keeps it; its effect follows after the delay and `late` simulated seconds.

        Raises IllegalActionError.
        """
        engine = self._engine
        delay = Random(f"{draft.object_id}/{len(self._orders)}").uniform(*self._settings.apply_delay)
        order = replace(draft, at=engine.now, applies_at=engine.now + timedelta(seconds=delay + late))
        if why := engine.why_illegal(order):
            raise IllegalActionError(why)
        self._keep(order)
        self._orders.append(order)
        engine.submit(order)
        _log.info("order_accepted", verb=order.verb, object=order.label, user=order.user)
        return order

    def skip(self, seconds: float) -> None:
        """Lets simulated time pass at once."""
        self._keep(Skip(seconds=seconds))
        self._skipped += timedelta(seconds=seconds)

    def _keep(self, entry: Entry) -> None:
        if self._journal:
            self._journal.append(entry)

    def _begin(self, run_number: int) -> None:
        now, settings = self._clock(), self._settings
        definition = _definition(settings.scenario, settings.jobs, settings.seed)
        header = PlanHeader(
            scenario=settings.scenario,
            jobs=settings.jobs,
            seed=settings.seed,
            run_number=run_number,
            start=(now - timedelta(minutes=definition.seen_at)).replace(second=0, microsecond=0),
            created_at=now,
            speed=settings.speed,
        )
        if self._journal:
            self._journal.begin(header)
        self._resume(header, [])

    def _resume(self, header: PlanHeader, entries: list[Entry]) -> None:
        self._header = header
        self._definition = _definition(header.scenario, header.jobs, header.seed)
        self._skipped = timedelta()
        self._orders: list[Order] = []
        self._previous: Engine | None = None
        self._engine = self._open(header.start, header.run_number)
        for entry in entries:
            if isinstance(entry, Skip):
                self._skipped += timedelta(seconds=entry.seconds)
                continue
            self._advance(entry.at)
            self._engine.submit(entry)
            self._orders.append(entry)
        _log.info("plan_opened", run_number=header.run_number, entries=len(entries))

    def _open(self, start: datetime, run_number: int) -> Engine:
        plan = generate(self._definition, seed=self._header.seed, start=start, run_number=run_number)
        return Engine(plan, carried=self._previous)

    def _advance(self, to: datetime) -> None:
        """Lets everything happen that is due, also the end of the plan and the beginning of the next one."""
        while self._definition.is_extended and to >= (end := self._engine.plan.start + _PLAN_LENGTH):
            self._engine.advance(end)
            self._previous = self._engine
            self._engine = self._open(end, self._engine.plan.run_number + 1)
            _log.info("plan_extended", run_number=self._engine.plan.run_number)
        self._engine.advance(to)

    def _now(self) -> datetime:
        """Simulated time."""
        header = self._header
        return header.created_at + (self._clock() - header.created_at) * header.speed + self._skipped


def _definition(name: str, jobs: int | None, seed: int) -> PlanDefinition:
    return scenario(name) if jobs is None else generated(jobs, seed)
