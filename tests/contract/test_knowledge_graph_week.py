"""The graph against a simulated master over a week of plans."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.graph import KnowledgeGraph
from knowledge.relations import Relations
from knowledge.tables import edges, nodes
from observability.metrics import Metrics
from tests.support.mirrored import MakeMirror
from tests.support.relations import Triple, said_of
from tests.support.simulator import PASSWORD, SteppingClock, running_simulator
from tws.actions import Action, Change, kind_of
from tws.client import TwsClient
from tws.justification import Justification
from tws.objects import Dependency, Job
from tws.settings import TwsSettings
from tws.transport import open_session

_DEPENDENCIES = {
    "INTERNAL": ("follows", "job"),
    "EXTERNAL_JOB": ("follows", "job"),
    "EXTERNAL_JOBSTREAM": ("follows", "job_stream"),
    "INTERNETWORK": ("follows", "internetwork"),
    "RESOURCE": ("needs", "resource"),
    "FILE": ("opens", "file"),
    "PROMPT": ("asks", "prompt"),
}


@pytest.fixture
async def client(night: SteppingClock) -> AsyncIterator[TwsClient]:
    async with running_simulator(clock=night) as url:
        settings = TwsSettings(url=url, username="operator", password=SecretStr(PASSWORD), write=True)
        async with open_session(settings) as session:
            yield TwsClient(settings, session, Metrics())


@dataclass(frozen=True, slots=True)
class _Export:
    """What a plan says, by what the engine answers when it is asked for everything."""

    names: frozenset[str]
    triples: frozenset[Triple]


async def _export(client: TwsClient) -> _Export:
    jobs = [job async for page in client.all_jobs() for job in page]
    streams = [stream async for page in client.all_job_streams() for stream in page]
    triples: set[Triple] = set()
    for owner in (*jobs, *streams):
        start = ("job" if isinstance(owner, Job) else "job_stream", owner.selection)
        triples.add((start, "runs_on", ("workstation", owner.workstation)))
        triples |= {(start, *target) for one in owner.dependencies for target in _targets(one)}
    by_id = {stream.id: stream.selection for stream in streams}
    triples |= {
        (("job", job.selection), "belongs_to", ("job_stream", by_id[job.job_stream_id])) for job in jobs
    }
    alone = (*await client.workstations(), *await client.resources())
    names = {name for start, _, end in triples for _, name in (start, end)}
    return _Export(
        names=frozenset(names | {getattr(one, "selection", one.name) for one in alone}),
        triples=frozenset(triples),
    )


def _targets(dependency: Dependency) -> Iterator[tuple[str, tuple[str, str]]]:
    if dependency.type in _DEPENDENCIES:
        relation, kind = _DEPENDENCIES[dependency.type]
        yield relation, (kind, dependency.target)
    for member in dependency.members:
        yield from _targets(member)


async def _submit(client: TwsClient, name: str) -> None:
    place = next(one for one in await client.workstations() if one.is_linked and one.type == "AGENT")
    arguments = {"name": name, "command": "true"}
    change = Change(
        action=Action.SUBMIT, kind=kind_of(place), object_id=place.id, selection="", arguments=arguments
    )
    await client.carry_out(change, Justification(reason="test"))


async def _rows(engine: AsyncEngine) -> list[object]:
    async with engine.connect() as connection:
        found = [(await connection.execute(select(one).order_by(one.c.id))).all() for one in (nodes, edges)]
    return [tuple(row) for rows in found for row in rows]


async def test_each_day_of_a_week_is_known_as_the_plan_was_and_a_second_load_changes_nothing(
    make_mirror: MakeMirror, engine: AsyncEngine, client: TwsClient, night: SteppingClock
) -> None:
    relations, graph = Relations(engine), KnowledgeGraph(engine)

    async def load() -> None:
        mirror = make_mirror(source=client, graph=graph.replace_source)
        await mirror.poll()
        await mirror.aclose()

    days = []
    for number in range(7):
        await _submit(client, f"EXTRA{number}")
        night.step(seconds=10)
        await load()
        days.append((night.now, await _export(client), (await client.plan_info()).run_number))
        if number in {0, 6}:
            before = await _rows(engine)
            night.step(minutes=1)
            await load()
            assert await _rows(engine) == before, "what is said again is left as it is"
        night.step(days=1)
    assert len({number for _, _, number in days}) == 7
    exports = [export for _, export, _ in days]
    assert len({export.triples for export in exports}) == 7, "no day is like another"
    names = sorted(frozenset[str]().union(*(export.names for export in exports)))
    batches = [names[start : start + 10] for start in range(0, len(names), 10)]
    for at, export, _ in days:
        known = {fact for some in batches for fact in await said_of(relations, *some, at=at)}
        assert known == export.triples
