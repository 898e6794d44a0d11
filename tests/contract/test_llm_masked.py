"""What leaves for a provider, seen at the provider, and what comes back to the person."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from brain.llm.loop import LoopResult, ToolLoop
from brain.llm.model import Model, ModelMessage, ToolSpec
from brain.llm.prompt import load_prompt
from tests.support.providers import JOBS_SPEC, FakeProvider, Pieces, ProviderName, open_provider, settings_for

_MAIL, _CPF, _BADGE = "Ana.Souza+tws@folha.example.com.br", "529.982.247-25", "BR-123456"
_SECRETS = [
    "hunter2",
    "AKIAIOSFODNN7EXAMPLE",
    "MIIEowIBAAKCAQEA1",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
]
_LOG = f"""AWSBHT023E AGT1#PAYDAILY.PAYROLL ended with RC 8 at 2026-11-23T02:10:00Z, run 20261123021000
mail to {_MAIL} (CPF {_CPF}, badge {_BADGE}) failed: password={_SECRETS[0]} key {_SECRETS[1]}
-----BEGIN RSA PRIVATE KEY-----
{_SECRETS[2]}
-----END RSA PRIVATE KEY-----
Authorization: Bearer {_SECRETS[3]}"""


class ReadLog:
    """Shows a log with everything in it that must not leave."""

    spec: ToolSpec = JOBS_SPEC

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    async def run(self, arguments: Mapping[str, Any]) -> str:
        self.asked.append(arguments)
        return _LOG


@pytest.fixture(params=["openai", "anthropic"])
def name(request: pytest.FixtureRequest) -> ProviderName:
    chosen: ProviderName = request.param
    return chosen


@pytest.fixture
async def opened(name: ProviderName) -> AsyncIterator[tuple[FakeProvider, Model]]:
    async with open_provider(name, mask_patterns={"BADGE": "BR-[0-9]{6}"}) as pair:
        yield pair


async def _ask(
    name: ProviderName, opened: tuple[FakeProvider, Model], tool: ReadLog, shown: Pieces
) -> LoopResult:
    provider, model = opened
    system = f"{load_prompt('assistant').text}\n\nThe person last wrote to {_MAIL}."
    history = [ModelMessage(role="user", text=f"[EMAIL_1] is me, {_MAIL}")]
    loop = ToolLoop(model, settings_for(name, provider))
    return await loop.run(system, history, f"Why did {_MAIL} get no mail?", [tool], shown.add, Pieces().add)


async def test_nothing_planted_leaves_and_the_answer_has_it_byte_exact(
    name: ProviderName, opened: tuple[FakeProvider, Model]
) -> None:
    provider, _ = opened
    provider.call("find_jobs", {"name": "[EMAIL_1]", "more": ["[CPF_1]", 8, {"to": "[LITERAL_1]"}]})
    provider.say("[EMAIL_1] ([CP", "F_1], [BADGE", "_1]) had [SECRET], says [EMAIL_1", "]; [EMAIL_7] [")
    tool, shown = ReadLog(), Pieces()
    result = await _ask(name, opened, tool, shown)
    assert result.text == f"{_MAIL} ({_CPF}, {_BADGE}) had [SECRET], says {_MAIL}; [EMAIL_7] ["
    assert "".join(shown) == result.text
    assert all("[EMAIL_1" not in piece for piece in shown)
    assert tool.asked == [{"name": _MAIL, "more": ["[CPF_1]", 8, {"to": "[EMAIL_1]"}]}]
    for request in provider.requests:
        sent = json.dumps(request)
        assert [planted for planted in (_MAIL, _CPF, _BADGE, *_SECRETS) if planted in sent] == []
    assert len(provider.requests) == 2


async def test_what_operators_live_by_arrives(name: ProviderName, opened: tuple[FakeProvider, Model]) -> None:
    provider, _ = opened
    provider.call("find_jobs", {"name": "PAYROLL"})
    provider.say("Hm.")
    await _ask(name, opened, ReadLog(), Pieces())
    sent = json.dumps(provider.requests[1])
    assert _LOG.splitlines()[0] in sent
    assert "mail to [EMAIL_1] (CPF [CPF_1], badge [BADGE_1]) failed: password=[SECRET] key [SECRET]" in sent
    assert "[LITERAL_1] is me, [EMAIL_1]" in sent


async def test_our_own_instructions_are_not_masked(name: ProviderName) -> None:
    # A pattern that is in the prompt itself.
    async with open_provider(name, mask_patterns={"NAME": "Resync"}) as (provider, model):
        provider.say("Hm.")
        prompt = load_prompt("documents").text
        system = ModelMessage(role="system", text=f"{prompt}\n\nResync speaks.")
        await model.complete([system, ModelMessage(role="user", text="Resync?")], [], Pieces().add)
    request = provider.requests[0]
    sent = request["system"] if name == "anthropic" else request["messages"][0]["content"]
    assert sent == f"{prompt}\n\n[NAME_1] speaks."
    assert "Resync" not in json.dumps(request["messages"][-1])


async def test_masking_can_be_switched_off(name: ProviderName) -> None:
    async with open_provider(name, masking=False) as (provider, model):
        provider.say("[EMAIL_1]")
        turn = await model.complete([ModelMessage(role="user", text=_MAIL)], [], Pieces().add)
    assert _MAIL in json.dumps(provider.requests[0])
    assert turn.text == "[EMAIL_1]"
