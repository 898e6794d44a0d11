"""A reply survives the turn table and the events, whatever is in it; its plain form has every word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from pydantic import ValidationError

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
    Reply,
    Table,
    from_json,
    from_jsonable,
    strong,
    text,
    to_json,
    to_jsonable,
    to_plain,
)
from tests.support.replies import replies


@given(replies)
def test_json_text_gives_back_the_reply(reply: Reply) -> None:
    assert from_json(to_json(reply)) == reply


@given(replies)
def test_json_values_give_back_the_reply_after_any_json_store(reply: Reply) -> None:
    assert from_jsonable(json.loads(json.dumps(to_jsonable(reply)))) == reply


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(ValidationError, match="html"):
        from_jsonable({"blocks": [{"kind": "html", "text": "<b>"}], "plain_text": ""})


_CITATION = Citation(document_id="d", document_title="Folha", location="Passos", quote="Estender")


def test_citations_are_collected_in_order() -> None:
    other = Citation(document_id="e", document_title="Outro", location="p. 2", quote="…")
    reply = Reply(
        blocks=(Citations(items=(_CITATION,)), text("between"), Citations(items=(other,))), plain_text="…"
    )
    assert reply.citations == (_CITATION, other)


def test_every_block_has_a_plain_form() -> None:
    blocks = (
        text("PAYROLL ", strong("failed")),
        Bullets(items=(text("one"), text("two"))),
        Bullets(items=(text("first"), text("second")), numbered=True),
        Facts(items=(("Status", "ABEND"),), title="Facts"),
        Table(columns=("Job", "RC"), rows=(("PAYROLL", "8"),), title="Failed"),
        Code(text="line 1\nline 2", caption="Log"),
        Citations(items=(_CITATION,)),
        Buttons(
            items=(
                Button(label="Rerun", verb=Verb.SAY, value="x"),
                Button(label="Why", verb=Verb.SAY, value="y"),
            )
        ),
        Notice(text="TWS is away."),
    )
    assert to_plain(blocks).split("\n") == [
        "PAYROLL failed",
        "- one",
        "- two",
        "1. first",
        "2. second",
        "Facts",
        "Status: ABEND",
        "Failed",
        "Job | RC",
        "PAYROLL | 8",
        "Log",
        "line 1",
        "line 2",
        "[1] Folha, Passos",
        "[Rerun] [Why]",
        "TWS is away.",
    ]


def test_untitled_and_empty_blocks_leave_no_blank_lines() -> None:
    blocks = (
        Facts(items=()),
        Table(columns=("Job",), rows=()),
        Code(text=""),
        Buttons(items=()),
        Citations(items=()),
    )
    assert to_plain(blocks) == "Job"
