"""A process that dies between any two steps: what it began is finished by another, and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposal
from brain.message import Locale
from brain.tables import EXECUTIONS, PROPOSALS
from tests.support.brain_parts import Parts, accepted_by, open_parts
from tests.support.killing import Killed, killed_at
from tws.actions import Action, is_legal
from tws.objects import CommonStatus, Job, JobFilter

_FINAL = {"confirmed", "different", "unknown", "refused"}
_MOST_STATEMENTS = 200
"""More than any decision takes: the loops end before."""


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url, patience_seconds=0.5, bulk_per_hour=1000) as opened:
        yield opened


@pytest.mark.parametrize("successor", ["the same turn again", "the watch"])
async def test_a_decision_that_died_anywhere_is_finished_and_made_once(
    parts: Parts, tws_url: str, successor: str
) -> None:
    jobs = await _rerunnable(parts)
    states = []
    for statement in range(1, _MOST_STATEMENTS):
        job = jobs.pop()
        proposal = await parts.propose(Action.RERUN, job)
        with killed_at(parts.engine, statement) as death, suppress(Killed):
            await parts.decide(proposal)
        is_approved = (await parts.stored(proposal)).state == "approved"
        if successor == "the watch" and is_approved:
            await _round(parts)
        else:
            await parts.decide(proposal)
        states.append((await parts.stored(proposal)).state)
        made = [done for done in await accepted_by(tws_url) if done["object_id"] == job.id]
        assert len(made) == (states[-1] == "confirmed"), (statement, states[-1])
        if not death.has_come:
            break
    assert not death.has_come
    assert set(states) == {"confirmed"}


async def test_many_changes_that_died_anywhere_each_end_in_one_state_and_are_made_once(
    parts: Parts, tws_url: str
) -> None:
    jobs = await _rerunnable(parts)
    for statement in range(1, _MOST_STATEMENTS, 4):
        chosen, jobs = jobs[:3], jobs[3:]
        proposal = await parts.toolbox().propose_bulk(Action.RERUN, chosen, Locale.EN)
        assert isinstance(proposal, Proposal)
        with killed_at(parts.engine, statement) as death, suppress(Killed):
            await parts.decide(proposal)
            await _round(parts)
        await parts.decide(proposal)
        for _ in chosen:
            await _round(parts)
        state = (await parts.stored(proposal)).state
        rows = [row for row in await parts.executions() if row["proposal_id"] == proposal.id]
        ends = [row["state"] for row in rows]
        assert len(ends) == len(chosen)
        made = [done["object_id"] for done in await accepted_by(tws_url)]
        for job, end in zip(chosen, ends, strict=True):
            assert made.count(job.id) == (end == "confirmed"), (statement, ends)
        bad = next((number for number, end in enumerate(ends) if end != "confirmed"), len(ends))
        assert set(ends[:bad]) <= {"confirmed"}
        assert set(ends[bad : bad + 1]) <= _FINAL
        assert set(ends[bad + 1 :]) <= {"skipped"}
        assert state == (ends[bad] if bad < len(ends) else "confirmed")
        if not death.has_come:
            break
    assert not death.has_come
    assert ends == ["confirmed"] * 3


async def test_no_job_has_two_rows_however_often_it_is_decided(parts: Parts) -> None:
    proposal = await parts.propose(Action.RERUN, (await _rerunnable(parts))[0])
    for statement in range(1, 40, 3):
        with killed_at(parts.engine, statement), suppress(Killed):
            await parts.decide(proposal)
    async with parts.engine.connect() as connection:
        count = await connection.execute(select(func.count()).select_from(EXECUTIONS))
    assert count.scalar_one() == 1


async def _rerunnable(parts: Parts) -> list[Job]:
    """Jobs that ended well and may run again."""
    ended = await parts.tws.query_jobs(JobFilter(common_statuses=(CommonStatus.SUCCESSFUL,), limit=200))
    return [job for job in ended.jobs if is_legal(Action.RERUN, job) and len(job.runs) == 1]


async def _round(parts: Parts) -> None:
    """The watch of another process, once the dead one's lease is over."""
    async with parts.engine.begin() as connection:
        await connection.execute(
            update(PROPOSALS).where(PROPOSALS.c.due_at.is_not(None)).values(due_at=func.now())
        )
    await parts.watch.round()
