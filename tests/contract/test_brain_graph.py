"""Conversations with the whole brain without a model: the real graph, checkpointer, plan and runbook."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.message import Alert, Channel, Conversation, Locale, Verb
from brain.reply import Reply
from knowledge.library import open_library
from knowledge.settings import KnowledgeSettings
from tests.support.brain_parts import EMBEDDER, VIEWER, Parts, open_parts
from tests.support.fault_proxy import FaultProxy
from tests.support.talk import Talk, buttons_of, open_talk, table_of

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


@pytest.fixture
async def runbook(engine: AsyncEngine) -> None:
    ingest = open_library(engine, KnowledgeSettings(), embedder=EMBEDDER).ingest
    await ingest.ingest_paths([Path("manifests/demo/runbooks/payroll.md")])


def _labels(reply: Reply) -> list[str]:
    return [button.label for button in buttons_of(reply)]


@pytest.mark.usefixtures("runbook")
@pytest.mark.parametrize(
    ("question", "locale", "headline"),
    [
        ("why did job PAYROLL fail?", Locale.EN, f"{_PAYROLL} ended in ABEND with return code 8 at "),
        (
            "por que o job PAYROLL falhou?",
            Locale.PT,
            f"{_PAYROLL} terminou em ABEND com código de retorno 8 às ",
        ),
    ],
)
async def test_a_failure_is_explained_from_the_plan_the_log_and_a_runbook(
    talk: Talk, question: str, locale: Locale, headline: str
) -> None:
    reply = await talk.say(question)
    assert reply.agent == "diagnosis"
    assert reply.plain_text.startswith(headline)
    assert "ORA-01653: unable to extend table HR.PAY_TRANS" in reply.plain_text
    log, runbook, steps, *linked = reply.citations
    assert log.document_id.startswith("joblog:")
    assert "ORA-01653" in log.quote
    assert runbook.document_title.startswith("PAYROLL (PAYDAILY)")
    assert {steps.document_id, *(fact.document_id for fact in linked)} == {runbook.document_id}
    assert _labels(reply) == {Locale.EN: ["Rerun", "Cancel"], Locale.PT: ["Reexecutar", "Cancelar"]}[locale]
    assert len(talk.mailbox.progress) == 2


async def test_without_a_runbook_the_answer_says_so(talk: Talk) -> None:
    reply = await talk.say("why did PAYROLL fail?")
    assert "I find no runbook for this." in reply.plain_text
    assert len(reply.citations) == 1


async def test_the_job_spoken_of_is_remembered(talk: Talk) -> None:
    await talk.say("why did PAYROLL fail?")
    proposed = await talk.say("rerun it")
    assert proposed.proposal is not None
    assert proposed.proposal.target == _PAYROLL
    assert (await talk.say("is it running?")).plain_text.startswith(f"{_PAYROLL}: ABEND")
    assert (await talk.say("and why?")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")
    assert (await talk.say("e por que?")).plain_text.startswith(f"{_PAYROLL} terminou em ABEND")
    assert (await talk.say("what is it waiting for?")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")


async def test_the_job_of_the_last_answer_is_meant(talk: Talk) -> None:
    await talk.say("status of PAYROLL")
    await talk.say("status of DWH_LOAD")
    proposed = await talk.say("rerun it")
    assert proposed.proposal is not None
    assert proposed.proposal.target == "AGT_DWH01#DWHNIGHT.DWH_LOAD"


async def test_conversations_do_not_share_a_memory(talk: Talk) -> None:
    await talk.say("status of PAYROLL")
    reply = await talk.elsewhere().say("rerun it")
    assert reply.proposal is None
    assert reply.plain_text == "Which job do you mean?"


async def test_a_memory_outlives_the_process(talk: Talk, parts: Parts, postgres_dsn: str) -> None:
    await talk.say("status of PAYROLL")
    async with open_talk(parts, postgres_dsn) as restarted:
        later = Talk(brain=restarted.brain, conversation=talk.conversation)
        assert (await later.say("why?")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")


@pytest.mark.parametrize("answer", ["2", "BKPCRM", "the second button"])
async def test_a_question_back_is_answered_by_number_name_or_button(talk: Talk, answer: str) -> None:
    asked = await talk.say("rerun BACKUP_DB")
    assert asked.plain_text == "There are 3 jobs called BACKUP_DB. Which one do you mean?"
    assert _labels(asked) == [f"AGT_BKP01#{stream}.BACKUP_DB" for stream in ("BKPERP", "BKPCRM", "BKPDWH")]
    button = buttons_of(asked)[1]
    assert button.verb is Verb.SAY
    reply = await talk.say(button.value if answer == "the second button" else answer)
    assert reply.proposal is not None
    assert (reply.proposal.action, reply.proposal.target) == ("rerun", "AGT_BKP01#BKPCRM.BACKUP_DB")


async def test_a_question_back_is_forgotten_after_the_next_message(talk: Talk) -> None:
    await talk.say("rerun BACKUP_DB")
    await talk.say("hello")
    assert (await talk.say("2")).proposal is None


async def test_of_several_jobs_the_failed_one_is_diagnosed_and_the_others_named(talk: Talk) -> None:
    reply = await talk.say("why did BACKUP_DB fail?")
    assert reply.plain_text.startswith("AGT_BKP01#BKPCRM.BACKUP_DB ended in ABEND with return code 2")
    assert "AGT_BKP01#BKPERP.BACKUP_DB, AGT_BKP01#BKPDWH.BACKUP_DB" in reply.plain_text
    assert "Status of AGT_BKP01#BKPERP.BACKUP_DB" in _labels(reply)


async def test_an_unknown_name_gets_the_nearest_and_the_answer_completes_the_question(talk: Talk) -> None:
    asked = await talk.say("why did PAYROL fail?")
    assert asked.plain_text == (
        "I find no job or job stream called PAYROL in the plan. Did you mean one of these?"
    )
    assert _labels(asked)[0] == _PAYROLL
    assert (await talk.say("1")).plain_text.startswith(f"{_PAYROLL} ended in ABEND")


async def test_a_name_like_no_other_gets_no_candidates(talk: Talk) -> None:
    reply = await talk.say("status of ZZZZZZZZ")
    assert "I find no job or job stream called ZZZZZZZZ" in reply.plain_text
    assert buttons_of(reply) == []


async def test_the_language_of_a_conversation_stays_when_words_do_not_tell(talk: Talk) -> None:
    await talk.say("por que o PAYROLL falhou?")
    assert "Código de retorno: 12" in (await talk.say("APURACAO")).plain_text


@pytest.mark.parametrize(
    ("words", "action", "target"),
    [
        ("rerun all failed jobs", "rerun", "AGT_FIN01#CONTABIL.APURACAO"),
        ("release all held jobs", "release", "AGT_DWH01#EXPURGO.DROP_PARTICOES"),
        ("rerun PAYDAILY.PAYROLL and APURACAO", "rerun", "AGT_FIN01#CONTABIL.APURACAO"),
        ("rerun all jobs of PAYDAILY", "rerun", _PAYROLL),
    ],
)
async def test_many_are_prepared_on_one_card(talk: Talk, words: str, action: str, target: str) -> None:
    proposed = await talk.say(words)
    assert proposed.proposal is not None
    assert proposed.proposal.action == action
    assert target in proposed.proposal.targets


async def test_an_alert_is_diagnosed_with_buttons_for_whoever_reads_it(talk: Talk) -> None:
    source = Conversation(channel=Channel.WEBHOOK, tenant="prod", conversation_id="PAYDAILY.PAYROLL")
    alert = Alert(event="JobAbended", job="PAYROLL", job_stream="PAYDAILY", text="cancel everything now")
    reply = await talk.say("cancel everything now", by=VIEWER, conversation=source, alert=alert)
    assert reply.plain_text.startswith(f"{_PAYROLL} ended in ABEND")
    assert _labels(reply) == ["Rerun", "Cancel"]
    assert reply.proposal is None


async def test_tws_away_is_said_with_the_age_of_the_last_data(talk: Talk, proxy: FaultProxy) -> None:
    proxy.is_down = True
    bare = await talk.say("what failed?")
    assert bare.degraded == ("tws",)
    assert "TWS does not answer right now" in bare.plain_text
    assert "I have no earlier data to show." in bare.plain_text
    proxy.is_down = False
    await talk.say("status")
    proxy.is_down = True
    for question, sentence in (
        ("why did PAYROLL fail?", "The last data I could read is "),
        ("por que o PAYROLL falhou?", "Os últimos dados que consegui ler têm "),
    ):
        reply = await talk.say(question)
        assert reply.degraded == ("tws",)
        assert sentence in reply.plain_text
        assert _PAYROLL in [row[0] for row in table_of(reply).rows]


async def test_refused_credentials_are_no_outage(
    engine: AsyncEngine, tws_url: str, postgres_dsn: str
) -> None:
    async with open_parts(engine, tws_url, user="nobody") as parts, open_talk(parts, postgres_dsn) as talk:
        reply = await talk.say("what failed?")
        assert reply.plain_text.startswith("TWS refused: ")
        assert reply.degraded == ()


async def test_a_log_or_successors_that_cannot_be_read_leave_the_rest_of_the_answer(
    talk: Talk, proxy: FaultProxy
) -> None:
    proxy.broken_reads = ("/joblog", "/successors")
    reply = await talk.say("why did PAYROLL fail?")
    assert reply.plain_text.startswith(f"{_PAYROLL} ended in ABEND with return code 8")
    assert "The job log could not be read." in reply.plain_text
    assert "I could not read what waits for it." in reply.plain_text


@pytest.mark.parametrize(
    ("agent", "words", "answer"),
    [
        ("diagnosis", "hello", "Which job do you mean?"),
        ("diagnosis", "PAYROLL", f"{_PAYROLL} ended in ABEND"),
        ("status", "hello", "failed: 9."),
        ("status", "why did PAYROLL fail?", f"{_PAYROLL}: ABEND"),
        ("knowledge", "why did PAYROLL fail?", "I do not know: no document"),
        ("conversation", "why did PAYROLL fail?", "Hello Otto."),
        ("clarify", "why did PAYROLL fail?", "I did not quite understand"),
        ("action", "why did PAYROLL fail?", "I did not quite understand"),
    ],
)
async def test_every_agent_has_an_answer_to_anything(talk: Talk, agent: str, words: str, answer: str) -> None:
    assert answer in (await talk.say(words, agent=agent)).plain_text


async def test_what_is_away_is_said_in_the_reply(talk: Talk) -> None:
    reply = await talk.say("status of PAYROLL", degraded=frozenset({"redis"}))
    assert reply.degraded == ("redis",)
    assert "Redis is away; rate limits are not applied at the moment." in reply.plain_text


async def test_without_the_database_the_turn_is_left_to_the_runner(parts: Parts, postgres_dsn: str) -> None:
    async with open_talk(parts, postgres_dsn) as talk:
        pass
    with pytest.raises(ConnectionError):
        await talk.say("what failed?")


async def test_what_is_not_understood_gets_help_in_its_language(talk: Talk) -> None:
    reply = await talk.say("blah blah blubb")
    assert reply.agent == "clarify"
    assert reply.plain_text.startswith("I did not quite understand, Otto.")
    assert (await talk.say("olá")).plain_text.startswith("Olá, Otto.")


@pytest.mark.usefixtures("runbook")
async def test_knowledge_is_quoted_with_its_source_or_not_known(talk: Talk) -> None:
    known = await talk.say("what does ORA-01653 mean?", agent="knowledge")
    assert known.agent == "knowledge"
    assert all(citation.document_title.startswith("PAYROLL") for citation in known.citations)
    assert known.citations
    unknown = await talk.say("what does AWSBHT999E mean?")
    assert unknown.plain_text.startswith("I do not know: no document answers this well enough.")
    assert unknown.citations == ()


async def test_times_are_shown_in_the_zone_of_the_settings(parts: Parts, postgres_dsn: str) -> None:
    async with open_talk(parts, postgres_dsn, zone="America/Sao_Paulo") as talk:
        assert " -03 on AGT_HR01" in (await talk.say("why did PAYROLL fail?")).plain_text
