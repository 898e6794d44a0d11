"""A folder of incidents on a scenario of the simulator, mirrored once or again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.alerts import Alerts, Report
from brain.incidents.desk import Desk
from brain.incidents.folder import Folder
from brain.incidents.incidents import Incident, Incidents
from brain.incidents.settings import IncidentSettings
from brain.message import Alert
from observability.metrics import Metrics
from security.audit import AuditLog
from tests.support.recording_inbox import RecordingInbox
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tws.client import TwsClient
from tws.mirror.plans import Plans
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings
from tws.settings import TwsSettings
from tws.transport import open_session

ENGINE = "TWS"


@dataclass(slots=True)
class Watched:
    """A scenario, and what is made of its alerts."""

    engine: AsyncEngine
    tws: TwsClient
    mirror: Mirror
    plans: Plans
    clock: SteppingClock
    inbox: RecordingInbox
    folder: Folder

    @property
    def alerts(self) -> Alerts:
        return Alerts(self.engine)

    @property
    def desk(self) -> Desk:
        return Desk(incidents=Incidents(self.engine), audit=AuditLog())

    async def report(self, *alerts: Alert, source: str = "tws") -> None:
        reports = [Report(f"{one.job_stream}.{one.job}.{one.workstation}.{one.event}", one) for one in alerts]
        await self.alerts.accept(source, reports)

    async def folded(self) -> tuple[Incident, ...]:
        """All incidents once nothing waits any more."""
        while await self.folder.round():
            pass
        return await Incidents(self.engine).list()

    async def later(self, **span: float) -> None:
        """The engine's time goes on, and its plan is read again."""
        self.clock.step(**span)
        await self.mirror.poll()


def new_folder(engine: AsyncEngine, plans: Plans, inbox: RecordingInbox, **settings: timedelta) -> Folder:
    chosen = IncidentSettings(**{"patience": timedelta(microseconds=1), **settings})
    return Folder(engine, plans=plans, engines=(ENGINE,), inbox=inbox, settings=chosen)


@asynccontextmanager
async def watched(engine: AsyncEngine, scenario: str, *, user: str = "resync") -> AsyncIterator[Watched]:
    clock, inbox = SteppingClock(), RecordingInbox()
    async with running_simulator(clock=clock, scenario=scenario, apply_delay=(0.0, 0.0)) as url:
        settings = TwsSettings(url=url, username=user, password=SecretStr(PASSWORD), write=True)
        async with open_session(settings) as session:
            client = TwsClient(settings, session, Metrics())
            mirror = Mirror(
                engine, name=ENGINE, source=client, settings=MirrorSettings(), metrics=Metrics(), clock=clock
            )
            try:
                await mirror.poll()
                plans = Plans(engine, fresh_for=timedelta(0))
                folder = new_folder(engine, plans, inbox)
                yield Watched(engine, client, mirror, plans, clock, inbox, folder)
            finally:
                await mirror.aclose()
