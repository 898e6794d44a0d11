"""One action on many jobs: a trial first, one after the other, and a stop at the first bad result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Proposal
from brain.actions.proposer import Refusal
from brain.message import Locale
from brain.tables import PROPOSALS
from security.roles import Actor
from tests.support.brain_parts import OPERATOR, SUPERVISOR, Parts, accepted_by, break_next_change, open_parts
from tws.actions import Action, is_legal
from tws.objects import CommonStatus, Job, JobFilter


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url, patience_seconds=0.5) as opened:
        yield opened


async def test_the_card_lists_all_jobs_and_names_the_trial(parts: Parts) -> None:
    jobs = await _jobs(parts, 5)
    proposal = await _propose(parts, jobs)
    names = [job.selection for job in jobs]
    assert list(proposal.view.targets) == names
    assert proposal.view.target == f"{', '.join(names[:3])} +2"
    assert proposal.consequences[0] == (
        f"5 changes, one after the other. {names[0]} goes first as a trial; "
        "I stop at the first that the plan does not confirm."
    )


async def test_the_trial_goes_alone_and_the_rest_follows_in_order(parts: Parts, tws_url: str) -> None:
    jobs = await _jobs(parts, 4)
    proposal = await _propose(parts, jobs)
    result = await parts.decide(proposal)
    assert (result.state, result.detail) == (
        "running",
        "1 of 4 are confirmed, the rest is under way; I report here.",
    )
    assert await _made(tws_url) == [jobs[0].id]
    assert await parts.watch.round() == 1
    stored = await parts.stored(proposal)
    assert (stored.state, stored.detail) == ("confirmed", "4 of 4 are confirmed, 0 were not begun.")
    assert await _made(tws_url) == [job.id for job in jobs]
    assert await _ends(parts, proposal) == ["confirmed"] * 4
    phases = [phase for _, _, phase in await parts.audited()]
    assert phases == ["before"] * 4 + ["after"] * 4
    assert (await parts.decide(proposal)).state == "confirmed"
    assert len(await _made(tws_url)) == 4


async def test_a_bad_trial_stops_everything(parts: Parts, tws_url: str) -> None:
    jobs = await _jobs(parts, 3)
    proposal = await _propose(parts, jobs)
    await break_next_change(tws_url, "error")
    result = await parts.decide(proposal)
    assert result.state in {"refused", "unknown"}
    assert result.detail.startswith("0 of 3 are confirmed, 2 were not begun. ")
    assert await _ends(parts, proposal) == [result.state, "skipped", "skipped"]
    assert await _made(tws_url) == []


async def test_the_first_bad_result_stops_the_rest_which_a_new_approval_finishes(
    parts: Parts, tws_url: str
) -> None:
    jobs = await _jobs(parts, 5)
    proposal = await _propose(parts, jobs, reason="disk was full", ticket="INC-7")
    await parts.decide(proposal)
    await _rerun_elsewhere(parts, jobs[2])
    await parts.watch.round()
    assert await _ends(parts, proposal) == ["confirmed", "confirmed", "refused", "skipped", "skipped"]
    result = await parts.decide(proposal)
    assert result.state == "refused"
    assert "2 of 5 are confirmed, 2 were not begun. Nothing was done to" in result.detail
    fresh = result.fresh
    assert fresh is not None
    assert [change.object_id for change in fresh.changes] == [job.id for job in jobs[3:]]
    assert (fresh.reason, fresh.ticket, fresh.is_open) == ("disk was full", "INC-7", True)
    assert (await parts.decide(fresh)).state == "running"
    await parts.watch.round()
    assert (await parts.stored(fresh)).state == "confirmed"
    assert sorted(await _made(tws_url)) == sorted(job.id for job in jobs)


async def test_a_job_whose_outcome_is_unknown_stops_the_rest_and_is_looked_after(
    parts: Parts, tws_url: str
) -> None:
    jobs = await _jobs(parts, 3)
    proposal = await _propose(parts, jobs)
    await parts.decide(proposal)
    await break_next_change(tws_url, "nothing")
    await parts.watch.round()
    assert await _ends(parts, proposal) == ["confirmed", "unknown", "skipped"]
    stored = await parts.stored(proposal)
    assert stored.state == "unknown"
    assert stored.due_at is not None


async def test_one_person_makes_only_so_many_changes_within_an_hour(
    engine: AsyncEngine, tws_url: str
) -> None:
    async with open_parts(engine, tws_url, bulk_per_hour=5) as parts:
        jobs = await _jobs(parts, 9)
        assert await _refused(parts, jobs[:6]) == (
            "6 changes at once are more than you may make within an hour (5 are left)."
        )
        first, second = await _propose(parts, jobs[:3]), await _propose(parts, jobs[3:6])
        results = await asyncio.gather(parts.decide(first), parts.decide(second))
        assert sorted(result.state for result in results) == ["refused", "running"]
        assert "(2 are left)" in next(each.detail for each in results if each.state == "refused")
        assert await _refused(parts, jobs[6:]) == (
            "3 changes at once are more than you may make within an hour (2 are left)."
        )
        # The cap is each person's own, and one change at a time is not counted.
        assert (await _propose(parts, jobs[6:], by=SUPERVISOR)).is_open
        assert (await parts.propose(Action.RERUN, jobs[8])).is_open


async def test_a_change_that_is_denied_or_illegal_for_one_job_is_proposed_for_none(
    engine: AsyncEngine, tws_url: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    async with open_parts(engine, tws_url) as parts:
        jobs = await _jobs(parts, 3)
        waiting = (await parts.tws.query_jobs(JobFilter(statuses=("HOLD",), limit=1))).jobs[0]
        refused = await _refused(parts, [*jobs, waiting])
        assert refused.startswith(
            f"Rerun is not possible: {waiting.selection} is in HOLD. Possible now: Hold"
        )
    policy.write_text(
        "rules:\n"
        f"  - {{name: not this one, job_stream: {jobs[1].job_stream}, job: {jobs[1].name}, requires: denied}}\n"
        "  - {name: the rest, requires: self_confirm}\n"
    )
    async with open_parts(engine, tws_url, policy=policy) as strict:
        assert await _refused(strict, jobs) == "The policy does not allow this now (rule “not this one”)."
        assert (await _propose(strict, jobs[::2])).requires == "self"
    assert await _made(tws_url) == []


async def test_the_strictest_rule_holds_for_all(engine: AsyncEngine, tws_url: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    async with open_parts(engine, tws_url) as parts:
        jobs = await _jobs(parts, 2)
    policy.write_text(
        "rules:\n"
        f"  - {{name: two, job_stream: {jobs[1].job_stream}, job: {jobs[1].name}, requires: four_eyes}}\n"
        "  - {name: one, requires: self_confirm}\n"
    )
    async with open_parts(engine, tws_url, policy=policy) as strict:
        proposal = await _propose(strict, jobs)
        assert (proposal.requires, proposal.rule) == ("second_person", "two")
        assert (await strict.decide(proposal)).state == "refused"
        assert (await strict.decide(proposal, by=SUPERVISOR)).state == "running"


async def test_two_processes_at_the_rest_make_each_change_once(
    parts: Parts, engine: AsyncEngine, tws_url: str
) -> None:
    jobs = await _jobs(parts, 4)
    proposal = await _propose(parts, jobs)
    await parts.decide(proposal)
    async with open_parts(engine, tws_url) as other:
        await asyncio.gather(parts.approval.follow_up(proposal.id), other.approval.follow_up(proposal.id))
    assert await _made(tws_url) == [job.id for job in jobs]
    assert await _ends(parts, proposal) == ["confirmed"] * 4


async def _jobs(parts: Parts, count: int) -> list[Job]:
    """Jobs that ended well and may run again, whole."""
    ended = await parts.tws.query_jobs(JobFilter(common_statuses=(CommonStatus.SUCCESSFUL,), limit=200))
    chosen = [job for job in ended.jobs if is_legal(Action.RERUN, job) and len(job.runs) == 1][:count]
    return [await parts.tws.job(job.id) for job in chosen]


async def _propose(
    parts: Parts, jobs: list[Job], *, by: Actor = OPERATOR, reason: str = "", ticket: str = ""
) -> Proposal:
    proposed = await parts.toolbox(by).propose_bulk(
        Action.RERUN, jobs, Locale.EN, reason=reason, ticket=ticket
    )
    assert isinstance(proposed, Proposal), proposed.detail
    return proposed


async def _refused(parts: Parts, jobs: list[Job]) -> str:
    refused = await parts.toolbox().propose_bulk(Action.RERUN, jobs, Locale.EN)
    assert isinstance(refused, Refusal)
    return refused.detail


async def _rerun_elsewhere(parts: Parts, job: Job) -> None:
    """Somebody else reruns the job meanwhile; the watch comes only after that."""
    async with parts.engine.begin() as connection:
        await connection.execute(update(PROPOSALS).values(due_at=None))
    theirs = await parts.propose(Action.RERUN, job, by=SUPERVISOR)
    assert (await parts.decide(theirs, by=SUPERVISOR)).state == "confirmed"
    async with parts.engine.begin() as connection:
        running = PROPOSALS.c.state == "approved"
        await connection.execute(update(PROPOSALS).where(running).values(due_at=func.now()))


async def _ends(parts: Parts, proposal: Proposal) -> list[str]:
    return [row["state"] for row in await parts.executions() if row["proposal_id"] == proposal.id]


async def _made(tws_url: str) -> list[str]:
    return [done["object_id"] for done in await accepted_by(tws_url)]
