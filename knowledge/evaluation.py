"""Measures retrieval on question sets in BEIR's layout, through the product's own writing and search.

A folder has `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`, optionally `lang` and
`type`), `qrels/test.tsv` or `qrels/dev.tsv` (query, document, grade) and optionally `unanswerable.jsonl`.
Source: https://github.com/beir-cellar/beir
"""

from __future__ import annotations

import asyncio
import csv
import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .baselines import PlainVectors, PlainWords, fused_by_rank
from .documents import Properties, Reader, SearchResult, Section
from .library import Library
from .measures import Figures, Grades, Ranking, mean_figures
from .split import embedded, split
from .terms import language

_ALL = Reader(None)
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with what answers it."""

    id: str
    text: str
    groups: Mapping[str, str]
    """`lang` and `type`, where the set says them."""
    grades: Grades
    """By document; empty for a question that the documents do not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """Documents and questions about them."""

    name: str
    documents: Mapping[str, tuple[str, str]]
    """Title and text by id."""
    questions: Sequence[Question]
    unanswerable: Sequence[Question]


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    result: SearchResult
    ranking: Ranking
    seconds: float


def load(folder: Path) -> QuestionSet:
    """Reads a set; questions without a grade above 0 are left out, as BEIR's measures do.

    Raises `OSError`, `KeyError` and `ValueError` for a folder of another layout.
    """
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    judged = folder / "qrels" / "test.tsv"
    judged = judged if judged.exists() else judged.with_name("dev.tsv")
    with judged.open(encoding="utf-8", newline="") as file:
        for query, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            if int(grade) > 0:
                grades[query][document] = int(grade)
    rows = _rows(folder / "corpus.jsonl")
    refused = folder / "unanswerable.jsonl"
    questions = [_question(row, grades.get(row["_id"], {})) for row in _rows(folder / "queries.jsonl")]
    return QuestionSet(
        name=folder.name,
        documents={row["_id"]: (row.get("title", ""), row["text"]) for row in rows},
        questions=[question for question in questions if question.grades],
        unanswerable=[_question(row, {}) for row in _rows(refused)] if refused.exists() else [],
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _question(row: Mapping[str, Any], grades: Grades) -> Question:
    groups = {name: row[name] for name in ("lang", "type") if name in row}
    return Question(id=row["_id"], text=row["text"], groups=groups, grades=grades)


async def measure(
    questions: QuestionSet,
    library: Library,
    *,
    filled_by: Library,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> dict[str, Any]:
    """Stores the documents, asks everything and gives the set's figures, shares in per cent.

    `filled_by` is the same empty library, and may take vectors from an earlier run; questions never do.

    Next to the product's figures are those of plain BM25, of plain vector search (the product's own vectors, the
    question as it was asked) and of the two fused by rank.
    """
    started = time.perf_counter()
    ids = await _store(questions, filled_by, on_progress)
    ingest_seconds = time.perf_counter() - started
    words = await asyncio.to_thread(PlainWords, questions.documents)
    vectors = PlainVectors(library.vectors, ids)
    await library.search.search(questions.questions[0].text, reader=_ALL)  # loads what is loaded once
    asked = [await _ask(question, library, ids) for question in questions.questions]
    by_words = {one.question.id: words.search(one.question.text) for one in asked}
    by_vectors = {one.question.id: await vectors.search(one.question.text) for one in asked}
    by_rank = {key: fused_by_rank(by_words[key], by_vectors[key]) for key in by_words}
    refused = [await _ask(question, library, ids) for question in questions.unanswerable]
    milliseconds = [1000 * one.seconds for one in asked]
    return {
        "name": questions.name,
        "documents": len(questions.documents),
        "questions": len(asked),
        **_mean(asked),
        **{
            f"{name}_ndcg_at_10": mean_figures(
                [(one.question.grades, found[one.question.id]) for one in asked]
            )["ndcg_at_10"]
            for name, found in (("bm25", by_words), ("vector", by_vectors), ("rrf", by_rank))
        },
        "p50_ms": round(statistics.median(milliseconds), 1),
        "p95_ms": round(float(np.percentile(milliseconds, 95)), 1),
        "ingest_seconds": round(ingest_seconds, 1),
        "answerable_refused": _refused(asked),
        "unanswerable_refused": _refused(refused),
        "degraded": dict(Counter(part for one in asked for part in one.result.degraded)),
        "by": {name: _by(name, asked) for name in ("lang", "type")},
    }


async def _store(
    questions: QuestionSet, library: Library, on_progress: Callable[[int], None]
) -> Mapping[str, str]:
    """Each document as one of a single section; ids of the set by ids of the library."""
    ids = {}
    for done, (name, (title, text)) in enumerate(questions.documents.items(), 1):
        pieces = split(title, [Section(location="", text=text)])
        await library.vectors.ensure(
            {piece.digest: embedded(title, piece.location, piece.text) for piece in pieces}
        )
        written = await library.store.write(
            title=title,
            source=name,
            media_type="text/plain",
            content_hash=name,
            language=language(text),
            properties=Properties(),
            pieces=pieces,
        )
        ids[written.id] = name
        on_progress(done)
    await library.vectors.rebuild()
    return ids


async def _ask(question: Question, library: Library, ids: Mapping[str, str]) -> _Asked:
    start = time.perf_counter()
    result = await library.search.search(question.text, reader=_ALL, k=_SHOWN)
    seconds = time.perf_counter() - start
    return _Asked(question, result, [ids[passage.document_id] for passage in result.passages], seconds)


def _mean(asked: Sequence[_Asked]) -> Figures:
    return mean_figures([(one.question.grades, one.ranking) for one in asked])


def _by(name: str, asked: Sequence[_Asked]) -> dict[str, Any]:
    groups: dict[str, list[_Asked]] = defaultdict(list)
    for one in asked:
        if name in one.question.groups:
            groups[one.question.groups[name]].append(one)
    return {group: {"questions": len(some), **_mean(some)} for group, some in sorted(groups.items())}


def _refused(asked: Sequence[_Asked]) -> float | None:
    """Share of the questions that count as not answered, in per cent."""
    return round(100 * statistics.fmean(not one.result.answerable for one in asked), 1) if asked else None
