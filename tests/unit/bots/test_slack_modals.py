from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.commands import SUB_COMMANDS, read_command
from bots.slack.modals import missing, read_fields, to_modal, to_notice
from brain.agents.router import choose_agent, read_message
from brain.form_book import FormBook, question_form
from brain.forms import Field, Form
from brain.message import Channel, Conversation, Locale
from tests.support.slack_driver import submission
from tests.support.slack_limits import check_view
from tests.support.turns import make_message

HOSTILE = ("<!channel>", "*x*", "", " ", "\n", "\u202eDLOH", "\0", "x" * 4_000, "é" * 100)
words = st.sampled_from(HOSTILE) | st.text(max_size=60)
typed = st.builds(
    Field,
    id=st.uuids().map(str),
    label=words,
    kind=st.sampled_from(["line", "text"]),
    value=words,
    is_required=st.booleans(),
    max_chars=st.integers(1, 10_000),
    hint=words,
)
choices = st.builds(
    Field,
    id=st.uuids().map(str),
    label=words,
    kind=st.just("choice"),
    value=words,
    options=st.lists(st.tuples(st.uuids().map(str), words), min_size=2, max_size=120).map(tuple),
    hint=words,
)
forms = st.builds(
    Form,
    title=words,
    fields=st.lists(typed | choices, min_size=1, max_size=5).map(tuple),
    submit=words,
    cancel=words,
)


@given(forms, words)
def test_any_form_keeps_slacks_limits_and_stays_inert(form: Form, metadata: str) -> None:
    modal = to_modal(form, callback_id="form", metadata=metadata[:3_000])

    assert check_view(modal, "modal") == []
    assert "mrkdwn" not in str(modal)
    assert "\u202e" not in str(modal["blocks"])


@given(forms)
def test_what_stands_in_a_form_comes_back_from_it(form: Form) -> None:
    modal = to_modal(form, callback_id="form")
    stands = {block["block_id"]: _initial(block["element"]) for block in modal["blocks"]}

    fields = read_fields(submission("V1", modal, stands), form)

    assert set(fields) == {field.id for field in form.fields}
    assert all(len(fields[field.id]) <= max(field.max_chars, 36) for field in form.fields)
    required = {field.id for field in form.fields if field.is_required}
    assert set(missing(fields, form, Locale.EN)) == {one for one in required if not fields[one]}


def _initial(element: dict[str, Any]) -> str | None:
    chosen = element.get("initial_option", {}).get("value")
    value: str | None = element.get("initial_value", chosen)
    return value


@pytest.mark.parametrize(
    "state", [None, 5, {"values": []}, {"values": {"a": 5}}, {"values": {"a": {"a": 5}}}]
)
def test_a_state_of_any_shape_is_a_form_left_empty(state: object) -> None:
    form = Form(title="t", fields=(Field(id="a", label="l"),), submit="s", cancel="c")

    assert read_fields({"view": {"state": state}}, form) == {"a": ""}


@pytest.mark.parametrize("locale", Locale)
async def test_our_own_forms_need_no_shortening(locale: Locale) -> None:
    where = Conversation(channel=Channel.SLACK, tenant="T1", conversation_id="C1")
    ours = [question_form(locale), await FormBook().open("reason", conversation=where, locale=locale)]

    for modal in (to_modal(form, callback_id="form") for form in ours):
        assert check_view(modal, "modal") == []
        assert "…" not in str(modal)
    assert check_view(to_notice("form_loading", locale), "modal") == []


@pytest.mark.parametrize("row", SUB_COMMANDS, ids=lambda row: row.says)
def test_a_sub_command_says_what_the_brain_understands(row: Any) -> None:
    request = read_message(make_message(row.says), {}, row.locale)
    assert choose_agent(make_message(row.says), request) not in {"clarify", "knowledge"}
    assert request.locale is row.locale


@pytest.mark.parametrize("locale", Locale)
def test_words_of_both_languages_go_by_the_sites(locale: Locale) -> None:
    rows = [read_command(word, locale) for word in ("", "status")]

    assert [row.locale for row in rows if row] == [locale] * 2
    assert read_command("why did PAYROLL fail?", locale) is None
