"""Requests are strict, answers are exactly the published fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from bots.rest.models import (
    ChatAnswer,
    ChatRequest,
    DecisionRequest,
    ExecuteRequest,
    LoginRequest,
    QueryRequest,
)
from brain.message import Verb
from brain.reply import (
    Bullets,
    Button,
    Buttons,
    Citation,
    Citations,
    Code,
    Facts,
    Notice,
    ProposalView,
    Reply,
    Table,
    code,
    text,
)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (ChatRequest, {"message": "   "}),
        (ChatRequest, {"message": "x" * 4001}),
        (ChatRequest, {"message": "a\x00b"}),
        (ChatRequest, {"message": "x", "conversation_id": "../etc"}),
        (ChatRequest, {"message": "x", "locale": "de"}),
        (ChatRequest, {"message": "x", "role": "admin"}),
        (ChatRequest, {"message": 7}),
        (DecisionRequest, {"decision": "maybe"}),
        (DecisionRequest, {"decision": "approve", "reason": "x" * 501}),
        (ExecuteRequest, {"agent": "", "message": "x"}),
        (ExecuteRequest, {"agent": "status", "message": "x", "parameters": {"a": ["b"]}}),
        (LoginRequest, {"username": "ana"}),
        (QueryRequest, {"query": "x", "k": 0}),
        (QueryRequest, {"query": "x", "k": 51}),
    ],
)
def test_a_request_beyond_its_limits_is_refused(model: type[BaseModel], body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps(body))


def test_a_message_is_trimmed_and_may_be_as_long_as_promised() -> None:
    assert ChatRequest(message="  olá ☕ \n").message == "olá ☕"
    assert len(ChatRequest(message="x" * 4000).message) == 4000


def test_a_chat_answer_has_the_fields_of_the_contract() -> None:
    reply = Reply(blocks=(text("fine"),), plain_text="fine", agent="status")
    answer = ChatAnswer.of(reply, conversation_id="c1", turn_id="t1")
    assert json.loads(answer.model_dump_json()) == {
        "conversation_id": "c1",
        "turn_id": "t1",
        "agent": "status",
        "reply": {
            "plain_text": "fine",
            "blocks": [{"kind": "text", "spans": [{"text": "fine", "style": "plain"}]}],
        },
        "citations": [],
        "proposal": None,
        "degraded": [],
    }


def test_every_kind_of_block_survives_the_journey() -> None:
    citation = Citation(document_id="d", document_title="Runbook", location="Restart", quote="Rerun it.")
    blocks = (
        text("see ", code("ABEND")),
        Bullets(items=(text("one"),), numbered=True),
        Facts(items=(("Status", "ABEND"),), title="PAYCALC"),
        Table(columns=("Job",), rows=(("PAYCALC",),)),
        Code(text="RC 8", caption="log"),
        Citations(items=(citation,)),
        Buttons(items=(Button(label="Rerun", verb=Verb.SAY, value="rerun PAYCALC"),)),
        Notice(text="old data", level="warning"),
    )
    proposal = ProposalView(
        id="p1",
        action="rerun",
        target="PAY01#PAYROLL.PAYCALC",
        consequences=("It runs again.",),
        requires="second_person",
        expires_at=datetime(2026, 3, 2, 3, 15, tzinfo=UTC),
    )
    reply = Reply(blocks=blocks, plain_text="x", proposal=proposal, degraded=("model",))
    sent = ChatAnswer.of(reply, conversation_id="c1", turn_id="t1").model_dump_json()
    received = ChatAnswer.model_validate_json(sent)
    assert tuple(received.reply.blocks) == blocks
    assert received.citations == [citation]
    assert received.proposal == proposal
    assert json.loads(sent)["proposal"] == {
        "id": "p1",
        "action": "rerun",
        "target": "PAY01#PAYROLL.PAYCALC",
        "consequences": ["It runs again."],
        "requires": "second_person",
        "expires_at": "2026-03-02T03:15:00Z",
        "arguments": {},
        "targets": [],
        "rule": "",
        "ticket": "",
    }
