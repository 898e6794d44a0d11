"""The graph of plans and documents: who says what, from when to when, and for whose eyes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.documents import Reader
from knowledge.errors import StoreUnavailableError
from knowledge.graph import KnowledgeGraph
from knowledge.relations import Relations, View
from knowledge.store import Store
from security.roles import Actor, Role
from tests.support.fake_plan import FakePlan
from tests.support.mirrored import NAME, START, MakeMirror
from tests.support.plan import make_dependency
from tests.support.relations import EVERYTHING, said_of, store_document
from tests.support.simulator import SteppingClock
from tws.mirror.settings import MirrorSettings

_JOB = "AGT1#STREAM1.JOB1"
_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_STEPS = "1. Read the log.\n2. Rerun it."


@pytest.fixture
def relations(engine: AsyncEngine) -> Relations:
    return Relations(engine)


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)


def _view(reader: Reader = EVERYTHING, at: datetime = _NOW) -> View:
    return View(reader=reader, engine=NAME, at=at)


async def test_the_plan_fills_the_graph_and_what_leaves_it_ends_there(
    make_mirror: MakeMirror,
    engine: AsyncEngine,
    relations: Relations,
    source: FakePlan,
    night: SteppingClock,
) -> None:
    mirror = make_mirror(graph=KnowledgeGraph(engine).replace_source)
    await mirror.poll()
    job = ("job", _JOB)
    expected = {
        (job, "follows", ("job", "AGT1#STREAM1.JOB0")),
        (("job", "AGT1#STREAM1.JOB2"), "follows", job),
        (job, "belongs_to", ("job_stream", "AGT1#STREAM1")),
        (job, "runs_on", ("workstation", "AGT1")),
    }
    assert await said_of(relations, _JOB, at=START) == expected
    members = (make_dependency(type="FILE", target="AGT1#/in/pay.csv", target_id=None),)
    join = make_dependency(type="JOIN", target="ANY (…)", target_id=None, members=members)
    source.change("stream1.1", dependencies=(join,), workstation="AGT2")
    night.step(minutes=30)
    await mirror.poll()
    assert await said_of(relations, _JOB, at=night.now) == {
        (job, "opens", ("file", "AGT1#/in/pay.csv")),
        (job, "runs_on", ("workstation", "AGT2")),
        (job, "belongs_to", ("job_stream", "AGT1#STREAM1")),
        (("job", "AGT1#STREAM1.JOB2"), "follows", job),
    }
    assert await said_of(relations, _JOB, at=night.now - timedelta(seconds=1)) == expected
    tapes = (("job_stream", "AGT1#STREAM1"), "needs", ("resource", "AGT1#TAPES"))
    assert await said_of(relations, "TAPES", at=START) >= {tapes}
    async with engine.connect() as connection:
        closed = await connection.execute(text("SELECT count(*) FROM kg_edges WHERE valid_to IS NOT NULL"))
        assert closed.scalar() == 2, "what is still said was left untouched"


async def test_what_ended_before_the_retention_goes(
    make_mirror: MakeMirror, engine: AsyncEngine, relations: Relations, source: FakePlan, night: SteppingClock
) -> None:
    mirror = make_mirror(graph=KnowledgeGraph(engine).replace_source, settings=MirrorSettings(run_days=3))
    await mirror.poll()
    source.change("stream1.1", workstation="AGT2")
    night.step(days=1)
    await mirror.poll()
    ended = (("job", _JOB), "runs_on", ("workstation", "AGT1"))
    night.step(days=3)
    await mirror.poll()
    assert ended in await said_of(relations, _JOB, at=START)
    night.step(hours=1)
    await mirror.poll()
    assert ended not in await said_of(relations, _JOB, at=START)
    assert (("job", _JOB), "runs_on", ("workstation", "AGT2")) in await said_of(relations, _JOB, at=night.now)


async def test_a_document_is_linked_to_the_plan_by_any_form_of_the_name(
    store: Store, relations: Relations
) -> None:
    await store_document(
        store,
        "PAYROLL (PAYDAILY): AWSBHT023E",
        {"Steps": _STEPS, "Owner": "HR Systems.", "More": "Job AGT1#PAYDAILY.PAYROLL."},
    )
    for name in ("PAYROLL", "payroll", "PAYDAILY.PAYROLL", "AGT1#PAYDAILY.PAYROLL", "AWSBHT023E"):
        document = ("document", "PAYROLL (PAYDAILY): AWSBHT023E")
        facts = await relations.facts([name], _view())
        assert document in {known.start for known in facts}, name
        assert {known.evidence for known in facts} <= {"Steps", "Owner", "More"}
    assert (("name", "PAYROLL"), "owned_by", ("team", "HR Systems")) in await said_of(
        relations, "AGT1#PAYDAILY.PAYROLL", at=_NOW
    )
    assert await said_of(relations, "AGT2#OTHER.PAYROLLS", "ROLL", at=_NOW) == set()


async def test_a_replaced_document_says_only_what_it_says_now_and_a_deleted_one_nothing(
    engine: AsyncEngine, store: Store, relations: Relations
) -> None:
    await store_document(store, "One", {"PAYROLL": _STEPS}, source="a.md")
    document_id = await store_document(store, "One", {"INVOICES": _STEPS}, source="a.md")
    assert await said_of(relations, "PAYROLL", at=_NOW) == set()
    assert await said_of(relations, "INVOICES", at=_NOW) != set()
    await store.delete(document_id)
    async with engine.connect() as connection:
        for table in ("kg_nodes", "kg_edges"):
            left = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  # two literals
            assert left.scalar() == 0


async def test_a_document_holds_from_its_first_to_its_last_day(store: Store, relations: Relations) -> None:
    days = {"valid_from": date(2026, 3, 1), "valid_to": date(2026, 3, 2)}
    await store_document(store, "One", {"PAYROLL": _STEPS}, **days)
    known = [
        bool(
            await said_of(relations, "PAYROLL", at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours))
        )
        for hours in (-1, 0, 47, 48)
    ]
    assert known == [False, True, True, False]


_TOKENS = st.frozensets(st.sampled_from(["role:viewer", "role:operator", "group:sap", "group:hr"]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readers=_TOKENS, role=st.sampled_from(Role), groups=st.frozensets(st.sampled_from(["sap", "hr", "x"])))
async def test_nobody_sees_a_fact_of_a_document_that_is_not_theirs(
    store: Store, relations: Relations, readers: frozenset[str], role: Role, groups: frozenset[str]
) -> None:
    await store_document(
        store, "Secret", {"PAYROLL": f"Owner: HR\n{_STEPS}"}, source="secret", readers=readers
    )
    actor = Actor(actor_id="a", display_name="A", role=role, groups=groups)
    view = _view(Reader(actor.readers))
    may = not readers or bool(readers & actor.readers)
    assert bool(await relations.facts(["PAYROLL", "HR"], view)) is may
    assert await relations.impact("PAYROLL", view) == await relations.impact("NOTHING", view)


async def test_impact_follows_all_kinds_of_dependencies(
    make_mirror: MakeMirror, engine: AsyncEngine, relations: Relations, source: FakePlan
) -> None:
    follows = make_dependency(type="EXTERNAL_JOBSTREAM", target="AGT1#STREAM1", target_id="stream1")
    source.change("stream2.0", dependencies=(follows,))
    await make_mirror(graph=KnowledgeGraph(engine).replace_source).poll()
    of_job = await relations.impact("STREAM1.JOB2", _view())
    found = {one.name: one.depth for one in of_job.reached}
    # What follows the stream waits for the job; the jobs before it in the same stream do not.
    assert found["AGT1#STREAM1.JOB2"] == 0
    assert found["AGT1#STREAM1"] == 1
    assert found["AGT1#STREAM2.JOB0"] == 2
    assert "AGT1#STREAM1.JOB0" not in found
    of_stream = {one.name for one in (await relations.impact("STREAM1", _view())).reached}
    assert of_stream >= {"AGT1#STREAM1.JOB0", "AGT1#STREAM2.JOB0"}
    of_resource = {one.name for one in (await relations.impact("TAPES", _view())).reached}
    assert of_resource >= {"AGT1#STREAM1", "AGT1#STREAM1.JOB0"}
    of_agent = {one.name for one in (await relations.impact("AGT1", _view())).reached}
    assert of_agent >= {"AGT1#STREAM1.JOB0", "AGT1#STREAM2.JOB0"}
    assert not (await relations.impact("NOWHERE", _view())).reached


async def test_a_chain_without_end_is_cut_and_says_so(engine: AsyncEngine, relations: Relations) -> None:
    async def nodes() -> AsyncIterator[list[Any]]:
        yield []

    async def edges() -> AsyncIterator[list[Any]]:
        yield [("job", f"A#S.J{number + 1}", "follows", "job", f"A#S.J{number % 40}") for number in range(41)]

    async def may(_connection: object) -> None: ...

    await KnowledgeGraph(engine).replace_source(f"plan:{NAME}", nodes(), edges(), may, START, START)
    impact = await relations.impact("J0", _view())
    assert impact.is_cut
    assert max(one.depth for one in impact.reached) == 25


async def test_drift_is_what_runbooks_name_and_no_recent_plan_has(
    make_mirror: MakeMirror,
    engine: AsyncEngine,
    store: Store,
    relations: Relations,
    source: FakePlan,
    night: SteppingClock,
) -> None:
    body = "Job JOB1 and job GONE of stream STREAM1, then JOB3 with the table HR_PAY. Owner: HR"
    await store_document(store, "Runbook", {"Night": body})
    await store_document(store, "Manual", {"Syntax": "Job EXAMPLE runs."})
    await store_document(store, "Secret", {"Night": "Job LOST\nOwner: HR"}, readers=frozenset({"group:hr"}))
    assert await relations.drift(_view(), timedelta(days=35)) == (), "without a plan nothing is known"
    mirror = make_mirror(graph=KnowledgeGraph(engine).replace_source)
    await mirror.poll()
    viewer = Reader(frozenset({"role:viewer"}))

    async def gone(reader: Reader) -> list[str]:
        found = await relations.drift(_view(reader, night.now), timedelta(days=35))
        return [known.asked for known in found]

    assert await gone(viewer) == ["GONE"]
    assert await gone(EVERYTHING) == ["GONE", "LOST"]
    for number in range(3):
        source.remove(f"stream{number}.3")
    for days, expected in ((1, ["GONE"]), (34, ["GONE"]), (2, ["GONE", "JOB3"])):
        night.step(days=days)
        await mirror.poll()
        assert await gone(viewer) == expected


async def test_a_question_that_takes_too_long_is_given_up(
    engine: AsyncEngine, relations: Relations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.relations._LONGEST", "50ms")
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE kg_edges"))
        with pytest.raises(StoreUnavailableError):
            await relations.facts(["PAYROLL"], _view())
