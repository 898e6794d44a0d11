from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.render import SlackMessage, to_slack, to_status
from brain.message import Verb
from brain.reply import (
    Block,
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
    Text,
    code,
    strong,
    text,
)
from brain.reply import Span as ReplySpan
from tests.support.generated_replies import generated
from tests.support.slack_limits import check_blocks, texts_of

RTL = "\u202e"
HOSTILE = (
    "<!channel>",
    "<@U1>",
    "<https://evil.example|runbook>",
    "*x*",
    "_x_",
    "`x`",
    "```",
    ":boom:",
    "&amp;",
    f"{RTL}DLOH",
)

words = st.sampled_from([*HOSTILE, "", " ", "\n", "x" * 4_000, "&" * 4_000, "é" * 200]) | st.text(max_size=60)
spans = st.builds(ReplySpan, words, st.sampled_from(["plain", "strong", "code"]))
paragraph = st.builds(Text, spans=st.lists(spans, max_size=4).map(tuple))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(0, 25))
    cells = st.sampled_from(["a", "", "x" * 400, "<!here>"])
    row = st.lists(cells, min_size=width, max_size=width).map(tuple)
    rows = draw(st.lists(row, max_size=5)) * draw(st.sampled_from([1, 40]))
    return Table(columns=draw(row), rows=tuple(rows), title=draw(words))


pairs = st.lists(st.tuples(words, words), max_size=6).map(tuple)
buttons = st.builds(
    Button,
    label=words,
    verb=st.sampled_from(Verb),
    value=words,
    style=st.sampled_from(["default", "primary", "danger"]),
)
citations = st.builds(Citation, document_id=words, document_title=words, location=words, quote=words)
blocks_of_all_kinds: st.SearchStrategy[Block] = st.one_of(
    paragraph,
    st.builds(Bullets, items=st.lists(paragraph, max_size=5).map(tuple), numbered=st.booleans()),
    st.builds(Facts, items=pairs, title=words),
    tables(),
    st.builds(Code, text=words, caption=words),
    st.builds(Citations, items=st.lists(citations, max_size=3).map(tuple)),
    st.builds(Buttons, items=st.lists(buttons, max_size=30).map(tuple)),
    st.builds(Notice, text=words, level=st.sampled_from(["info", "good", "warning", "danger"])),
)


def reply(*blocks: Block, plain_text: str = "answer") -> Reply:
    return Reply(blocks=blocks, plain_text=plain_text)


def shown(message: SlackMessage) -> str:
    return "\n".join(texts_of(message.blocks))


def nodes(node: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


@settings(deadline=None)  # the largest replies take longer than 200 ms on a busy machine
@given(st.lists(blocks_of_all_kinds, max_size=70), words)
def test_any_reply_keeps_slacks_limits_and_pings_nobody(blocks: list[Block], plain_text: str) -> None:
    message = to_slack(reply(*blocks, plain_text=plain_text))

    assert check_blocks(message.blocks) == []
    assert message.blocks
    assert 0 < len(message.text) <= 4_000
    assert "<" not in message.text
    assert html.escape(html.unescape(message.text), quote=False) == message.text
    kinds = {node.get("type") for node in nodes(message.blocks)}
    assert kinds.isdisjoint({"mrkdwn", "user", "usergroup", "broadcast", "channel", "link"})
    assert RTL not in shown(message) + message.text


def test_hostile_names_keep_slacks_limits() -> None:
    assert [problem for reply, _ in generated(200) for problem in check_blocks(to_slack(reply).blocks)] == []


@given(spans.filter(lambda span: 0 < len(span.text) < 2_000 and span.text.isprintable()))
def test_words_arrive_literally_and_in_their_style(span: ReplySpan) -> None:
    (run,) = to_slack(reply(Text(spans=(span,)))).blocks[0]["elements"][0]["elements"]

    assert run["type"] == "text"
    assert run["text"] == span.text
    assert run.get("style") == {"plain": None, "strong": {"bold": True}, "code": {"code": True}}[span.style]


def test_a_name_that_reorders_its_neighbours_is_made_visible() -> None:
    message = to_slack(reply(text("job ", code(f"A{RTL}B"))))

    assert shown(message) == "job \nA\ufffdB"


def test_text_for_notifications_is_escaped_once() -> None:
    message = to_slack(reply(text("x"), plain_text="a < b & <!channel>"))

    assert message.text == "a &lt; b &amp; &lt;!channel&gt;"


@pytest.mark.parametrize(("character", "escaped"), [("<", "&lt;"), ("&", "&amp;")])
@pytest.mark.parametrize("shift", range(5))
def test_text_for_notifications_never_ends_inside_an_escape(character: str, escaped: str, shift: int) -> None:
    message = to_slack(reply(text("x"), plain_text="a" * shift + character * 4_000))

    kept, _, note = message.text.partition("…")
    count = len(kept.removeprefix("a" * shift)) // len(escaped)
    assert kept == "a" * shift + escaped * count
    assert note == f" [shortened / abreviado: +{4_000 - count}]"
    assert len(message.text) <= 4_000


@pytest.mark.parametrize(
    "block",
    [
        text("x" * 4_000),
        Bullets(items=(text("x" * 4_000),)),
        Bullets(items=(text("x" * 100),) * 40),
        Facts(items=(("label", "x" * 4_000),)),
        Table(columns=("a",), rows=(("x",),) * 150),
        Table(columns=tuple("abcdefghijklmnopqrstuvwxyz"), rows=()),
        Table(columns=("a",), rows=(("x" * 4_000,),)),
        Table(columns=("x" * 400,) * 20, rows=()),
        Code(text="x\n" * 4_000),
        Citations(items=(Citation(document_id="d", document_title="x" * 4_000, location="l", quote="q"),)),
        Notice(text="x" * 4_000),
        Buttons(items=(Button(label="say it", verb=Verb.SAY, value="x" * 4_000),)),
    ],
    ids=lambda block: block.kind,
)
def test_what_is_shortened_says_so(block: Block) -> None:
    message = to_slack(reply(block))

    assert check_blocks(message.blocks) == []
    assert "[shortened / abreviado: +" in shown(message)


@pytest.mark.parametrize(
    "block",
    [
        text("x" * 3_000),
        Table(columns=("a", "b"), rows=(("x", "y"),) * 99),
        Code(text="x" * 3_000),
        Buttons(items=(Button(label="x" * 75, verb=Verb.SAY, value="x" * 2_000),) * 25),
    ],
    ids=lambda block: block.kind,
)
def test_what_fits_is_whole(block: Block) -> None:
    message = to_slack(reply(block))

    assert check_blocks(message.blocks) == []
    assert "…" not in shown(message)


def test_more_buttons_than_fit_a_row_fill_two() -> None:
    row = Buttons(items=(Button(label="x", verb=Verb.SAY, value="y"),) * 26)

    message = to_slack(reply(row))

    assert check_blocks(message.blocks) == []
    assert [len(block["elements"]) for block in message.blocks] == [25, 1]


def test_note_counts_what_is_missing() -> None:
    *kept, note = texts_of(to_slack(reply(text(strong("a" * 2_000), "b" * 2_000))).blocks)

    assert "".join(kept).rstrip("b") == "a" * 2_000
    assert note == f"… [shortened / abreviado: +{4_000 - sum(map(len, kept))}]"


@pytest.mark.parametrize("paragraphs", [[text("x" * 3_000)] * 8, [text("x")] * 60], ids=["long", "many"])
def test_buttons_survive_a_reply_that_is_too_long(paragraphs: list[Text]) -> None:
    approve = Buttons(items=(Button(label="Approve", verb=Verb.APPROVE, value="p-1", style="primary"),))

    message = to_slack(reply(*paragraphs, approve))

    assert check_blocks(message.blocks) == []
    assert [block["type"] for block in message.blocks[-2:]] == ["rich_text", "actions"]
    assert next(texts_of(message.blocks[-2])).startswith("… [shortened / abreviado: +")


def test_a_long_reply_keeps_every_beginning_and_notes_every_gap() -> None:
    lines = [text(f"{number:02} ", "x" * (2_900 if number % 2 else 10)) for number in range(20)]

    message = to_slack(reply(*lines))

    starts = [next(texts_of(block)) for block in message.blocks]
    long, short = starts[1::3], starts[::3]
    assert short == [f"{number:02} " for number in range(0, 20, 2)]
    assert long == [f"{number:02} " for number in range(1, 20, 2)]
    assert all(note.startswith("… [shortened / abreviado: +") for note in starts[2::3])


def test_buttons_carry_verb_and_value() -> None:
    row = Buttons(
        items=(
            Button(label="Approve", verb=Verb.APPROVE, value="p-1", style="primary"),
            Button(label="Reject", verb=Verb.REJECT, value="p-1", style="danger"),
        )
    )

    again = Buttons(items=(Button(label="Why?", verb=Verb.SAY, value="por que X falhou?"),))
    elements = [element for block in to_slack(reply(row, again)).blocks for element in block["elements"]]

    assert [(item["action_id"], item["value"], item.get("style")) for item in elements] == [
        ("approve:1", "p-1", "primary"),
        ("reject:2", "p-1", "danger"),
        ("say:3", "por que X falhou?", None),
    ]


def test_a_button_that_asks_for_a_reason_says_so() -> None:
    row = Buttons(items=(Button(label="Reject", verb=Verb.REJECT, value="p-1", asks_reason=True),))

    (block,) = to_slack(reply(row)).blocks

    assert [item["action_id"] for item in block["elements"]] == ["reject:reason:1"]


def test_button_whose_words_do_not_fit_cannot_be_pressed() -> None:
    row = Buttons(items=(Button(label="All of it", verb=Verb.SAY, value="x" * 2_001),))

    message = to_slack(reply(row))

    assert all(block["type"] != "actions" for block in message.blocks)
    assert "All of it" in shown(message)


def test_second_table_becomes_lines() -> None:
    table = Table(columns=("job", "rc"), rows=(("LOAD", "12"),), title="Failed")

    message = to_slack(reply(table, table))

    assert [block["type"] for block in message.blocks] == ["rich_text", "table", "rich_text", "rich_text"]
    assert "job | rc\nLOAD | 12" in shown(message)


def test_numbered_bullets_keep_their_numbers() -> None:
    bullets = Bullets(items=(text("one"), text(""), text("three")), numbered=True)

    (part,) = to_slack(reply(bullets)).blocks[0]["elements"]

    assert part["style"] == "ordered"
    assert [item["elements"][0]["text"] for item in part["elements"]] == ["one", "–", "three"]


def test_citations_name_their_source() -> None:
    cited = Citation(document_id="d1", document_title="DWH runbook", location="3.2", quote="Free the lock.")
    long = replace(cited, quote="q" * 200)

    message = to_slack(reply(Citations(items=(cited, *(long for _ in range(11))))))

    first, second = (block["elements"] for block in message.blocks)
    assert (len(first), len(second)) == (10, 2)
    assert first[0]["text"] == "[1] DWH runbook · 3.2\n“Free the lock.”"
    assert second[-1]["text"] == f"[12] DWH runbook · 3.2\n“{'q' * 159}…”"


def test_reply_without_blocks_shows_its_plain_text() -> None:
    message = to_slack(reply(plain_text="*nothing* failed"))

    assert shown(message) == "*nothing* failed"
    assert message.text == "*nothing* failed"


@given(words)
def test_any_line_of_progress_keeps_slacks_limits(line: str) -> None:
    message = to_status(line)

    assert check_blocks(message.blocks) == []
    assert message.text
    assert "<" not in message.text
