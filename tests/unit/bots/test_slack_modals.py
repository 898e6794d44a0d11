from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.commands import SUB_COMMANDS, read_command
from bots.slack.modals import read_text, to_modal, to_notice
from brain.agents.router import choose_agent, read_message
from brain.forms import Form, question_form, reason_form
from brain.message import Locale
from tests.support.slack_driver import submission
from tests.support.slack_limits import check_view
from tests.support.turns import make_message

HOSTILE = ("<!channel>", "*x*", "", " ", "\n", "\u202eDLOH", "\0", "x" * 4_000, "é" * 100)
words = st.sampled_from(HOSTILE) | st.text(max_size=60)
forms = st.builds(
    Form,
    id=st.uuids().map(str),
    title=words,
    label=words,
    hint=words,
    max_chars=st.integers(1, 10_000),
    submit=words,
    cancel=words,
)


@given(forms, words)
def test_any_form_keeps_slacks_limits_and_stays_inert(form: Form, metadata: str) -> None:
    modal = to_modal(form, callback_id="form", metadata=metadata[:3_000])

    assert check_view(modal, "modal") == []
    assert "mrkdwn" not in str(modal)
    assert "\u202e" not in str(modal["blocks"])


@given(forms, words)
def test_what_is_written_into_a_form_comes_back_from_it(form: Form, written: str) -> None:
    modal = to_modal(form, callback_id="form")

    read = read_text(submission("V1", modal, {form.id: written}), form)

    assert read == written.replace("\0", "").strip()[: form.max_chars]


@pytest.mark.parametrize(
    "state", [None, 5, {"values": []}, {"values": {"reason": 5}}, {"values": {"reason": {"reason": 5}}}]
)
def test_a_state_of_any_shape_is_a_form_left_empty(state: object) -> None:
    assert read_text({"view": {"state": state}}, reason_form(Locale.EN)) == ""


@pytest.mark.parametrize("locale", Locale)
def test_our_own_forms_need_no_shortening(locale: Locale) -> None:
    for modal in (to_modal(make(locale), callback_id="form") for make in (question_form, reason_form)):
        assert check_view(modal, "modal") == []
        assert "…" not in str(modal)
    assert check_view(to_notice("press_unknown", locale), "modal") == []


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
