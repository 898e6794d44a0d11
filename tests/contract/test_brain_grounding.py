"""What of a model's answer reaches the person: only what a tool bears out."""

from __future__ import annotations

import pytest

from tests.support.fake_openai import FakeOpenAi
from tests.support.talk import Talk


@pytest.fixture
async def talk(modelled: Talk) -> Talk:
    return modelled


async def test_what_no_tool_bears_out_is_left_out_and_said(talk: Talk, model: FakeOpenAi) -> None:
    model.call("job_log", {"job": "PAYROLL"})
    model.say("The cause is ORA-01653. It has failed 17 times. I have cancelled PAYROLL.")
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.plain_text.startswith("The cause is ORA-01653.")
    assert "17" not in reply.plain_text
    assert "cancelled" not in reply.plain_text
    assert talk.mailbox.deltas == ["The cause is ORA-01653. "]
    assert "left out because no source bears them out: 2." in reply.plain_text


async def test_where_nothing_is_borne_out_the_plan_answers(talk: Talk, model: FakeOpenAi) -> None:
    model.say("PAYROLL failed with RC 99 because of AWSBHT023E.")
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.degraded == ("model",)
    assert "ORA-01653" in reply.plain_text
    assert "99" not in reply.plain_text.partition("Decisive")[0]


@pytest.mark.parametrize("question", ["which jobs failed?", "quais jobs falharam?"])
async def test_an_answer_without_a_look_at_the_plan_is_none(
    talk: Talk, model: FakeOpenAi, question: str
) -> None:
    model.say("Everything is green tonight. ", "Sleep well.")
    reply = await talk.say(question)
    assert reply.degraded == ("model",)
    assert "PAYROLL" in reply.plain_text
    assert "green" not in reply.plain_text
    assert talk.mailbox.deltas == []
