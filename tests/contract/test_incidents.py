"""Alerts become incidents by the plan of a simulated master."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.incidents.alerts import Alerts, Report, fold, waiting
from brain.incidents.desk import IncidentError
from brain.message import Alert
from brain.tables import ALERTS
from security.tables import audit_log
from tests.support.brain_parts import OPERATOR, SUPERVISOR, VIEWER
from tests.support.incidents import new_folder, watched
from tests.support.waiting import eventually
from tws.actions import Action, Change, kind_of
from tws.justification import Justification
from tws.objects import Job

_ROOTS = {
    "agent-unlinked": {"AGT_POS01"},
    "credentials-expired": {
        "AGT_CRM01#CADCLI.EXTRAI_CLIENTES",
        "AGT_FIN01#REGULAT.SFTP_BACEN",
        "AGT_CRM01#SEGUROS.EMITE_APOLICES",
    },
    "failed-load": {"AGT_DWH01#DWHNIGHT.LOAD_SALES"},
    "fence-raised": {"AGT_PIX01"},
    "full-file-system": {
        "AGT_POS01#POSCLOSE.POS_SETTLE",
        "AGT_POS01#PRECOS.GERA_CARGA_PDV",
        "AGT_POS01#CUPONS.ARQUIVA_CUPONS",
    },
    "late-critical-path": {"AGT_FIN01#CONTABIL.APURACAO"},
    "limit-zero": {"AGT_CRD01"},
    "plan-extension-failed": {"MDM_SP#FINAL.MAKEPLAN"},
    "prompt-pending": {"PAGTO", "3102"},
    "storm": {"AGT_FIN01#ABERTURA.CARGA_SALDOS"},
    "healthy-night": set(),
    # Nothing there but what passes by itself, as long as nothing is late, or said to be.
    "resource-held": set(),
    "file-not-arrived": set(),
}
"""What is broken, by the titles and faults of the scenarios."""


def _alert(job: Job, event: str = "JobStatusChanged") -> Alert:
    return Alert(
        event=event,
        job=job.name,
        job_stream=job.job_stream,
        job_stream_workstation=job.job_stream_workstation,
        workstation=job.workstation,
        internal_status=job.status,
    )


@pytest.mark.parametrize("scenario", _ROOTS)
async def test_what_is_wrong_is_found_without_any_alert(engine: AsyncEngine, scenario: str) -> None:
    async with watched(engine, scenario) as watch:
        found = await watch.folded()
    assert {incident.subject for incident in found} == _ROOTS[scenario]


async def test_a_file_that_does_not_come_is_found_once_the_deadline_has_passed(engine: AsyncEngine) -> None:
    async with watched(engine, "file-not-arrived") as watch:
        await watch.later(hours=4)
        found = await watch.folded()
    assert [(one.cause, one.severity) for one in found] == [("file", "critical")]
    assert "CNAB240_RET.txt" in found[0].subject


async def test_who_says_that_a_job_is_late_is_told_what_holds_it(engine: AsyncEngine) -> None:
    async with watched(engine, "resource-held") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        held = [job for job in plan.jobs.values() if job.name in {"BACKUP_MAILBOX", "BACKUP_CRM"}]
        await watch.report(*(_alert(job, "JobStatusChanged") for job in held))
        assert await watch.folded() == ()
        await watch.report(*(_alert(job, "JobLate") for job in held))
        found = await watch.folded()
        await watch.later(minutes=5)
        still = await watch.folded()
    assert [one.cause for one in found] == ["resource"]
    assert "FITALTO" in found[0].subject
    assert [(one.id, one.state) for one in still] == [(found[0].id, "open")]


async def test_two_thousand_alerts_of_one_failure_are_one_incident(engine: AsyncEngine) -> None:
    async with watched(engine, "storm") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        chance = random.Random(7)  # noqa: S311  # the same order each time
        now = datetime.now(UTC)
        reports = [
            Report(
                job.id,
                # Clocks that are ahead and behind.
                Alert(
                    **{
                        **_fields(_alert(job)),
                        "happened_at": now + timedelta(seconds=chance.randint(-900, 900)),
                    }
                ),
            )
            for job in plan.jobs.values()
            if job.status != "SUCC"
            for _ in range(chance.choice((1, 1, 2)))
        ]
        chance.shuffle(reports)
        waiting = [reports[start : start + 200] for start in range(0, len(reports), 200)]
        folder = watch.folder
        folding = asyncio.create_task(_fold_meanwhile(folder.round))
        await asyncio.gather(*(watch.alerts.accept("tws", some) for some in waiting))
        folding.cancel()
        await asyncio.gather(folding, return_exceptions=True)
        (incident,) = await watch.folded()

        counts = await watch.alerts.counts([incident.id])
        async with engine.connect() as connection:
            times = await connection.scalar(select(func.sum(ALERTS.c.times)))
    assert incident.root == {
        "job": "CARGA_SALDOS",
        "job_stream": "ABERTURA",
        "workstation": "AGT_FIN01",
        "folder": "/",
    }
    assert incident.waiting == 2001
    assert counts == {incident.id: 2002}
    assert times == len(reports)
    assert incident.last_seen <= datetime.now(UTC)
    assert len(watch.inbox.messages) == 1


async def _fold_meanwhile(round_: object) -> None:
    while True:
        await round_()  # type: ignore[operator]  # a round


def _fields(alert: Alert) -> dict[str, object]:
    return {name: getattr(alert, name) for name in Alert.__slots__}


async def test_who_folds_never_waits_for_a_sender(engine: AsyncEngine) -> None:
    alerts = Alerts(engine)
    reports = [Report(name, Alert(event="x", job=name)) for name in ("A", "B")]
    await alerts.accept("tws", reports)
    is_waiting = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')")
    async with engine.begin() as folding, engine.connect() as looking:
        await folding.execute(select(ALERTS.c.seq).where(ALERTS.c.fingerprint == "B").with_for_update())
        sending = asyncio.create_task(alerts.accept("tws", reports))
        await eventually(lambda: looking.scalar(is_waiting))
        # The sender counts A, and waits for B.
        mine = await waiting(folding, limit=10, read_at=datetime.now(UTC))
        await fold(folding, [one.seq for one in mine], None)
    assert [one.alert.job for one in mine] == ["B"]
    assert (await sending).duplicate
    async with engine.begin() as connection:
        left = await waiting(connection, limit=10, read_at=datetime.now(UTC))
    assert [(one.alert.job, one.times) for one in left] == [("A", 2)]


async def test_alerts_of_jobs_that_wait_go_to_the_one_that_failed(engine: AsyncEngine) -> None:
    async with watched(engine, "failed-load") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        waiting = [job for job in plan.jobs.values() if job.status == "HOLD"]
        await watch.report(*(_alert(job, "JobLate") for job in waiting))
        (incident,) = await watch.folded()
    assert incident.subject == "AGT_DWH01#DWHNIGHT.LOAD_SALES"
    assert (await watch.alerts.counts([incident.id]))[incident.id] >= 7


async def test_an_alert_that_the_plan_does_not_bear_out_is_kept_and_opens_nothing(
    engine: AsyncEngine,
) -> None:
    async with watched(engine, "healthy-night") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        await watch.report(*(_alert(job) for job in plan.jobs.values()), Alert(event="x", job="NO_SUCH_JOB"))
        assert await watch.folded() == ()
        async with engine.connect() as connection:
            left = await connection.scalar(select(func.count()).where(ALERTS.c.folded_at.is_(None)))
    assert left == 0


async def test_an_alert_waits_for_a_plan_that_is_newer(engine: AsyncEngine) -> None:
    async with watched(engine, "healthy-night") as watch:
        asked: list[str] = []
        folder = new_folder(engine, watch.plans, watch.inbox, patience=timedelta(hours=1))
        folder.read_again = asked.append
        await watch.report(Alert(event="JobStatusChanged", job="CALC_TARIFAS", job_stream="TARIFAS"))
        assert await folder.round() == 0
    assert asked == ["TWS"]


async def test_what_a_crash_left_is_done_by_the_next_process(engine: AsyncEngine) -> None:
    async with watched(engine, "failed-load") as watch:
        watch.inbox.error = ConnectionError("killed here")
        with pytest.raises(ConnectionError):
            await watch.folder.round()
        watch.inbox.error = None
        next_process = new_folder(engine, watch.plans, watch.inbox)
        await next_process.round()
        await next_process.round()
        (incident,) = await watch.desk.incidents.list()
    assert incident.turn_id == "turn-1"
    (message,) = watch.inbox.messages
    assert message.alert is not None
    assert message.alert.job == "LOAD_SALES"


async def test_the_plan_ends_an_incident_and_time_closes_it(engine: AsyncEngine) -> None:
    async with watched(engine, "failed-load") as watch:
        (incident,) = await watch.folded()
        plan = await watch.plans.current("TWS")
        assert plan is not None
        root = next(job for job in plan.jobs.values() if job.name == "LOAD_SALES")
        change = Change(
            action=Action.CONFIRM_SUCC,
            kind=kind_of(root),
            object_id=root.id,
            selection=root.selection,
            arguments={},
        )
        await watch.tws.carry_out(change, Justification(reason="the rows are there"))
        await watch.later(seconds=20)
        (ended,) = await watch.folded()
        assert ended.state == "resolved"
        assert ended.ended_at is not None
        watch.folder = new_folder(engine, watch.plans, watch.inbox, reopen_within=timedelta(microseconds=1))
        (closed,) = await watch.folded()
        timeline = [entry.kind for entry in await watch.desk.incidents.timeline(incident.id)]
    assert closed.state == "closed"
    assert timeline == ["opened", "resolve", "close"]


async def test_an_incident_is_mitigated_while_its_job_runs_again(engine: AsyncEngine) -> None:
    async with watched(engine, "failed-load") as watch:
        await watch.folded()
        plan = await watch.plans.current("TWS")
        assert plan is not None
        root = next(job for job in plan.jobs.values() if job.name == "LOAD_SALES")
        change = Change(
            action=Action.RERUN, kind=kind_of(root), object_id=root.id, selection=root.selection, arguments={}
        )
        await watch.tws.carry_out(change, Justification(reason="the table has room"))
        await watch.later(seconds=20)
        (incident,) = await watch.folded()
    assert incident.state == "mitigated"


async def test_what_a_person_resolved_only_an_alert_opens_again(engine: AsyncEngine) -> None:
    async with watched(engine, "failed-load") as watch:
        (incident,) = await watch.folded()
        await watch.desk.step(incident.id, "resolve", by=OPERATOR, channel="web")
        await watch.later(seconds=20)
        (still,) = await watch.folded()
        assert still.state == "resolved"
        await watch.report(Alert(event="JobStatusChanged", job="LOAD_SALES", job_stream="DWHNIGHT"))
        (again,) = await watch.folded()
    assert (again.id, again.state) == (incident.id, "open")


async def test_people_own_merge_split_and_silence_with_an_audit(engine: AsyncEngine) -> None:
    async with watched(engine, "credentials-expired") as watch:
        plan = await watch.plans.current("TWS")
        assert plan is not None
        await watch.report(*(_alert(job) for job in plan.jobs.values() if job.has_failed))
        one, two, three = sorted(await watch.folded(), key=lambda incident: incident.id)
        desk = watch.desk
        with pytest.raises(IncidentError, match="may look"):
            await desk.step(one.id, "acknowledge", by=VIEWER, channel="web")
        mine = await desk.step(one.id, "acknowledge", by=OPERATOR, channel="web")
        assert (mine.state, mine.assignee) == ("acknowledged", OPERATOR.actor_id)
        with pytest.raises(IncidentError, match="acknowledged"):
            await desk.step(one.id, "acknowledge", by=OPERATOR, channel="web")
        given = await desk.assign(one.id, SUPERVISOR.actor_id, by=OPERATOR, channel="web")
        assert given.assignee == SUPERVISOR.actor_id
        with pytest.raises(IncidentError, match="zone"):
            await desk.silence(one.id, datetime(2026, 3, 2), by=OPERATOR, channel="web")  # noqa: DTZ001  # on purpose
        silent = await desk.silence(
            one.id, datetime.now(UTC) + timedelta(hours=1), by=OPERATOR, channel="web"
        )
        assert silent.silenced_until is not None
        await desk.note(one.id, "the vault has a new password", by=OPERATOR, channel="web")
        whole = await desk.merge(two.id, one.id, by=OPERATOR, channel="web")
        assert whole.id == one.id
        assert (await watch.alerts.counts([one.id, two.id])) == {one.id: 2}
        with pytest.raises(IncidentError, match="another active"):
            await desk.merge(three.id, three.id, by=OPERATOR, channel="web")
        # The next reading of the plan makes no second incident of what was merged.
        await watch.later(seconds=20)
        assert {each.id for each in await watch.folded()} == {one.id, two.id, three.id}
        alert = (await watch.alerts.of_incident(one.id, limit=10))[1]
        apart = await desk.split(one.id, [alert.id], by=OPERATOR, channel="web")
        assert (await watch.alerts.counts([one.id, apart.id])) == {one.id: 1, apart.id: 1}
        with pytest.raises(IncidentError, match="no such"):
            await desk.note(10**9, "x", by=OPERATOR, channel="web")
        async with engine.connect() as connection:
            rows = (
                (await connection.execute(select(audit_log.c.action).order_by(audit_log.c.seq)))
                .scalars()
                .all()
            )
    assert rows == [
        f"incident_{what}" for what in ("acknowledge", "assign", "silence", "note", "merge", "split")
    ]
