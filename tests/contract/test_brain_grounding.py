"""What of a model's answer reaches the person: only what a tool bears out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from brain.llm.factory import open_model
from brain.llm.loop import ToolLoop
from tests.support.brain_parts import Parts
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import settings_for
from tests.support.talk import Talk, open_talk


@pytest.fixture
async def model() -> AsyncIterator[FakeOpenAi]:
    async with FakeOpenAi() as provider:
        yield provider


@pytest.fixture
async def talk(parts: Parts, postgres_dsn: str, model: FakeOpenAi) -> AsyncIterator[Talk]:
    settings = settings_for("openai", model, time_limit_seconds=3)
    opened = open_model(settings)
    assert opened is not None
    async with open_talk(parts, postgres_dsn, loop=ToolLoop(opened, settings)) as talking:
        yield talking
    await opened.aclose()


async def test_what_no_tool_bears_out_is_left_out_and_said(talk: Talk, model: FakeOpenAi) -> None:
    model.call("job_log", {"job": "PAYROLL"})
    model.say("The cause is ORA-01653. It has failed 17 times. I have cancelled PAYROLL.")
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.plain_text.startswith("The cause is ORA-01653.")
    assert "17" not in reply.plain_text
    assert "cancelled" not in reply.plain_text
    assert "left out because no source bears them out: 2." in reply.plain_text


async def test_where_nothing_is_borne_out_the_plan_answers(talk: Talk, model: FakeOpenAi) -> None:
    model.say("PAYROLL failed with RC 99 because of AWSBHT023E.")
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.degraded == ("model",)
    assert "ORA-01653" in reply.plain_text
    assert "99" not in reply.plain_text.partition("Decisive")[0]
