"""What documents and logs say, as quotations with their source."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brain.message import Locale
from brain.phrases import say
from brain.reply import Citation
from knowledge.answer import quote
from knowledge.documents import Passage
from tws.joblog import LogLine
from tws.objects import Job, JobRun

_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+(.+)$", re.MULTILINE)
_MAX_SECTION = 2200
"""Characters: five sections fit one block of data."""
_ITEMS = 8
"""Steps shown; a longer procedure is read in the document."""


class Sources:
    """The citations of one answer, numbered from 1."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self._numbers: dict[Passage, int] = {}

    def cite(self, passage: Passage, words: str) -> int:
        """The number of a new citation of these words."""
        self.citations.append(cite_text(passage, words))
        self._numbers.setdefault(passage, len(self.citations))
        return len(self.citations)

    def number(self, passage: Passage) -> int | None:
        """The first citation of the passage; None where it is not cited."""
        return self._numbers.get(passage)


def cite_passages(passages: Iterable[Passage], question: str) -> tuple[Citation, ...]:
    """One citation a passage: the sentences of it that answer the question, word for word."""
    return tuple(cite_text(passage, quote(passage.text, question)) for passage in passages)


def cite_text(passage: Passage, words: str) -> Citation:
    """A citation of some words of the passage."""
    return Citation(
        document_id=passage.document_id,
        document_title=passage.document_title,
        location=passage.location,
        quote=words,
        page=passage.page,
        link=passage.link,
    )


def told(passages: Iterable[Passage]) -> list[str]:
    """The passages as a model is shown them: whole sections where they are short enough."""
    return [
        f"{passage.document_title}, {passage.location}:\n"
        f"{passage.section if len(passage.section) <= _MAX_SECTION else passage.text}"
        for passage in passages
    ]


def list_items(passage_text: str) -> tuple[str, ...]:
    """The items of a list, such as the steps of a procedure, without their marks; empty if there is none."""
    return tuple(found.strip() for found in _ITEM.findall(passage_text)[:_ITEMS])


def cite_log(job: Job, run: JobRun, line: LogLine, locale: Locale) -> Citation:
    """The decisive line of a job log."""
    return Citation(
        document_id=f"joblog:{run.id}",
        document_title=say(locale, "title_job_log", job=job.selection),
        location=say(locale, "log_line", number=line.number),
        quote=line.text.strip(),
    )
