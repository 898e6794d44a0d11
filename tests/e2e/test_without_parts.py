"""All that people can ask for and have done, with each optional part away, and with all of them away at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from brain.llm.settings import LlmSettings
from knowledge.settings import EmbedderSettings, KnowledgeSettings
from observability.settings import ObservabilitySettings
from tests.support.fake_langfuse import fake_langfuse
from tests.support.postgres import fresh_database
from tests.support.running import Resync, running_resync
from tests.support.simulator import running_simulator
from tws.actions import Action

pytestmark = pytest.mark.timeout(240)

_NOWHERE = "http://127.0.0.1:9"
_PARTS = frozenset({"model", "langfuse", "embeddings", "redis"})

_READ = {
    # What is asked, and what the answer must have.
    "what failed?": "PAYROLL",
    "quais jobs falharam?": "PAYROLL",
    "status of PAYROLL": "ABEND",
    "status do APURACAO": "ABEND",
    "why did PAYROLL fail?": "ORA-01653",
    "por que o PAYROLL falhou?": "ORA-01653",
    "why has GERA_HOLERITE not started?": "PAYROLL",
    "por que o FECHAMENTO não começou?": "APURACAO",
    "what is late?": "",
    "what happens if I cancel PAYROLL?": "GERA_HOLERITE",
    "when will GERA_HOLERITE finish?": "GERA_HOLERITE",
    "show workstations": "AGT_POS02",
    "which prompts are waiting?": "PAGTO",
    "lista os recursos": "",
    "sj @#@.PAY@+state=abend": "PAYROLL",
    "what depends on PAYROLL?": "GERA_HOLERITE",
    "quem é o responsável pelo PAYROLL?": "PAYROLL",
    "has PAYROLL failed before?": "PAYROLL",
    "which failures have no runbook?": "",
    "what does ORA-01653 mean?": "ORA-01653",
    "o que significa ORA-01653?": "ORA-01653",
    "what is the procedure when PAYROLL ends with RC 8?": "PAYROLL",
    "what failed and why, and which prompts are waiting?": "PAGTO",
    "what changed since 00:00?": "",
    "which streams got slower?": "",
    "what needs my attention?": "",
    "help": "rerun",
    "ajuda": "reexec",
    "hello": "",
}
_WISHES = {
    "rerun PAYROLL": Action.RERUN,
    "segura o GERA_HOLERITE": Action.HOLD,
    "libera o GERA_HOLERITE": Action.RELEASE,
    "cancel APURACAO": Action.CANCEL,
    "set the priority of GERA_HOLERITE to 50": Action.SET_PRIORITY,
    "set the limit of AGT_POS02 to 5": Action.SET_LIMIT,
    "põe o fence da AGT_POS02 em 10": Action.SET_FENCE,
    "responde yes ao prompt PAGTO": Action.REPLY_YES,
    "stop workstation AGT_POS02": Action.STOP,
    "submit job stream PAYDAILY": Action.SUBMIT,
}


@pytest.fixture(scope="module", params=[*sorted(_PARTS), "all"], ids=lambda part: f"without-{part}")
def away(request: pytest.FixtureRequest) -> frozenset[str]:
    return _PARTS if request.param == "all" else frozenset({request.param})


@pytest.fixture(scope="module")
async def resync(
    away: frozenset[str], postgres_dsn: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Resync]:
    folder: Path = tmp_path_factory.mktemp("without")
    sections: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        if "model" in away:
            sections["llm"] = LlmSettings(
                provider="openai", model="m", base_url=f"{_NOWHERE}/v1", api_key=SecretStr("sk-nobody")
            )
        if "langfuse" in away:
            langfuse = await stack.enter_async_context(fake_langfuse(hangs=True))
            sections["observability"] = ObservabilitySettings(
                langfuse_host=langfuse.url,
                langfuse_public_key="pk-lf-1",
                langfuse_secret_key=SecretStr("sk-lf-1"),
            )
        if "embeddings" in away:
            gone = EmbedderSettings(model="gone", dimensions=8, url=f"{_NOWHERE}/v1")
            sections["knowledge"] = KnowledgeSettings(embedders=(gone,))
        yield await stack.enter_async_context(
            running_resync(
                dsn=await stack.enter_async_context(fresh_database(postgres_dsn)),
                redis_url=f"redis{_NOWHERE.removeprefix('http')}" if "redis" in away else redis_url,
                tws_url=await stack.enter_async_context(running_simulator()),
                data_dir=folder,
                **sections,
            )
        )


async def test_every_question_is_answered_and_says_what_is_away(resync: Resync, away: frozenset[str]) -> None:
    async with resync.client("operator") as operator:
        answers = await asyncio.gather(*(operator.ask(words) for words in _READ))
    told = set().union(*(answer["degraded"] for answer in answers))
    for (words, wanted), answer in zip(_READ.items(), answers, strict=True):
        text = answer["reply"]["plain_text"]
        assert text, words
        assert wanted in json.dumps(answer["reply"], ensure_ascii=False), (words, text)
        assert answer["agent"] != "clarify", (words, text)
    assert told == away - {"langfuse"}


async def test_every_change_is_proposed_and_approved_ones_are_made_and_confirmed(resync: Resync) -> None:
    async with resync.client("operator") as operator, resync.client("admin") as admin:
        for words, action in _WISHES.items():
            proposal = (await operator.ask(words))["proposal"]
            assert proposal is not None, words
            assert proposal["action"] == action, words
            approver = operator if proposal["requires"] == "self" else admin
            status, outcome = await approver.decide(proposal["id"], "approve", "tested")
            assert (status, outcome["state"]) == (200, "confirmed"), (words, outcome)
        rejected = (await operator.ask("rerun CERT_SYNC"))["proposal"]
        assert (await operator.decide(rejected["id"], "reject"))[1]["state"] == "rejected"


async def test_a_conversation_goes_on_and_is_forgotten(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        first = await operator.ask("why did EXTRACT_CARDS fail?")
        conversation = first["conversation_id"]
        proposed = await operator.ask("hold it", conversation)
        assert "EXTRACT_CARDS" in proposed["reply"]["plain_text"]
        await operator.ask("forget this conversation", conversation)
        after = await operator.ask("hold it", conversation)
        assert after["proposal"] is None


async def test_feedback_is_kept_and_health_names_what_is_away(resync: Resync, away: frozenset[str]) -> None:
    async with resync.client("operator") as operator:
        answer = await operator.ask("what does ORA-01653 mean?")
        opinion = {"turn_id": answer["turn_id"], "verdict": "good"}
        status, _ = await operator.post("/api/v1/feedback", opinion)
        assert status < 300
        ready, health = await operator.get("/readyz")
        assert ready == 200
        assert ("down" in health["parts"].values()) == bool(away & {"redis"})
