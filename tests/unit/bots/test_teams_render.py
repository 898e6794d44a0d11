"""Reply to Adaptive Card: valid, small enough, and text is nothing but text."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from bots.teams.inbound import read_activity, to_message
from bots.teams.render import MAX_CARD_BYTES, to_card, to_summary
from brain.message import Locale, Verb
from brain.reply import (
    Block,
    Bullets,
    Button,
    Buttons,
    Citation,
    Citations,
    Code,
    DecisionOutcome,
    Facts,
    Notice,
    Reply,
    Span,
    Table,
    Text,
    code,
    strong,
    text,
)
from tests.support import teams_activities as activities
from tests.support.generated_replies import generated

NOW = datetime(2026, 3, 2, 3, 4, tzinfo=UTC)
APPROVE = Button(label="Rerun", verb=Verb.APPROVE, value="p-1", style="primary")
REJECT = Button(label="Leave it", verb=Verb.REJECT, value="p-1", style="danger")
HOSTILE = (
    "**bold** _it_ [click](https://evil.example) <at>all</at> # h\n- x ![i](http://e/x.png) `c` "
    "{{DATE(2020-01-01T00:00:00Z)}} ${name} &lt;b&gt; | ~s~"
)


def _reply(*blocks: Block, plain_text: str = "plain", outcome: DecisionOutcome | None = None) -> Reply:
    return Reply(blocks=blocks, plain_text=plain_text, outcome=outcome)


def _size(card: dict[str, Any]) -> int:
    return len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode())


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def _texts(card: dict[str, Any]) -> list[str]:
    """The lines a reader sees."""
    return [
        "".join(run["text"] for run in node["inlines"])
        for node in _nodes(card)
        if node.get("type") == "RichTextBlock"
    ]


def _buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in _nodes(card) if node.get("type") == "Action.Execute"]


@functools.cache
def _validator(folder: Path) -> Draft6Validator:
    path = folder / "schemas/adaptive-cards/adaptive-card-1.5.0.schema.json"
    return Draft6Validator(json.loads(path.read_text("utf-8-sig")))


def _check(card: dict[str, Any], folder: Path) -> None:
    # The schema knows no `msteams`, although Teams needs it.
    assert card.get("msteams", {"width": "Full"}) == {"width": "Full"}
    _validator(folder).validate({name: value for name, value in card.items() if name != "msteams"})


_words = st.text(max_size=40)
_spans = st.tuples(_words, st.sampled_from(["plain", "strong", "code"])).map(lambda pair: Span(*pair))  # type: ignore[arg-type]  # the styles
_texts_ = st.builds(Text, spans=st.lists(_spans, max_size=4).map(tuple))
_tables = st.integers(0, 4).flatmap(
    lambda width: st.builds(
        Table,
        columns=st.tuples(*[_words] * width),
        rows=st.lists(st.tuples(*[_words] * width), max_size=40).map(tuple),
        title=_words,
    )
)
_blocks = st.one_of(
    _texts_,
    st.builds(Bullets, items=st.lists(_texts_, max_size=5).map(tuple), numbered=st.booleans()),
    st.builds(Facts, items=st.lists(st.tuples(_words, _words), max_size=5).map(tuple), title=_words),
    _tables,
    st.builds(Code, text=st.text(max_size=3000), caption=_words),
    st.builds(
        Citations,
        items=st.lists(
            st.builds(
                Citation,
                document_id=_words,
                document_title=_words,
                location=_words,
                quote=st.text(max_size=600),
            ),
            max_size=5,
        ).map(tuple),
    ),
    st.builds(
        Buttons,
        items=st.lists(
            st.builds(
                Button,
                label=_words,
                verb=st.sampled_from(Verb),
                value=_words,
                style=st.sampled_from(["default", "primary", "danger"]),
            ),
            max_size=15,
        ).map(tuple),
    ),
    st.builds(Notice, text=_words, level=st.sampled_from(["info", "good", "warning", "danger"])),
)
_replies = st.builds(
    Reply,
    blocks=st.lists(_blocks, max_size=12).map(tuple),
    plain_text=st.text(max_size=2000),
    outcome=st.none() | st.just(DecisionOutcome(proposal_id="p", state="confirmed", detail="")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reply=_replies, locale=st.sampled_from(Locale))
def test_every_reply_is_a_valid_card_within_the_limit(
    shared_folder: Path, reply: Reply, locale: Locale
) -> None:
    card = to_card(reply, locale)
    _check(card, shared_folder)
    assert card["version"] == "1.5"
    assert card["body"]
    assert _size(card) <= MAX_CARD_BYTES


@pytest.mark.parametrize(
    "block",
    [
        text("word " * 40_000),
        text(*(strong("é" * 100) for _ in range(2000))),
        Notice(text="!" * 100_000),
        Code(text="line of a log\n" * 20_000),
        Code(text="x" * 200_000, caption="one line"),
        Table(columns=("job", "state"), rows=(("JOB", "ABEND"),) * 20_000, title="failed"),
        Table(columns=("a" * 50_000,), rows=(("b" * 50_000,),) * 3, title="c" * 50_000),
        Facts(items=(("label", "value"),) * 20_000),
        Bullets(items=(text("item"),) * 20_000),
        Citations(
            items=(Citation(document_id="d", document_title="t", location="l", quote="q" * 900),) * 500
        ),
        Buttons(items=(APPROVE,) * 2000),
    ],
    ids=lambda block: block.kind,
)
def test_what_does_not_fit_is_counted_in_a_note(shared_folder: Path, block: Block) -> None:
    card = to_card(_reply(text("first"), block, text("last"), Buttons(items=(APPROVE, REJECT))), Locale.EN)
    _check(card, shared_folder)
    assert _size(card) <= MAX_CARD_BYTES
    lines = _texts(card)
    assert lines[0] == "first"
    assert lines[-1] == "last"
    assert any(line.startswith("… ") and " more" in line for line in lines)


@pytest.mark.parametrize(
    ("locale", "note"), [(Locale.EN, "… {} more characters"), (Locale.PT, "… mais {} caracteres")]
)
def test_note_speaks_the_readers_language(locale: Locale, note: str) -> None:
    *shown, last = _texts(to_card(_reply(text("x" * 50_000)), locale))
    hidden = 50_000 - len("".join(shown))
    assert last == note.format(hidden)
    assert 0 < hidden < 30_000  # most of what fits is shown


def test_note_counts_exactly_what_is_hidden() -> None:
    rows = tuple((f"JOB{number}",) for number in range(1000))
    lines = _texts(to_card(_reply(Table(columns=("job",), rows=rows)), Locale.EN))
    shown = sum(line.startswith("JOB") for line in lines)
    assert lines[-1] == f"… {1000 - shown} more"
    assert shown > 50


def test_short_blocks_do_not_pay_for_long_ones() -> None:
    card = to_card(_reply(text("short " * 100), Code(text="log line\n" * 9000)), Locale.EN)
    assert _texts(card)[0] == "short " * 100


def test_buttons_survive_a_long_answer() -> None:
    blocks = (Code(text="log line\n" * 9000),) * 9
    card = to_card(_reply(*blocks, Buttons(items=(APPROVE, REJECT))), Locale.EN)
    assert [button["title"] for button in _buttons(card)] == ["Rerun", "Leave it"]
    assert _size(card) <= MAX_CARD_BYTES


def test_thousand_blocks_end_in_a_note() -> None:
    card = to_card(_reply(*(text(f"block {number}") for number in range(1000))), Locale.EN)
    assert _texts(card)[-1] == "… 940 more"


def test_text_is_literal_wherever_it_stands() -> None:
    line = HOSTILE.replace("\n", " ")
    card = to_card(
        _reply(
            text(line, strong(line), code(line)),
            Bullets(items=(text(line),)),
            Facts(items=((line, line),), title=line),
            Table(columns=(line,), rows=((line,),), title=line),
            Code(text=line, caption=line),
            Citations(items=(Citation(document_id=line, document_title=line, location=line, quote=line),)),
            Notice(text=line),
        ),
        Locale.EN,
    )
    types = {node["type"] for node in _nodes(card) if "type" in node}
    # Of all elements that show text these alone read no Markdown.
    assert types == {
        "AdaptiveCard", "RichTextBlock", "TextRun", "Table", "TableRow", "TableCell", "Container", "ColumnSet", "Column",
    }  # fmt: skip
    assert sum(shown.count(line) for shown in _texts(card)) == 16
    runs = [node["text"] for node in _nodes(card) if node.get("type") == "TextRun"]
    assert not any("{{" in run for run in runs)


@given(value=st.text(max_size=200))
def test_span_shows_its_characters_and_no_others(value: str) -> None:
    shown = "".join(_texts(to_card(_reply(text(">", code(value))), Locale.EN)))
    assert shown == ">" + value.replace("\r\n", "").replace("\n", "")


def test_styles_of_spans() -> None:
    card = to_card(_reply(text("job ", code("PAYROLL"), " is ", strong("late"))), Locale.EN)
    runs = card["body"][0]["inlines"]
    assert [run.get("fontType") for run in runs] == [None, "monospace", None, None]
    assert [run.get("weight") for run in runs] == [None, None, None, "bolder"]


def test_log_keeps_lines_and_columns() -> None:
    card = to_card(_reply(Code(text="RC  8\n  at step 2\n\nend", caption="JOBLOG")), Locale.EN)
    shown = [line.replace("\xa0", "·") for line in _texts(card)]
    assert shown == ["JOBLOG", "RC··8", "··at step 2", "·", "end"]


def test_numbered_bullets_count() -> None:
    card = to_card(_reply(Bullets(items=(text("a"), text("b")), numbered=True)), Locale.EN)
    assert _texts(card) == ["1. a", "2. b"]


def test_citation_names_number_document_and_place() -> None:
    item = Citation(document_id="d", document_title="Runbook", location="Restart", quote="q " * 300)
    lines = _texts(to_card(_reply(Citations(items=(item,))), Locale.EN))
    assert lines[0] == "[1] Runbook, Restart"
    assert lines[1].endswith("…")


def test_line_breaks_in_a_citations_head_are_blanks_for_runs_do_not_keep_them() -> None:
    item = Citation(document_id="d", document_title="Run\r\nbook", location="Re\nstart", quote="")
    assert _texts(to_card(_reply(Citations(items=(item,))), Locale.EN)) == ["[1] Run book, Re start"]


def test_hostile_names_make_valid_cards_and_no_run_has_a_line_break(shared_folder: Path) -> None:
    for reply, locale in generated(60):
        card = to_card(reply, locale)
        _check(card, shared_folder)
        assert _size(card) <= MAX_CARD_BYTES
        assert not any("\n" in line for line in _texts(card))


def test_button_carries_a_verb_and_an_id_and_nothing_else() -> None:
    [button] = _buttons(to_card(_reply(Buttons(items=(APPROVE,))), Locale.EN))
    assert button == {
        "type": "Action.Execute",
        "title": "Rerun",
        "style": "positive",
        "verb": "approve",
        "data": {"value": "p-1"},
        "fallback": {
            "type": "Action.Submit",
            "title": "Rerun",
            "data": {"verb": "approve", "value": "p-1"},
        },
    }


@given(verb=st.sampled_from(Verb), value=st.from_regex(r"[\w#.-]+( [\w#.-]+)*", fullmatch=True))
def test_press_on_a_button_comes_back_as_it_was_made(verb: Verb, value: str) -> None:
    button = Button(label="x", verb=verb, value=value)
    [action] = _buttons(to_card(_reply(Buttons(items=(button,))), Locale.EN))
    url = "https://smba.trafficmanager.net/emea/"
    presses = (
        activities.execute(url, action["verb"], action["data"]),
        activities.submit(url, action["fallback"]["data"]),
    )
    for press in presses:
        message = to_message(read_activity(press), received_at=NOW)
        assert message.button is not None
        assert (message.button.verb, message.button.value) == (verb, value)


def test_more_buttons_than_teams_shows_go_into_further_rows() -> None:
    card = to_card(_reply(Buttons(items=(APPROVE,) * 8)), Locale.EN)
    assert [len(row["actions"]) for row in card["body"]] == [6, 2]


def test_decided_card_has_no_buttons() -> None:
    outcome = DecisionOutcome(proposal_id="p-1", state="confirmed", detail="done")
    card = to_card(_reply(text("done"), Buttons(items=(APPROVE, REJECT)), outcome=outcome), Locale.EN)
    assert _buttons(card) == []
    assert _texts(card) == ["done"]


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (text(),),
        (text("\n"),),
        (Buttons(items=()),),
        (Table(columns=(), rows=()),),
        (Facts(items=()), Bullets(items=()), Citations(items=()), Code(text=""), Notice(text="")),
    ],
)
def test_reply_that_shows_nothing_is_shown_as_plain_text(blocks: tuple[Block, ...]) -> None:
    assert _texts(to_card(_reply(*blocks, plain_text="nothing failed"), Locale.EN)) == ["nothing failed"]


@pytest.mark.parametrize(("locale", "tag"), [(Locale.EN, "en"), (Locale.PT, "pt")])
def test_card_names_its_language(locale: Locale, tag: str) -> None:
    assert to_card(_reply(text("x")), locale)["lang"] == tag


def test_summary_is_short() -> None:
    assert to_summary(_reply(plain_text="short")) == "short"
    assert len(to_summary(_reply(plain_text="x" * 5000))) == 500


def test_facts_are_no_table_for_the_renderer_makes_a_header_of_its_first_row() -> None:
    card = to_card(_reply(Facts(items=(("State", "open"), ("Since", "02:35")))), Locale.EN)
    assert [element["type"] for element in card["body"]] == ["ColumnSet", "ColumnSet"]
    runs = [node for node in _nodes(card["body"]) if node.get("type") == "TextRun"]
    assert [run["text"] for run in runs if run.get("weight") == "bolder"] == ["State", "Since"]


def test_columns_of_a_table_are_as_wide_as_what_stands_in_them() -> None:
    rows = (("AGT_HR01#PAYDAILY.PAYROLL", "ABEND"),)
    card = to_card(_reply(Table(columns=("Job", "Status"), rows=rows)), Locale.EN)
    assert [column["width"] for column in card["body"][0]["columns"]] == [24, 10]
