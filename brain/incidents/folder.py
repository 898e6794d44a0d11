"""Folds alerts into incidents, finds troubles that nobody reported, and follows them to their end.

One process at a time does it for all: each round is one transaction under a lock, so that a crash leaves nothing half
folded and another process goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, exists, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.message import Alert, Channel, Conversation, InboundMessage, Sender
from brain.tables import INCIDENT_EVENTS, INCIDENTS
from brain.turns.inbox import AcceptsMessages
from tws.actions import PlanObject
from tws.mirror.plans import Plans
from tws.objects import Dependency, Job, JobStream, Workstation
from tws.plan import Plan

from .alerts import StoredAlert, fold, try_again, waiting
from .incidents import Incident, Root, change, create, current, is_active, read_incident, step
from .lifecycle import ACTIVE
from .settings import IncidentSettings
from .troubles import (
    Trouble,
    all_troubles,
    behind,
    endangered,
    root_of,
    severity_of,
    still,
    waiting_for,
)

_ROUND = timedelta(seconds=0.5)
_AT_ONCE = 5000
"""Alerts folded in one transaction."""
_BY_HAND = timedelta(days=1)
"""For how long the plan does not open again what a person resolved."""
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('incidents'))")

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Folder:
    """Runs beside the worker."""

    engine: AsyncEngine
    _: KW_ONLY
    plans: Plans
    engines: tuple[str, ...]
    """Names; the first is meant where an alert names none."""
    inbox: AcceptsMessages
    settings: IncidentSettings
    read_again: Callable[[str], None] = lambda _engine: None
    """Asks for a plan that is newer than an alert."""
    interval: timedelta = _ROUND
    _looked_at: dict[str, datetime] = field(default_factory=dict, init=False)
    """By engine, the copy of the plan that was looked through last."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begins to look."""
        self._task = asyncio.create_task(self._run(), name="incidents")

    async def aclose(self) -> None:
        """Stops looking; another process goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except (OSError, DBAPIError) as error:
                _log.warning("incidents_round_failed", error=type(error).__name__)
            except Exception:  # noqa: BLE001  # a fault of ours must not end the rounds; the same alerts come again
                _log.exception("incidents_round_failed")
            await asyncio.sleep(self.interval.total_seconds())

    async def round(self) -> int:
        """Folds what waits, looks through plans that are new, and says how many alerts were folded."""
        plans = {name: plan for name in self.engines if (plan := await self.plans.current(name))}
        async with self.engine.begin() as connection:
            if not (await connection.execute(_LOCK)).scalar():
                return 0
            folded = await self._fold(connection, plans)
            for name, plan in plans.items():
                if self._looked_at.get(name) != plan.read_at:
                    await self._look_through(connection, name, plan)
                    await self._follow(connection, name, plan)
            await self._close(connection)
        self._looked_at = {name: plan.read_at for name, plan in plans.items()}
        await self._investigate()
        return folded

    async def _fold(self, connection: AsyncConnection, plans: Mapping[str, Plan]) -> int:
        if not plans:
            return 0
        newest = max(plan.read_at for plan in plans.values())
        alerts = await waiting(connection, limit=_AT_ONCE, read_at=newest, patience=self.settings.patience)
        found, without = await asyncio.to_thread(self._sorted, alerts, plans)
        for (engine, _), (trouble, same) in found.items():
            incident = await self._incident(connection, engine, plans[engine], trouble, _seen(same))
            await fold(connection, [one.seq for one in same], incident.id)
        news = [one for one in without if self._may_be_news(one, plans[self._engine_of(one)])]
        for engine in {self._engine_of(one) for one in news}:
            self.read_again(engine)
        if news:
            await try_again(connection, [one.seq for one in news], newest)
        if unfounded := {one.seq for one in without} - {one.seq for one in news}:
            await fold(connection, sorted(unfounded), None)
        return sum(len(same) for _, same in found.values())

    def _sorted(
        self, alerts: Sequence[StoredAlert], plans: Mapping[str, Plan]
    ) -> tuple[dict[tuple[str, str], tuple[Trouble, list[StoredAlert]]], list[StoredAlert]]:
        """The alerts by the trouble behind them, and those behind which the plan knows of none. Takes a while."""
        found: dict[tuple[str, str], tuple[Trouble, list[StoredAlert]]] = {}
        known: dict[Alert, Trouble | None] = {}
        without = []
        for one in alerts:
            engine = self._engine_of(one)
            plan = plans.get(engine)
            if plan is None:
                continue
            subject = _subject_of(one.alert, engine)
            if subject not in known:
                known[subject] = behind(plan, one.alert, plan.read_at)
            trouble = known[subject]
            if trouble is None:
                without.append(one)
            else:
                found.setdefault((engine, trouble.key), (trouble, []))[1].append(one)
        return found, without

    def _engine_of(self, alert: StoredAlert) -> str:
        return alert.alert.engine if alert.alert.engine in self.engines else self.engines[0]

    def _may_be_news(self, alert: StoredAlert, plan: Plan) -> bool:
        """Whether the plan was read before the alert came, and may still tell."""
        waited = datetime.now(UTC) - alert.received_at
        return plan.read_at < alert.received_at and waited < self.settings.patience

    async def _look_through(self, connection: AsyncConnection, engine: str, plan: Plan) -> None:
        troubles = await asyncio.to_thread(lambda: {one.key: one for one in all_troubles(plan, plan.read_at)})
        known = select(INCIDENTS.c.trouble).where(
            INCIDENTS.c.engine == engine, INCIDENTS.c.state.in_(ACTIVE) | _was_ended_by_hand()
        )
        active = set((await connection.execute(known)).scalars())
        for key, trouble in troubles.items():
            if key not in active:
                await self._incident(connection, engine, plan, trouble, (plan.read_at, plan.read_at))

    async def _incident(
        self,
        connection: AsyncConnection,
        engine: str,
        plan: Plan,
        trouble: Trouble,
        seen: tuple[datetime, datetime],
    ) -> Incident:
        """The incident of the trouble, made or opened again where there is none."""
        found = await current(connection, engine, trouble.key, window=self.settings.reopen_within)
        first, last = seen
        if found is None:
            held = waiting_for(plan, trouble.key, trouble.witness)
            return await create(
                connection,
                {
                    "engine": engine,
                    "trouble": trouble.key,
                    "cause": trouble.cause,
                    "subject": _selection(trouble.root),
                    "root": _root(trouble.root),
                    "witness": trouble.witness or None,
                    "severity": severity_of(plan, trouble.root, held, plan.read_at),
                    "waiting": len(held),
                    "first_seen": first,
                    "last_seen": last,
                },
            )
        if found.state in {"resolved", "mitigated"}:
            await step(connection, found, "reopen")
        await change(
            connection,
            found.id,
            first_seen=min(first, found.first_seen),
            last_seen=max(last, found.last_seen),
        )
        return found

    async def _follow(self, connection: AsyncConnection, engine: str, plan: Plan) -> None:
        """What became of the active incidents, by the plan."""
        query = select(INCIDENTS).where(INCIDENTS.c.engine == engine, is_active()).with_for_update()
        now = plan.read_at
        at_risk = await asyncio.to_thread(endangered, plan, now)
        for row in (await connection.execute(query)).mappings().all():
            incident = read_incident(row)
            stands = still(plan, incident.trouble, incident.witness, now)
            if stands == "over":
                await step(connection, incident, "resolve")
                continue
            if stands == "moving":
                await step(connection, incident, "mitigate")
                continue
            if incident.state == "mitigated":
                await step(connection, incident, "reopen")
            held = waiting_for(plan, incident.trouble, incident.witness)
            root = root_of(plan, incident.trouble, incident.witness)
            severity = severity_of(plan, root, held, now, at_risk)
            if (len(held), severity) != (incident.waiting, incident.severity):
                await change(connection, incident.id, waiting=len(held), severity=severity)

    async def _close(self, connection: AsyncConnection) -> None:
        """What was resolved for so long that a new trouble would be a new incident."""
        is_past = INCIDENTS.c.ended_at < func.now() - self.settings.reopen_within
        query = select(INCIDENTS).where(INCIDENTS.c.state == "resolved", is_past).with_for_update()
        for row in (await connection.execute(query)).mappings().all():
            await step(connection, read_incident(row), "close")

    async def _investigate(self) -> None:
        """Asks the brain why, once for each incident; a second time is the same delivery."""
        # One a round, the latest first: a night full of troubles must not take the place of people's questions.
        latest = INCIDENTS.c.last_seen.desc()
        lacking = (
            select(INCIDENTS).where(INCIDENTS.c.turn_id.is_(None), is_active()).order_by(latest).limit(1)
        )
        async with self.engine.connect() as connection:
            rows = (await connection.execute(lacking)).mappings().all()
        for incident in map(read_incident, rows):
            accepted = await self.inbox.accept(_question(incident))
            async with self.engine.begin() as connection:
                await connection.execute(
                    update(INCIDENTS).where(INCIDENTS.c.id == incident.id).values(turn_id=accepted.turn_id)
                )


def _was_ended_by_hand() -> ColumnElement[bool]:
    """Who resolved it knows what the plan shows: only an alert opens it again."""
    by_hand = (
        (INCIDENT_EVENTS.c.incident_id == INCIDENTS.c.id)
        & (INCIDENT_EVENTS.c.kind == "resolve")
        & (INCIDENT_EVENTS.c.actor_id != "")
    )
    return (INCIDENTS.c.ended_at > func.now() - _BY_HAND) & exists().where(by_hand)


def _question(incident: Incident) -> InboundMessage:
    """The alert that the brain diagnoses: what the plan says, in no sender's words."""
    root = incident.root or {}
    alert = Alert(
        event=incident.cause,
        job=root.get("job", ""),
        job_stream=root.get("job_stream", ""),
        job_stream_workstation=root.get("workstation", ""),
        workstation=root.get("workstation", "") if not root.get("job") else "",
        engine=incident.engine,
    )
    name = f"incident-{incident.id}"
    return InboundMessage(
        delivery_id=name,
        conversation=Conversation(channel=Channel.WEBHOOK, tenant="incidents", conversation_id=name),
        sender=Sender(channel=Channel.WEBHOOK, tenant="incidents", user_id="incidents"),
        text="",
        received_at=datetime.now(UTC),
        alert=alert,
    )


def _seen(alerts: Iterable[StoredAlert]) -> tuple[datetime, datetime]:
    """When the first and the last of them happened; a clock that is ahead is not believed."""
    times = [min(one.alert.happened_at or one.received_at, one.received_at) for one in alerts]
    return min(times), max(times)


def _subject_of(alert: Alert, engine: str) -> Alert:
    """What alerts about the same thing have in common."""
    return Alert(
        event="",
        job=alert.job,
        job_stream=alert.job_stream,
        job_stream_workstation=alert.job_stream_workstation,
        workstation=alert.workstation,
        engine=engine,
    )


def _selection(root: PlanObject | Dependency) -> str:
    return root.target if isinstance(root, Dependency) else root.selection


def _root(root: PlanObject | Dependency) -> Root | None:
    match root:
        case Job():
            return {
                "job": root.name,
                "job_stream": root.job_stream,
                "workstation": root.job_stream_workstation,
                "folder": root.folder,
            }
        case JobStream():
            return {
                "job": "",
                "job_stream": root.name,
                "workstation": root.workstation,
                "folder": root.folder,
            }
        case Workstation():
            return {"job": "", "job_stream": "", "workstation": root.name, "folder": root.folder}
    return None
