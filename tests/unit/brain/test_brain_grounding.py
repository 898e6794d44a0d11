from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.claims import Foreign, Told
from brain.grounding import Spoken, grounded, is_supported
from brain.reply import Bullets, Code, Text, code, strong, text

_TABLE = """Failed jobs: 2.
Job | Status | RC | Started
AGT_HR01#PAYDAILY.PAYROLL | ABEND | 8 | 10:29 UTC
AGT_BKP01#BKPCRM.BACKUP_DB | ABEND | 2 | 09:44 UTC"""
_LOG = "decisive line 78: ORA-01653: unable to extend table HR.PAYMENTS by 8192\nended with rc=8"
_SOURCES = (Told("plan", _TABLE), Told("job_log", _LOG))
_QUESTION = "why did PAYROLL fail?"
_SAID_BY: dict[Foreign, str] = {"job_log": "The job log says:", "document": "A document says:"}


@pytest.mark.parametrize(
    "sentence",
    [
        "PAYROLL ended in ABEND with return code 8 at 10:29 UTC [1].",
        "Two jobs failed.",
        "2 jobs failed: PAYROLL and BACKUP_DB.",
        "The table HR.PAYMENTS could not be extended (ORA-01653).",
        "PAYROLL must be rerun after the tablespace is extended.",
        "Nothing was rerun: no change was made.",
        "BACKUP_DB ended with RC 2.",
        "",
    ],
)
def test_what_the_tools_say_stands(sentence: str) -> None:
    assert is_supported(sentence, _SOURCES, _QUESTION)


@pytest.mark.parametrize(
    "sentence",
    [
        "PAYROLL ended with return code 2.",
        "BACKUP_DB started at 10:29 UTC.",
        "PAYROLL is in SUCC.",
        "3 jobs failed.",
        "BILLING failed too.",
        "PAYROLL failed at 10:30.",
        "It is message AWSBHT023E.",
        "PAYROLL was rerun.",
        "Done, I cancelled it.",
        "O job PAYROLL já foi liberado.",
    ],
)
def test_what_no_tool_says_goes(sentence: str) -> None:
    assert not is_supported(sentence, _SOURCES, _QUESTION)


def test_a_name_of_the_question_may_be_said_but_not_its_numbers() -> None:
    assert is_supported("I find nothing about BILLING.", (), "did BILLING end with RC 4?")
    assert not is_supported("It ended with RC 4.", (), "did BILLING end with RC 4?")


def test_only_the_unsupported_sentences_go() -> None:
    paragraph = text(strong("PAYROLL"), " ended in ", code("ABEND"), ". It took 99 minutes. RC was 8.")
    found = grounded(
        [paragraph, Bullets(items=(text("3 more"), text("see ORA-01653"))), Code(text="rm -rf /")],
        _SOURCES,
        "",
        _SAID_BY,
    )
    first, second = found.blocks
    assert isinstance(first, Text)
    assert "".join(span.text for span in first.spans) == "PAYROLL ended in ABEND. RC was 8."
    assert second == Bullets(items=(text("see ORA-01653"),))
    assert found.left_out == ("It took 99 minutes.", "3 more", "rm -rf /")


@given(st.lists(st.text(alphabet="ab8.! \n", max_size=6), max_size=8))
async def test_what_is_passed_on_does_not_depend_on_how_it_is_cut(pieces: list[str]) -> None:
    async def heard(*cut: str) -> str:
        sentences: list[str] = []
        spoken = Spoken((Told("job_log", "8"),), "", _add_to(sentences))
        for piece in cut:
            await spoken(piece)
        return "".join(sentences)

    whole = "".join(pieces)
    assert await heard(*pieces) == await heard(whole)


async def test_a_sentence_that_nothing_bears_out_is_never_shown() -> None:
    sentences: list[str] = []
    spoken = Spoken(_SOURCES, _QUESTION, _add_to(sentences))
    for piece in ("PAYROLL is in AB", "END. It took 99 min", "utes. RC was 8", ".\nDone"):
        await spoken(piece)
    assert sentences == ["PAYROLL is in ABEND. ", "RC was 8.\n"]


def _add_to(sentences: list[str]) -> Callable[[str], Awaitable[None]]:
    async def add(sentence: str) -> None:
        sentences.append(sentence)

    return add


@given(st.text(max_size=200), st.lists(st.text(max_size=50), max_size=3))
def test_nothing_is_added_and_a_second_check_changes_nothing(words: str, sources: list[str]) -> None:
    told = [Told("plan", source) for source in sources]
    first = grounded([text(words)], told, "", _SAID_BY)
    again = grounded(first.blocks, told, "", _SAID_BY)
    assert again.blocks == first.blocks
    kept = "".join(span.text for block in first.blocks if isinstance(block, Text) for span in block.spans)
    assert len(kept) <= len(words)


@given(st.text(max_size=200))
def test_an_answer_that_the_plan_gave_word_for_word_stands(words: str) -> None:
    if "|" not in words:
        left_out = grounded([text(words)], [Told("plan", words)], "", _SAID_BY).left_out
        assert all(not any(map(str.isdigit, sentence)) for sentence in left_out)


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1), min_size=4, max_size=12))
def test_what_a_log_says_is_told_as_what_the_log_says(words: list[str]) -> None:
    sentence = " ".join(words)
    (block,) = grounded([text(sentence)], [Told("job_log", f"x\n{sentence} y")], "", _SAID_BY).blocks
    assert block == text(f"The job log says: “{sentence}” ")
    assert grounded([block], [Told("job_log", sentence)], "", _SAID_BY).blocks == (block,)
