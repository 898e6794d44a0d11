"""What documents and logs say, as quotations with their source."""

from __future__ import annotations

from collections.abc import Iterable

from brain.message import Locale
from brain.phrases import say
from brain.reply import Citation
from knowledge.answer import quote
from knowledge.documents import Passage
from tws.joblog import LogLine
from tws.objects import Job, JobRun

__all__ = ["cite_log", "cite_passages"]


def cite_passages(passages: Iterable[Passage], question: str) -> tuple[Citation, ...]:
    """One citation a passage: the sentences of it that answer the question, word for word."""
    return tuple(
        Citation(
            document_id=passage.document_id,
            document_title=passage.document_title,
            location=passage.location,
            quote=quote(passage.text, question),
        )
        for passage in passages
    )


def cite_log(job: Job, run: JobRun, line: LogLine, locale: Locale) -> Citation:
    """The decisive line of a job log."""
    return Citation(
        document_id=f"joblog:{run.id}",
        document_title=say(locale, "title_job_log", job=job.selection),
        location=say(locale, "log_line", number=line.number),
        quote=line.text.strip(),
    )
