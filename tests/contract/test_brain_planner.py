"""Requests of several parts: the tree, its budgets, another way where a part fails, and the one proposal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Locale
from brain.planner.settings import PlannerSettings
from brain.reply import Bullets, Notice, Reply, Steps, StepView
from tests.support.brain_parts import ENGINE, VIEWER, Parts
from tests.support.fake_openai import FakeOpenAi
from tests.support.fault_proxy import FaultProxy
from tests.support.talk import Talk, buttons_of, open_modelled_talk, open_talk
from tws.tables import RUNS

_RC_8 = ("AGT_DWH01#DWHNIGHT.DWH_LOAD", "AGT_HR01#PAYDAILY.PAYROLL")
_STREAM = "AGT_FIN01#CONTABIL"


def _steps(reply: Reply) -> tuple[StepView, ...]:
    (steps,) = (block for block in reply.blocks if isinstance(block, Steps))
    return steps.items


def _notices(reply: Reply) -> list[str]:
    return [block.text for block in reply.blocks if isinstance(block, Notice)]


async def _ran(engine: AsyncEngine, job: str, ended_at: datetime, minutes: int, status: str = "SUCC") -> None:
    values = {
        "engine": ENGINE,
        "run_id": f"{job}-{ended_at:%d%H%M%S%f}",
        "selection": f"{_STREAM}.{job}",
        "status": status,
        "return_code": 0,
        "workstation": "AGT_FIN01",
        "started_at": ended_at - timedelta(minutes=minutes),
        "ended_at": ended_at,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(RUNS).values(**values))


@pytest.mark.parametrize(
    ("words", "heading"),
    [("what failed and why?", "Failed jobs: 9."), ("o que falhou e por quê?", "Jobs com falha: 9.")],
)
async def test_every_failure_is_looked_into_and_told_by_cause(talk: Talk, words: str, heading: str) -> None:
    reply = await talk.say(words)
    assert reply.agent == "planner"
    assert reply.plain_text.startswith(heading)
    (causes,) = (block for block in reply.blocks if isinstance(block, Bullets))
    told = ["".join(span.text for span in item.spans) for item in causes.items]
    assert any(line.startswith("AGT_HR01#PAYDAILY.PAYROLL: ORA-01653: unable to extend") for line in told)
    assert len(told) == 9
    assert [step.depth for step in _steps(reply)] == [1, 1, *[2] * 9]
    assert {step.state for step in _steps(reply)} == {"done"}


async def test_a_request_over_three_levels_stays_in_its_budgets(talk: Talk) -> None:
    reply = await talk.say("give me a full report of the night")
    steps = _steps(reply)
    leaves = [
        one
        for one, other in zip(steps, [*steps[1:], None], strict=True)
        if other is None or other.depth <= one.depth
    ]
    assert max(step.depth for step in steps) == 3
    assert len(leaves) >= 12
    assert {step.state for step in steps} == {"done"}
    assert not _notices(reply)
    assert any(line.startswith("Step ") for line in talk.mailbox.progress)


async def test_questions_beside_each_other_are_answered_in_order(talk: Talk) -> None:
    reply = await talk.say("what failed tonight, what is late and which prompts are waiting?")
    assert [step.title for step in _steps(reply)] == [
        "what failed tonight",
        "what is late",
        "which prompts are waiting",
    ]
    assert "PAGTO | 3101 | ASKED" in reply.plain_text


@pytest.mark.parametrize(
    "words", ["status of PAYROLL and APURACAO", "por que o PAYROLL e o APURACAO falharam?"]
)
async def test_what_is_asked_of_two_jobs_is_answered_of_both(talk: Talk, words: str) -> None:
    reply = await talk.say(words)
    assert [step.title for step in _steps(reply)] == ["PAYROLL", "APURACAO"]
    assert "AGT_HR01#PAYDAILY.PAYROLL" in reply.plain_text
    assert "AGT_FIN01#CONTABIL.APURACAO" in reply.plain_text


async def test_what_a_later_question_is_about_stands_in_the_one_before(talk: Talk) -> None:
    reply = await talk.say("why did PAYROLL fail and when will it finish?")
    assert "ORA-01653" in reply.plain_text
    assert [step.state for step in _steps(reply)] == ["done", "done"]


async def test_a_change_beside_questions_is_one_proposal_and_nothing_is_done(
    talk: Talk, proxy: FaultProxy
) -> None:
    reply = await talk.say("what is late, and prepare reruns for what failed with RC 8")
    assert reply.proposal is not None
    assert reply.proposal.targets == _RC_8
    assert "Late job streams: 1." in reply.plain_text
    assert proxy.changes == []


@pytest.mark.parametrize(
    "words",
    [
        "tell me what is late and do not rerun PAYROLL",
        "what is late and what would happen if I cancel PAYROLL?",
        "rerun PAYROLL, no wait, tell me why it failed",
    ],
)
async def test_what_is_not_plainly_asked_for_is_not_proposed(talk: Talk, words: str) -> None:
    assert (await talk.say(words)).proposal is None


async def test_who_may_only_look_gets_the_answers_without_a_proposal(talk: Talk) -> None:
    reply = await talk.say("what is late and rerun what failed with RC 8", by=VIEWER)
    assert reply.proposal is None
    assert "Late job streams: 1." in reply.plain_text


async def test_the_slower_streams_are_named_with_what_took_longer(talk: Talk, engine: AsyncEngine) -> None:
    now = datetime.now(UTC)
    week = timedelta(days=7)
    for ended_at, minutes in ((now - week - timedelta(hours=2), 10), (now - timedelta(hours=2), 25)):
        await _ran(engine, "APURACAO", ended_at, minutes)
        await _ran(engine, "RAZAO", ended_at - timedelta(minutes=minutes), 5)
    reply = await talk.say(
        "compare last night with the same day last week, tell me which streams got slower and why"
    )
    assert "AGT_FIN01#CONTABIL.APURACAO ran 25m 00s instead of 10m 00s (15m 00s more)." in reply.plain_text
    assert [(step.depth, step.state) for step in _steps(reply)] == [(1, "done"), (1, "done"), (2, "done")]
    same = await talk.say("which streams got slower than last week?", locale=Locale.EN)
    assert f"{_STREAM} | " in same.plain_text
    why = await talk.say("why did stream CONTABIL get slower?")
    assert "APURACAO ran 25m 00s" in why.plain_text


async def test_where_a_part_fails_another_way_is_taken(talk: Talk, parts: Parts, proxy: FaultProxy) -> None:
    job = await parts.job("PAYROLL", "PAYDAILY")
    proxy.broken_reads = (f"/{job.id}",)
    reply = await talk.say("what failed and why?")
    failed = [step for step in _steps(reply) if step.state == "failed"]
    assert [step.title for step in failed] == ["AGT_HR01#PAYDAILY.PAYROLL"]
    assert [step.state for step in _steps(reply) if "from the mirror" in step.title] == ["done"]
    assert "ORA-01843" in reply.plain_text


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"max_calls": 3}, "too many questions for one request"),
        ({"max_tasks": 4}, "too many steps for one request"),
        ({"time_limit_seconds": 0.001}, "out of time"),
    ],
)
async def test_a_budget_that_is_used_up_ends_in_a_partial_answer(
    parts: Parts, postgres_dsn: str, budget: dict[str, float], words: str
) -> None:
    settings = PlannerSettings(**budget)
    async with open_talk(parts, postgres_dsn, planner=settings) as talk:
        reply = await talk.say("what failed and why?")
    (notice,) = _notices(reply)
    assert notice.startswith("Missing from this answer:")
    assert words in notice
    assert "skipped" in {step.state for step in _steps(reply)} or "time_limit_seconds" in budget


async def test_a_flat_budget_of_depth_answers_what_needs_no_parts_and_says_what_is_missing(
    parts: Parts, postgres_dsn: str
) -> None:
    async with open_talk(parts, postgres_dsn, planner=PlannerSettings(max_depth=1)) as talk:
        reply = await talk.say("give me a full report of the night")
    states = {step.title: step.state for step in _steps(reply)}
    assert states["The plan as a whole"] == "done"
    assert states["What failed and why"] == states["What is late and why"] == "skipped"
    (notice,) = _notices(reply)
    assert "What failed and why (would need parts of its own)" in notice


async def test_one_task_at_a_time_answers_the_same(parts: Parts, postgres_dsn: str) -> None:
    async with open_talk(parts, postgres_dsn, planner=PlannerSettings(at_once=1)) as talk:
        reply = await talk.say("what failed and why?")
    assert "found 9 causes" in reply.plain_text


async def test_what_is_late_has_its_reason_also_where_only_a_stream_is_late(talk: Talk) -> None:
    reply = await talk.say("what is late and why?")
    assert reply.plain_text.startswith("Late job streams: 1.")
    assert "No space left on device" in reply.plain_text


async def test_buttons_of_several_jobs_say_which_one_they_are_for(talk: Talk) -> None:
    labels = [button.label for button in buttons_of(await talk.say("what failed and why?"))]
    assert len(labels) == 4
    assert all(label.startswith("Why") for label in labels[:3])
    both = await talk.say("why did PAYROLL fail and why did APURACAO fail?")
    assert [button.label for button in buttons_of(both)] == [
        *("Rerun PAYROLL", "Cancel PAYROLL", "Rerun APURACAO", "Cancel APURACAO"),
    ]
    (rerun, *_) = buttons_of(await talk.say("why did PAYROLL fail and when will PAYROLL finish?"))
    assert rerun.label == "Rerun"


async def test_a_part_that_needs_an_answer_asks_for_it(talk: Talk) -> None:
    reply = await talk.say("what is late and why did BACKUP_DB2 fail?")
    assert [step.state for step in _steps(reply)] == ["done", "failed"]
    assert "needs an answer from you" in _notices(reply)[0]
    assert any("BACKUP_DB" in button.label for button in buttons_of(reply))


async def test_what_was_found_is_told_though_tws_goes_away_before_the_proposal(
    talk: Talk, proxy: FaultProxy
) -> None:
    proxy.broken_reads = ("/job",)
    reply = await talk.say("show workstations and rerun what failed with RC 8")
    assert reply.proposal is None
    assert "14 workstations" in reply.plain_text
    assert "TWS refused" in reply.plain_text


async def test_the_tokens_of_models_count(parts: Parts, postgres_dsn: str, model: FakeOpenAi) -> None:
    model.call("plan", {"subtasks": [{"question": "what failed?"}, {"question": "what is late?"}]})
    model.say("done")
    async with open_modelled_talk(parts, postgres_dsn, model, planner=PlannerSettings(max_tokens=1)) as talk:
        reply = await talk.say("brief the auditors, dear robot", agent="planner")
    assert {step.state for step in _steps(reply)} == {"skipped"}
    assert "the model's share is used up" in _notices(reply)[0]


async def test_a_model_parts_what_the_grammar_does_not_understand(
    parts: Parts, postgres_dsn: str, model: FakeOpenAi
) -> None:
    model.call(
        "plan",
        {
            "subtasks": [
                {"question": "what failed?"},
                {"question": "rerun PAYROLL"},
                {"question": "what is late?"},
            ]
        },
    )
    model.say("done")
    async with open_modelled_talk(parts, postgres_dsn, model) as talk:
        reply = await talk.say("brief the auditors, dear robot", agent="planner")
    assert [step.title for step in _steps(reply)] == ["what failed", "what is late"]
    assert reply.proposal is None
    assert "Failed jobs: 9." in reply.plain_text


async def test_a_plan_that_goes_in_circles_is_refused(
    parts: Parts, postgres_dsn: str, model: FakeOpenAi
) -> None:
    circle = {
        "subtasks": [{"question": "what failed?", "after": 2}, {"question": "what is late?", "after": 1}]
    }
    model.call("plan", circle)
    model.call(
        "plan", {"subtasks": [{"question": "what failed?"}, {"question": "what is late?", "after": 1}]}
    )
    model.say("done")
    async with open_modelled_talk(parts, postgres_dsn, model) as talk:
        reply = await talk.say("brief the auditors, dear robot", agent="planner")
    assert [step.state for step in _steps(reply)] == ["done", "done"]
