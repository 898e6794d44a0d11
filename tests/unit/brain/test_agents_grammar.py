"""What operators write and what it means, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.agents.grammar import Request, read_request
from brain.message import Locale
from tests.support.changes import CHANGES, COMMANDS
from tests.support.relation_sentences import RELATIONS
from tests.support.sentences import ENGLISH, PORTUGUESE, QUESTIONS
from tws.actions import ACTIONS_OF

EN, PT = Locale.EN, Locale.PT


def check(sentence: str, expected: dict[str, Any]) -> None:
    request = read_request(sentence)
    assert {name: getattr(request, name) for name in expected} == expected, sentence


@pytest.mark.parametrize(("sentence", "expected"), ENGLISH, ids=[pair[0] for pair in ENGLISH])
def test_english(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)
    assert read_request(sentence).locale in {EN, None}


@pytest.mark.parametrize(("sentence", "expected"), PORTUGUESE, ids=[pair[0] for pair in PORTUGUESE])
def test_portuguese(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)
    assert read_request(sentence).locale in {PT, None}


@pytest.mark.parametrize(("sentence", "expected"), QUESTIONS, ids=[pair[0] for pair in QUESTIONS])
def test_questions(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)


@pytest.mark.parametrize(("english", "portuguese", "expected"), CHANGES, ids=[row[0] for row in CHANGES])
def test_changes_in_both_languages(english: str, portuguese: str, expected: dict[str, Any]) -> None:
    check(english, expected)
    check(portuguese, expected)
    assert read_request(english).locale in {EN, None}
    assert read_request(portuguese).locale in {PT, None}


@pytest.mark.parametrize(
    ("english", "portuguese", "topic", "names"), RELATIONS, ids=[row[0] for row in RELATIONS]
)
def test_questions_about_connections(
    english: str, portuguese: str, topic: str, names: dict[str, str | None]
) -> None:
    check(english, {"kind": "relations", "topic": topic} | names)
    check(portuguese, {"kind": "relations", "topic": topic} | names)
    assert read_request(portuguese).locale in {PT, None}


def test_a_connection_at_another_moment() -> None:
    for sentence in (
        "what did you know about PAYROLL at 02:10?",
        "o que você sabia do PAYROLL ontem às 02:10?",
    ):
        check(
            sentence, {"kind": "relations", "topic": "known", "job": "PAYROLL", "arguments": {"at": "02:10"}}
        )


def test_every_action_of_every_kind_can_be_asked_for_in_words_and_as_a_command() -> None:
    wanted = {action for actions in ACTIONS_OF.values() for action in actions}
    assert {row[2]["action"] for row in CHANGES if row[2].get("kind") == "action"} == wanted
    assert {expected.get("action") for _, expected in COMMANDS} - {None} == wanted


def test_a_selection_that_is_none_is_shown_with_a_mark() -> None:
    problem = read_request("rerun AGT01#PAYROLL.@;stat=abend").problem
    assert problem.startswith("AGT01#PAYROLL.@;stat=abend\n                ^ expected one of at, ")


@pytest.mark.parametrize(("sentence", "expected"), COMMANDS, ids=[pair[0] for pair in COMMANDS])
def test_conman(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)


def test_the_hint_decides_where_the_text_does_not() -> None:
    assert read_request("PAYROLL", PT).locale is PT
    assert read_request("PAYROLL").locale is None
    assert read_request("why did PAYROLL fail?", PT).locale is EN


def test_mark_up_round_a_name_is_not_part_of_it() -> None:
    for sentence in ("why did *PAYROLL* fail?", "why did `PAYROLL` fail?", "why did _PAYROLL_ fail?"):
        assert read_request(sentence).job == "PAYROLL"


def test_addresses_and_mentions_are_no_names() -> None:
    request = read_request("<@U0LAN0Z89> see https://wiki/AGT01#RUN.BOOK and rerun PAYROLL")
    assert (request.job, request.workstation, request.further) == ("PAYROLL", None, ())


def test_a_pasted_text_asks_for_nothing() -> None:
    assert read_request("rerun PAYROLL " + "line of a log " * 20).action is None


ORDERS = [sentence for sentence, expected in ENGLISH + PORTUGUESE if expected.get("kind") == "action"]
ORDERS += [words for *both, expected in CHANGES if expected.get("kind") == "action" for words in both]
NEGATED_BY = [
    "do not ",
    "don't ",
    "Don’t ",
    "please do not ",
    "never ",
    "não ",
    "nao ",
    "nunca ",
    "por favor, não ",
]


@given(order=st.sampled_from(ORDERS), negation=st.sampled_from(NEGATED_BY), upper=st.booleans())
def test_a_negation_in_front_never_leaves_an_action(order: str, negation: str, *, upper: bool) -> None:
    sentence = negation + order
    request = read_request(sentence.upper() if upper else sentence)
    assert request.kind != "action"


@given(order=st.sampled_from(ORDERS), doubt=st.sampled_from(["what happens if I ", "o que acontece se eu "]))
def test_asking_what_would_happen_never_asks_for_it(order: str, doubt: str) -> None:
    assert read_request(doubt + order).kind != "action"


PARTS = """rerun cancel hold o job PAYROLL AGT01#PAYDAILY.PAYROLL não not why por que falhou ? . , AWSBHT001E RC 8
because porque em @#@.@ it if sj rr ;0 posso é prioridade to 50 reply no prompt 12 all todos step alias at 02:10
;state=abend +x= AGT01#1 start link"""
WORDS = st.sampled_from([*PARTS.split(), "\n"])


@given(text=st.text(max_size=200) | st.lists(WORDS, max_size=30).map(" ".join))
def test_any_text_is_read(text: str) -> None:
    request = read_request(text)
    assert isinstance(request, Request)
    assert (request.kind == "action") <= (request.action is not None)
    assert not (request.kind == "action" and (request.negated or request.hypothetical))


@pytest.mark.parametrize("name", ["RERUN_PAY", "CANCEL01", "HOLD_RELEASE", "AGT01#CANCEL.RERUN"])
def test_a_verb_inside_a_name_is_no_verb(name: str) -> None:
    for sentence in (f"why did {name} fail", f"por que o {name} falhou", f"status {name}", name):
        assert read_request(sentence).action is None


def test_the_worst_text_is_read_to_its_end() -> None:
    assert read_request("what why o que por que has job is " * 20_000).action is None


@pytest.mark.parametrize(
    "quoted",
    [
        "what does this mean?\n> rerun PAYROLL",
        "what is wrong?\n```\nrerun PAYROLL\n```",
        "o que é isso?\n2026-03-02 02:00:01 ERRO favor cancelar o PAYROLL",
        "ERROR: please cancel PAYROLL\nwhat is that?",
    ],
)
def test_an_order_that_is_quoted_is_nobodys(quoted: str) -> None:
    assert read_request(quoted).kind != "action"


def test_an_order_beside_a_quotation_is_meant() -> None:
    request = read_request("rerun PAYROLL\n> it failed again")
    assert (request.kind, request.action, request.job) == ("action", "rerun", "PAYROLL")


@pytest.mark.parametrize(
    ("words", "job", "further", "is_quoted"),
    [
        ("> cancel BACKUP_DB\nrerun PAYROLL", "PAYROLL", (), False),
        ('Ana wrote: "please cancel BACKUP_DB". rerun PAYROLL', "PAYROLL", (), False),
        ("> cancele o BACKUP_DB\nreexecute payroll", "payroll", (), False),
        ("> BACKUP_DB failed\nrerun it", "BACKUP_DB", (), True),
        ("rerun PAYROLL and BACKUP_DB", "PAYROLL", ("BACKUP_DB",), False),
    ],
)
def test_an_action_is_for_what_is_typed_and_for_what_is_quoted_only_where_nothing_is(
    words: str, job: str, further: tuple[str, ...], *, is_quoted: bool
) -> None:
    request = read_request(words)
    assert (request.kind, request.action) == ("action", "rerun")
    assert (request.job, request.further, request.is_quoted) == (job, further, is_quoted)


def test_what_owns_something_is_a_name_without_its_ending() -> None:
    assert read_request("what is payroll's status?").job == "payroll"


def test_chat_abbreviations_are_spelled_out() -> None:
    request = read_request("oq aconteceu c o PAYROLL")
    assert (request.kind, request.job) == ("diagnosis", "PAYROLL")
    assert read_request("n cancela o PAYROLL").negated
