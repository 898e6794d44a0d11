"""Why a job has not started: what it waits for itself, with its stream, or behind another job."""

from __future__ import annotations

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.talk import Talk, buttons_of

_PAYROLL = "AGT_HR01#PAYDAILY.PAYROLL"


@pytest.mark.parametrize(
    ("job", "reasons"),
    [
        ("GERA_HOLERITE", ["it waits for AGT_HR01#PAYDAILY.PAYROLL, which is in ABEND (return code 8)"]),
        ("COLETA_CUPONS_F2", ["its workstation AGT_POS02 is not linked"]),
        ("EXTRAI_VSAM", ["the job limit of AGT_LEG01 is 0"]),
        ("DROP_PARTICOES", ["it is held: its priority is 0"]),
        ("LIBERA_REMESSA", ["it waits for an answer to the prompt PAGTO"]),
        ("BACKUP_MAILBOX", ["it needs 1 units of the resource AGT_BKP01#FITALTO: "]),
        (
            "ENVIA_CVM",
            ["it may not start before ", "it waits for AGT_FIN01#INVEST.GERA_EXTRATOS, which is in HOLD"],
        ),
        ("COLETA_AGENDA", ["its job stream AGT_CRD01#ANTECIP may not start before "]),
        # The whole stream waits for a file; the job's own dependencies are empty.
        ("RECEBE_CNAB240", ["its job stream AGT_FIN01#RETBANCO: it waits for the file "]),
    ],
)
async def test_a_job_that_has_not_started_is_explained(talk: Talk, job: str, reasons: list[str]) -> None:
    reply = await talk.say(f"why hasn't {job} started?")
    for reason in reasons:
        assert f"- {reason}" in reply.plain_text
    assert "I see nothing that holds it" not in reply.plain_text


async def test_the_head_of_the_chain_is_found(talk: Talk) -> None:
    reply = await talk.say("why hasn't PAY_NOTIFY started?")
    assert (
        "The cause is AGT_HR01#PAYDAILY.GERA_HOLERITE: it waits for AGT_HR01#PAYDAILY.PAYROLL, which is in ABEND (return code 8)"
        in reply.plain_text
    )
    assert buttons_of(reply)[0].value == f"Why did {_PAYROLL} fail?"


async def test_a_job_that_ended_well_is_not_explained_as_a_failure(talk: Talk) -> None:
    reply = await talk.say("why did CALC_HORAS fail?")
    assert reply.plain_text.startswith("AGT_HR01#PAYDAILY.CALC_HORAS is in SUCC; it started at ")


@pytest.mark.parametrize(
    ("pretended", "reason"),
    [
        ({"AGT_CRD01": {"fence": 60}}, "- the fence of AGT_CRD01 is 60, the job's priority only 10"),
        (
            {"AGT_CRD01": {"activeStates": ["IS_INITED", "LINKED", "TCP_IP_LINKED"]}},
            "- the agent on AGT_CRD01 is not running",
        ),
        (
            {"COLETA_AGENDA": {"timeRestrictions": {"latestStartTime": "2020-03-02T03:00:00.000Z"}}},
            "- its latest start, 2020-03-02 03:00 UTC, has passed",
        ),
        (
            {
                "COLETA_AGENDA": {
                    "schedTime": "2020-03-02T03:00:00.000Z",
                    "lastRunCompositeStatus": {"status": "READY", "substatus": ""},
                },
                "ANTECIP": {"timeRestrictions": {"startTime": "2020-03-02T03:00:00.000Z"}},
            },
            "I see nothing that holds it; it should start as soon as the engine launches it.",
        ),
        (
            {"COLETA_AGENDA": {"lastRunCompositeStatus": {"canceled": True}}},
            "AGT_CRD01#ANTECIP.COLETA_AGENDA was cancelled; its last status was HOLD.",
        ),
    ],
)
async def test_every_obstacle_is_named(
    talk: Talk, proxy: FaultProxy, pretended: dict[str, dict[str, object]], reason: str
) -> None:
    proxy.pretended = pretended
    assert reason in (await talk.say("why hasn't COLETA_AGENDA started?")).plain_text


async def test_a_chain_that_begins_with_a_whole_stream_ends_there(talk: Talk) -> None:
    reply = await talk.say("why hasn't CONFERE_NOITE started?")
    assert "- it waits for AGT_FIN01#INVEST, which is in " in reply.plain_text
    assert "At the head of the chain" not in reply.plain_text


async def test_of_several_jobs_with_the_name_the_one_that_waits_is_meant(talk: Talk) -> None:
    reply = await talk.say("why hasn't PIX_COLETA started?")
    assert reply.agent == "clarify"
    assert "PIX_COLETA" in reply.plain_text
