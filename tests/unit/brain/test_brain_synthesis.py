"""How a specialist's draft becomes a reply, and what may be quoted."""

from __future__ import annotations

from dataclasses import replace

from brain.agents.evidence import cite_log, cite_passages, list_items
from brain.agents.synthesis import compose
from brain.message import Locale, Verb
from brain.reply import Button, Buttons, Citations, Notice, Text, text
from brain.state import Draft
from tests.support.passages import make_passage
from tests.support.plan import make_job, make_run
from tws.joblog import LogLine

_LOG = cite_log(make_job(), make_run(), LogLine(number=78, text="  ORA-01653: unable to extend  "), Locale.PT)
_BUTTON = Button(label="Rerun", verb=Verb.SAY, value="Rerun PAYROLL")


def test_a_reply_is_answer_then_sources_then_what_is_away_then_buttons() -> None:
    draft = Draft(
        agent="diagnosis",
        blocks=(text("It failed."),),
        citations=(_LOG,),
        buttons=(_BUTTON,),
        degraded=frozenset({"embeddings"}),
    )
    reply = compose(draft, frozenset({"redis"}), Locale.EN)
    assert [type(block) for block in reply.blocks] == [Text, Citations, Notice, Notice, Buttons]
    assert reply.degraded == ("embeddings", "redis")
    assert reply.plain_text == (
        "It failed.\n"
        "[1] Log do job AGT_HR01#PAYDAILY.PAYROLL, linha 78\n"
        "The search by meaning is away; documents were searched by words alone.\n"
        "Redis is away; rate limits are not applied at the moment."
    )


def test_nothing_is_added_to_a_bare_answer() -> None:
    reply = compose(Draft(agent="status", blocks=(text("All well."),)), frozenset(), Locale.EN)
    assert (reply.blocks, reply.plain_text, reply.degraded) == ((text("All well."),), "All well.", ())


def test_a_log_line_is_quoted_without_the_spaces_around_it() -> None:
    assert (_LOG.document_id, _LOG.quote) == ("joblog:run-1", "ORA-01653: unable to extend")


def test_a_passage_is_quoted_word_for_word() -> None:
    words = "Nothing here. Extend the tablespace PAY_DATA. Nothing there."
    passage = make_passage(
        document_title="PAYROLL", location="Steps", text=words, page=7, link="https://wiki.example/p"
    )
    (citation,) = cite_passages([passage], "tablespace PAY_DATA")
    assert "Extend the tablespace PAY_DATA." in citation.quote
    assert citation.quote in passage.text
    assert (citation.document_id, citation.document_title, citation.location) == ("d1", "PAYROLL", "Steps")
    assert citation.place == "Steps · p. 7 · https://wiki.example/p"
    assert replace(citation, location="page 7", link=None).place == "page 7"


def test_the_items_of_any_list_are_found_without_their_marks() -> None:
    assert list_items("Steps\n1. Read the log.\n2) Call the team.\n - Rerun.\n* Check.\n• Done.\nEnd.") == (
        "Read the log.",
        "Call the team.",
        "Rerun.",
        "Check.",
        "Done.",
    )
    assert list_items("No list here. 1.5 GB are free.") == ()
    assert len(list_items("- step\n" * 20)) == 8
