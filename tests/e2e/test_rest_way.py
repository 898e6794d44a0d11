"""REST: a question, a proposal, an approval, and what the plan shows."""

from __future__ import annotations

import asyncio
import json

from tests.support.running import Resync


async def test_question_is_answered_from_plan_log_and_runbook_in_both_languages(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        english = await operator.ask("why did PAYROLL fail?")
        portuguese = await operator.ask("por que o job PAYROLL falhou?")
    for answer in (english, portuguese):
        assert answer["agent"] == "diagnosis"
        assert "ORA-01653" in answer["reply"]["plain_text"]
        assert "8" in answer["reply"]["plain_text"]
        log, *documents = answer["citations"]
        assert "ORA-01653" in log["quote"]
        assert any("PAYROLL" in source["document_title"] + source["quote"] for source in documents)
        assert answer["degraded"] == []
    assert "return code" in english["reply"]["plain_text"]
    assert "código de retorno" in portuguese["reply"]["plain_text"]


async def test_rerun_is_confirmed_only_when_the_plan_shows_it(resync: Resync) -> None:
    before = await resync.runs_of("PAYROLL", "PAYDAILY")
    async with resync.client("operator") as operator:
        answer = await operator.ask("rerun PAYROLL because the tablespace was extended")
        proposal = answer["proposal"]
        assert proposal["action"] == "rerun"
        assert proposal["requires"] == "self"
        assert proposal["target"].endswith("PAYDAILY.PAYROLL")
        assert proposal["consequences"]
        assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before)
        status, outcome = await operator.decide(proposal["id"], "approve", "DBA extended PAY_DATA")
        assert (status, outcome["state"]) == (200, "confirmed")
        after = await resync.runs_of("PAYROLL", "PAYDAILY")
        assert len(after) == len(before) + 1
        again, repeated = await operator.decide(proposal["id"], "approve")
        assert (again, repeated["state"]) == (200, "confirmed")
        assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before) + 1
    actions = await resync.simulated("/sim/actions")
    assert "DBA extended PAY_DATA" in json.dumps(actions)


async def test_viewer_may_neither_propose_nor_approve(resync: Resync) -> None:
    async with resync.client("operator") as operator, resync.client("viewer") as viewer:
        assert (await viewer.ask("rerun APURACAO"))["proposal"] is None
        proposal = (await operator.ask("rerun APURACAO"))["proposal"]
        before = await resync.runs_of("APURACAO", "CONTABIL")
        status, document = await viewer.decide(proposal["id"], "approve")
        assert (status, document["code"]) == (403, "not_permitted")
        status, outcome = await operator.decide(proposal["id"], "reject", "the file is still wrong")
        assert (status, outcome["state"]) == (200, "rejected")
        status, outcome = await operator.decide(proposal["id"], "approve")
        assert (status, outcome["state"]) == (200, "rejected")
    assert await resync.runs_of("APURACAO", "CONTABIL") == before


async def test_cancel_needs_a_second_person(resync: Resync) -> None:
    async with resync.client("supervisor") as first, resync.client("admin") as second:
        proposal = (await first.ask("cancel CERT_SYNC"))["proposal"]
        assert proposal["requires"] == "second_person"
        status, outcome = await first.decide(proposal["id"], "approve")
        assert (status, outcome["state"]) == (200, "refused")
        status, outcome = await second.decide(proposal["id"], "approve")
        assert (status, outcome["state"]) == (200, "confirmed")


async def test_fifty_clicks_make_one_execution(resync: Resync) -> None:
    before = await resync.runs_of("EXTRACT_CARDS", "CARDS")
    async with resync.client("operator") as operator:
        proposal = (await operator.ask("rerun EXTRACT_CARDS"))["proposal"]
        outcomes = await asyncio.gather(*(operator.decide(proposal["id"], "approve") for _ in range(50)))
    assert {outcome["state"] for _, outcome in outcomes} == {"confirmed"}
    assert len(await resync.runs_of("EXTRACT_CARDS", "CARDS")) == len(before) + 1


async def test_an_approval_is_void_when_the_job_changed(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        first = (await operator.ask("rerun DWH_LOAD"))["proposal"]
        second = (await operator.ask("rerun DWH_LOAD"))["proposal"]
        assert (await operator.decide(first["id"], "approve"))[1]["state"] == "confirmed"
        runs = await resync.runs_of("DWH_LOAD", "DWHNIGHT")
        status, outcome = await operator.decide(second["id"], "approve")
        assert (status, outcome["state"]) == (200, "refused")
        assert len(await resync.runs_of("DWH_LOAD", "DWHNIGHT")) == len(runs)


async def test_ambiguous_job_gets_candidates_and_a_number_answers(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        question = await operator.ask("rerun BACKUP_DB")
        assert question["agent"] == "clarify"
        assert question["proposal"] is None
        (buttons,) = (block for block in question["reply"]["blocks"] if block["kind"] == "buttons")
        assert len(buttons["items"]) == 3
        status = await operator.ask("1", question["conversation_id"])
    assert status["agent"] == "action"


async def test_unknown_job_gets_the_nearest_names(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        answer = await operator.ask("why did PAYROL fail?")
    assert answer["agent"] == "clarify"
    assert "PAYROLL" in json.dumps(answer["reply"]["blocks"])


async def test_waiting_job_is_traced_to_its_root(resync: Resync) -> None:
    async with resync.client("viewer") as viewer:
        answer = await viewer.ask("por que o FECHAMENTO não começou?")
    assert "APURACAO" in answer["reply"]["plain_text"]
    assert "ABEND" in answer["reply"]["plain_text"]


async def test_stream_shows_progress_and_ends_with_the_same_reply(resync: Resync) -> None:
    async with resync.client("viewer") as viewer:
        headers = {"Accept": "text/event-stream"}
        body = {"message": "why did BKP_CATALOG fail?"}
        async with viewer.session.post("/api/v1/chat", json=body, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            text = (await response.read()).decode()
    events = [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]
    assert events[0] == "progress"
    assert events[-1] == "reply"
    data = json.loads(text.rsplit("data: ", 1)[1].split("\n", 1)[0])
    assert "AWSBDW002E" in data["reply"]["plain_text"]


async def test_same_idempotency_key_joins_the_same_turn(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        body = {"message": "what is late?"}
        _, first = await operator.post("/api/v1/chat", body, **{"Idempotency-Key": "late-1"})
        _, second = await operator.post("/api/v1/chat", body, **{"Idempotency-Key": "late-1"})
    assert first["turn_id"] == second["turn_id"]
    assert first["reply"] == second["reply"]


async def test_a_forgotten_conversation_is_gone_from_memory_and_from_its_addresses(resync: Resync) -> None:
    async with resync.client("operator") as operator:
        asked = await operator.ask("status of PAYROLL")
        conversation, address = asked["conversation_id"], f"/api/v1/turns/{asked['turn_id']}"
        forgotten = await operator.ask("forget this conversation", conversation)
        assert forgotten["reply"]["plain_text"].startswith("The conversation is forgotten")
        status, answer = await operator.get(address)
        assert (status, "PAYROLL" in json.dumps(answer)) == (200, False)
        assert "forgotten" in answer["reply"]["plain_text"]
        assert (await operator.ask("rerun it", conversation))["reply"][
            "plain_text"
        ] == "Which job do you mean?"
