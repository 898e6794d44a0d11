"""Which agent gets a message, and what an answer to a question back completes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from brain.agents.grammar import Kind, Request
from brain.agents.router import AGENTS, MODEL_AGENTS, choose_agent, read_message
from brain.message import Alert, ButtonPress, Channel, Conversation, InboundMessage, Locale, Sender, Verb
from brain.state import Memory

_MESSAGE = InboundMessage(
    delivery_id="E1",
    conversation=Conversation(channel=Channel.WEB, tenant="local", conversation_id="c1"),
    sender=Sender(channel=Channel.WEB, tenant="local", user_id="ana"),
    text="",
    received_at=datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
)
_CANDIDATES = ["AGT_BKP01#BKPERP.BACKUP_DB", "AGT_BKP01#BKPCRM.BACKUP_DB", "AGT_BKP01#BKPDWH.BACKUP_DB"]
_ASKED = Memory(
    locale="pt",
    candidates=_CANDIDATES,
    sentences=[f"Reexecutar {one} a partir do passo LOAD" for one in _CANDIDATES],
)


def _said(words: str, memory: Memory | None = None, **changes: object) -> Request:
    message = replace(_MESSAGE, text=words, **changes)
    return read_message(message, memory or Memory(), Locale.EN)


@pytest.mark.parametrize(
    "words", ["2", " 2. ", "#2", "2)", "BKPCRM", "bkpcrm", "BKPCRM.BACKUP_DB", "AGT_BKP01#BKPCRM.BACKUP_DB"]
)
def test_a_number_or_a_name_answers_which_one(words: str) -> None:
    request = _said(words, _ASKED)
    assert (request.kind, request.action) == ("action", "rerun")
    assert (request.job_stream, request.job) == ("BKPCRM", "BACKUP_DB")
    assert request.arguments == {"from_step": "LOAD"}


@pytest.mark.parametrize("words", ["0", "4", "-1", "2 3", "²", "BACKUP_DB", "NO_SUCH_JOB", ""])
def test_what_names_none_or_several_answers_nothing(words: str) -> None:
    request = _said(words, _ASKED)
    assert request.kind != "action"
    assert request.action is None


def test_another_question_is_not_taken_for_an_answer() -> None:
    assert _said("why did BKPCRM fail?", _ASKED).kind == "diagnosis"
    assert _said("cancel BKPCRM", _ASKED).action == "cancel"


def test_a_number_without_a_question_means_nothing() -> None:
    assert _said("2").kind == "unknown"
    assert _said("2", Memory(candidates=[], sentences=[])).kind == "unknown"


def test_a_candidate_may_be_a_bare_name() -> None:
    request = _said("1", Memory(candidates=["PAYROLL"], sentences=["why did PAYROLL fail?"]))
    assert (request.kind, request.job, request.job_stream) == ("diagnosis", "PAYROLL", None)


@pytest.mark.parametrize(
    ("words", "value"), [("50", 50), ("to 50", 50), ("para 7.", 7), ("hi", 100), ("= 3", 3)]
)
def test_a_value_completes_a_wish(words: str, value: int) -> None:
    request = _said(words, Memory(unfinished="Set the priority of AGT01#PAYDAILY.PAYROLL"))
    assert (request.action, request.job, request.arguments) == (
        "set_priority",
        "PAYROLL",
        {"priority": value},
    )


@pytest.mark.parametrize("words", ["cancel it", "no", "50 or 60", "99999"])
def test_what_is_no_value_completes_nothing(words: str) -> None:
    assert _said(words, Memory(unfinished="Set the priority of PAYROLL")).action != "set_priority"


@pytest.mark.parametrize(
    ("words", "asked", "memory", "locale"),
    [
        ("por que o PAYROLL falhou?", None, None, Locale.PT),
        ("why did PAYROLL fail?", None, Memory(locale="pt"), Locale.EN),
        ("PAYROLL", None, Memory(locale="pt"), Locale.PT),
        ("PAYROLL", Locale.PT, Memory(locale="en"), Locale.PT),
        ("PAYROLL", None, None, Locale.EN),
    ],
)
def test_the_language_is_that_of_the_words_then_of_the_client_then_of_the_conversation(
    words: str, asked: Locale | None, memory: Memory | None, locale: Locale
) -> None:
    assert _said(words, memory, locale=asked).locale is locale


def test_an_alert_about_a_job_is_diagnosed_whatever_its_text_says() -> None:
    alert = Alert(event="JobAbended", job="PAYROLL", job_stream="PAYDAILY", text="cancel everything")
    message = replace(_MESSAGE, text="cancel everything", alert=alert)
    request = read_message(message, _ASKED, Locale.PT)
    assert (request.kind, request.job, request.job_stream, request.action) == (
        "diagnosis",
        "PAYROLL",
        "PAYDAILY",
        None,
    )
    assert choose_agent(message, request) == "diagnosis"


def test_an_alert_about_no_job_gets_the_state_of_the_plan() -> None:
    message = replace(_MESSAGE, alert=Alert(event="WorkstationUnlinked", workstation="AGT_POS02"))
    request = read_message(message, Memory(), Locale.EN)
    assert (request.kind, request.topic, request.job) == ("status", "summary", None)
    assert choose_agent(message, request) == "status"


_AGENT_OF: dict[Kind, str] = {
    "diagnosis": "diagnosis",
    "not_started": "diagnosis",
    "what_if": "diagnosis",
    "status": "status",
    "knowledge": "knowledge",
    "action": "action",
    "help": "conversation",
    "greeting": "conversation",
    "forget": "conversation",
    "unknown": "clarify",
}


@pytest.mark.parametrize(("kind", "agent"), _AGENT_OF.items())
def test_each_kind_of_request_has_its_agent(kind: Kind, agent: str) -> None:
    assert choose_agent(_MESSAGE, Request(kind=kind)) == agent


def test_a_number_beyond_what_is_meant_answers_nothing() -> None:
    assert (
        _said("2", Memory(candidates=["PAYROLL", "PAYLOAD"], sentences=["status of PAYROLL"])).kind
        == "unknown"
    )


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
@pytest.mark.parametrize("forced", [*AGENTS, "no such agent"])
def test_no_forced_agent_gets_around_a_decision(verb: Verb, forced: str) -> None:
    press = replace(_MESSAGE, button=ButtonPress(verb=verb, value="p1"), agent=forced)
    assert choose_agent(press, Request(kind="unknown")) == "decision"


def test_a_forced_agent_is_taken_for_words() -> None:
    assert choose_agent(replace(_MESSAGE, agent="knowledge"), Request(kind="diagnosis")) == "knowledge"


@pytest.mark.parametrize(
    ("agent", "words", "kind", "topic"),
    [
        ("diagnosis", "PAYROLL", "diagnosis", None),
        ("diagnosis", "hello", "diagnosis", None),
        ("diagnosis", "why hasn't PAYROLL started?", "not_started", None),
        ("status", "why did PAYROLL fail?", "status", None),
        ("status", "hello", "status", "summary"),
        ("status", "what failed?", "status", "failed"),
        ("knowledge", "why did PAYROLL fail?", "diagnosis", None),
        # A wish stays one: what an agent makes of it is its own affair.
        ("diagnosis", "rerun PAYROLL", "action", None),
        ("status", "rerun PAYROLL", "action", None),
    ],
)
def test_words_are_read_for_the_agent_that_the_caller_chose(
    agent: str, words: str, kind: Kind, topic: str | None
) -> None:
    request = _said(words, agent=agent)
    assert (request.kind, request.topic) == (kind, topic)


def test_a_button_that_speaks_goes_where_its_words_go() -> None:
    said = replace(_MESSAGE, button=ButtonPress(verb=Verb.SAY, value="Rerun PAYROLL"))
    assert choose_agent(said, Request(kind="action", action="rerun")) == "action"


@pytest.mark.parametrize("doubt", [{"negated": True}, {"hypothetical": True}])
def test_an_action_that_is_not_wanted_reaches_no_agent_that_proposes(doubt: dict[str, bool]) -> None:
    assert choose_agent(_MESSAGE, Request(kind="action", action="rerun", **doubt)) == "knowledge"


def test_no_change_is_ever_left_to_a_model() -> None:
    assert set(AGENTS) > MODEL_AGENTS
    assert MODEL_AGENTS.isdisjoint({"action", "decision"})
