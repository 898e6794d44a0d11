"""What the mirrored plan adds: consequences, first causes, forecasts, and other moments; each answer with its age."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.brain_parts import ENGINE, Parts
from tests.support.simulator import SteppingClock
from tests.support.talk import Talk, buttons_of
from tws.mirror.poller import Mirror
from tws.mirror.settings import MirrorSettings

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"
_GERA = "AGT_HR01#PAYDAILY.GERA_HOLERITE"


@pytest.fixture(autouse=True)
async def mirrored(engine: AsyncEngine, parts: Parts) -> AsyncIterator[None]:
    """The plan as it is, as if it had been so for two hours."""
    clock = SteppingClock(datetime.now(UTC) - timedelta(hours=2))
    mirror = Mirror(
        engine, name=ENGINE, source=parts.tws, settings=MirrorSettings(), metrics=parts.metrics, clock=clock
    )
    await mirror.poll()
    clock.step(hours=2)
    await mirror.poll()
    yield
    await mirror.aclose()


async def test_the_first_cause_is_found_over_any_number_of_steps(talk: Talk) -> None:
    reply = await talk.say("why hasn't PAY_NOTIFY started?")
    assert (
        f"The cause is {_GERA}: it waits for {_PAYROLL}, which is in ABEND (return code 8) (since "
        in reply.plain_text
    )
    assert "(by way of AGT_HR01#PAYDAILY.PAY_BANK_FILE)" in reply.plain_text
    assert "Plan as of " in reply.plain_text
    assert [button.value for button in buttons_of(reply)[:2]] == [
        f"Why did {_PAYROLL} fail?",
        f"Rerun {_PAYROLL}",
    ]


async def test_what_would_happen_is_worked_out(talk: Talk, parts: Parts) -> None:
    reply = await talk.say("what happens if I cancel PAYROLL?")
    lines = reply.plain_text.split("\n")
    assert lines[0] == f"Cancel {_PAYROLL}? This is what it would do:"
    assert lines[1].startswith(f"- What waits for {_PAYROLL} is freed at once")
    assert f"- Starts at once: 1 ({_GERA})." in lines
    assert "- This cannot be undone." in lines
    assert [button.value for button in buttons_of(reply)] == [f"Cancel {_PAYROLL}"]
    assert await parts.proposals.stats() == {}


async def test_an_approver_reads_the_same_consequences(talk: Talk) -> None:
    asked = await talk.say("o que acontece se eu cancelar o PAYROLL?")
    proposed = await talk.say("cancela o PAYROLL")
    assert proposed.proposal is not None
    assert all(line in asked.plain_text for line in proposed.proposal.consequences)


async def test_a_job_that_is_not_in_the_plan_is_explained(talk: Talk) -> None:
    reply = await talk.say("why is FECHA_ANO not in today's plan?")
    assert reply.plain_text.startswith("FECHA_ANO is not in this plan (run ")


async def test_an_end_that_nobody_can_know_is_not_made_up(talk: Talk) -> None:
    reply = await talk.say("when will PAY_NOTIFY finish?")
    assert reply.plain_text.startswith("I cannot say when AGT_HR01#PAYDAILY.PAY_NOTIFY will end")
    assert f"{_PAYROLL} | ABEND | – | " in reply.plain_text
    assert (await talk.say("quando o CALC_HORAS termina?")).plain_text.startswith(
        "AGT_HR01#PAYDAILY.CALC_HORAS já terminou: está em SUCC."
    )


async def test_what_puts_deadlines_at_risk_is_told(talk: Talk) -> None:
    reply = await talk.say("what is at risk?")
    assert "Jobs that put deadlines at risk: " in reply.plain_text
    assert any(line.startswith(f"{_PAYROLL} | ABEND | ") for line in reply.plain_text.split("\n"))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("how did the plan look at {hour_ago}?", "ABEND: 8"),
        ("como estava o PAYROLL às {hour_ago}?", f"{_PAYROLL} | ABEND | "),
        ("what changed in the last hour?", "No job has changed since "),
        ("what changed in the last 9 hours?", "I do not know how the plan looked at "),
        ("como estava o NOSUCH às {hour_ago}?", "NOSUCH não estava no plano às "),
    ],
)
async def test_other_moments_are_remembered_or_not_made_up(talk: Talk, words: str, line: str) -> None:
    hour_ago = f"{datetime.now(UTC) - timedelta(hours=1):%H:%M}"
    reply = await talk.say(words.format(hour_ago=hour_ago))
    assert any(one.startswith(line) for one in reply.plain_text.split("\n")), reply.plain_text


async def test_the_files_that_are_waited_for_are_those_of_streams_too(talk: Talk) -> None:
    reply = await talk.say("which files are we waiting for?")
    assert "AGT_FIN01#RETBANCO" in reply.plain_text
