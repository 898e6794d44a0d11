"""What is going on in the plan: lists, streams, workstations, all of it or a part."""

from __future__ import annotations

import pytest

from brain.reply import Reply
from tests.support.fault_proxy import FaultProxy
from tests.support.talk import Talk, buttons_of, table_of

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


def _labels(reply: Reply) -> list[str]:
    return [button.label for button in buttons_of(reply)]


def _jobs(reply: Reply) -> list[str]:
    return [row[0] for row in table_of(reply).rows]


async def test_a_question_about_a_stream_lists_its_jobs_alone(talk: Talk) -> None:
    reply = await talk.say("which jobs of PAYDAILY failed?")
    assert reply.plain_text.startswith("PAYDAILY: Failed jobs: 1.")
    assert _jobs(reply) == [_PAYROLL]
    assert (await talk.say("quais jobs do CADCLI falharam?")).plain_text == "CADCLI: Nenhum job falhou."


async def test_a_stream_that_is_not_there_is_not_called_healthy(talk: Talk) -> None:
    reply = await talk.say("which jobs of PAYDAYLI failed?")
    assert "No job has failed" not in reply.plain_text
    assert _labels(reply) == ["PAYDAILY"]


async def test_a_workstation_narrows_a_question(talk: Talk) -> None:
    reply = await talk.say("what failed on AGT_FIN01?")
    assert _jobs(reply) == ["AGT_FIN01#CONTABIL.APURACAO", "AGT_FIN01#REGULAT.SFTP_BACEN"]


@pytest.mark.parametrize("words", ["status of job stream PAYDAILY", "status of PAYDAILY"])
async def test_a_stream_is_shown_with_its_jobs(talk: Talk, words: str) -> None:
    lines = (await talk.say(words)).plain_text.split("\n")
    assert "AGT_HR01#PAYDAILY | STUCK | 2/6 | 1 | –" in lines
    assert sum(line.startswith("AGT_HR01#PAYDAILY.") for line in lines) == 6


@pytest.mark.parametrize("words", ["workstation AGT_POS02", "is AGT_POS02 linked?"])
async def test_one_workstation_is_shown_alone(talk: Talk, words: str) -> None:
    (row,) = table_of(await talk.say(words)).rows
    assert row[:3] == ("AGT_POS02", "FTA", "no")


async def test_all_workstations_are_shown_those_in_trouble_first(talk: Talk) -> None:
    reply = await talk.say("show workstations")
    assert reply.plain_text.startswith("14 workstations; unlinked or stopped: 1.")
    assert _jobs(reply)[0] == "AGT_POS02"
    unknown = await talk.say("workstation NOSUCH")
    assert unknown.plain_text.startswith("I find no workstation called NOSUCH")
    assert len(_jobs(unknown)) == 14


async def test_the_plan_at_a_glance(talk: Talk) -> None:
    reply = await talk.say("status")
    assert "failed: 9." in reply.plain_text
    assert len(_jobs(reply)) == 9
    assert len(_labels(reply)) == 3
    assert _jobs(await talk.say("what failed?")) == _jobs(reply)


async def test_a_long_list_says_how_much_of_it_is_shown(talk: Talk) -> None:
    reply = await talk.say("which jobs are waiting?")
    total = int(reply.plain_text.partition("Waiting jobs: ")[2].partition(".")[0])
    assert total > 300
    assert len(_jobs(reply)) == 20
    assert f"The first 20 of {total} are shown." in reply.plain_text


@pytest.mark.parametrize(
    ("words", "sentence", "job"),
    [
        ("what is on hold?", "Held jobs: 1.", "AGT_DWH01#EXPURGO.DROP_PARTICOES"),
        ("o que está rodando?", "Jobs em execução: ", "AGT_BKP01#BKPDWH.BACKUP_DB"),
        ("what failed?", "Failed jobs: 9.", _PAYROLL),
    ],
)
async def test_lists_by_topic(talk: Talk, words: str, sentence: str, job: str) -> None:
    reply = await talk.say(words)
    assert sentence in reply.plain_text
    assert job in _jobs(reply)


async def test_late_streams_and_late_jobs_are_told_apart(talk: Talk, proxy: FaultProxy) -> None:
    streams = await talk.say("what is late?")
    assert "Late job streams: 1." in streams.plain_text
    assert "AGT_POS01#POSCLOSE | STUCK" in streams.plain_text
    assert "Late jobs" not in streams.plain_text
    proxy.pretended = {"PAYROLL": {"timeRestrictions": {"deadlineTime": "2020-03-02T03:00:00.000Z"}}}
    both = await talk.say("what is late?")
    assert "Late job streams: 1." in both.plain_text
    assert "Late jobs: 1." in both.plain_text
    assert _labels(both) == ["Why PAYROLL?"]
    narrow = await talk.say("what is late in PAYDAILY?")
    assert narrow.plain_text.startswith("PAYDAILY: Late jobs: 1.")
    assert (await talk.say("what is late in CADCLI?")).plain_text == "CADCLI: Nothing is late."


async def test_streams_in_trouble_are_listed(talk: Talk) -> None:
    reply = await talk.say("list the job streams")
    assert _jobs(reply)[:2] == ["AGT_BKP01#BACKUP", "AGT_BKP01#BKPCRM"]
    assert " job streams in the plan; stuck, abended or late: " in reply.plain_text


async def test_one_job_is_shown_with_all_that_matters(talk: Talk, proxy: FaultProxy) -> None:
    reply = await talk.say("status of PAY_BANK_FILE")
    assert "AGT_HR01#PAYDAILY.PAY_BANK_FILE: HOLD" in reply.plain_text
    assert "Waits for: AGT_HR01#PAYDAILY.GERA_HOLERITE" in reply.plain_text
    assert "Deadline: " in reply.plain_text
    proxy.pretended = {"PAY_BANK_FILE": {"jobruns": []}}
    assert "Return code" not in (await talk.say("status of PAY_BANK_FILE")).plain_text


@pytest.mark.parametrize(
    "words", ["status of payroll", "how is the job payroll doing?", "is payroll running?"]
)
async def test_names_may_be_typed_in_any_case(talk: Talk, words: str) -> None:
    assert f"{_PAYROLL}: ABEND" in (await talk.say(words)).plain_text


async def test_nothing_failed_is_an_answer_of_its_own(talk: Talk, proxy: FaultProxy) -> None:
    reply = await talk.say("what is running on AGT_LEG01?")
    assert reply.plain_text == "AGT_LEG01: No job is running."
    assert buttons_of(reply) == []
    assert proxy.changes == []
