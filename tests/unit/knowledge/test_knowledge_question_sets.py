from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.evaluation import load


def _write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    (folder / name).write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    _write(
        tmp_path, "corpus.jsonl", [{"_id": "d1", "title": "T", "text": "one"}, {"_id": "d2", "text": "two"}]
    )
    _write(
        tmp_path,
        "queries.jsonl",
        [
            {"_id": "q1", "text": "first?", "lang": "en", "type": "how-to"},
            {"_id": "q2", "text": "judged as not answered"},
            {"_id": "q3", "text": "not judged"},
        ],
    )
    (tmp_path / "qrels" / "dev.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td1\t0\n"
    )
    return tmp_path


def test_a_set_has_its_documents_and_the_questions_that_something_answers(folder: Path) -> None:
    questions = load(folder)
    assert questions.documents == {"d1": ("T", "one"), "d2": ("", "two")}
    (question,) = questions.questions
    assert (question.id, question.grades) == ("q1", {"d1": 2})
    assert question.groups == {"lang": "en", "type": "how-to"}
    assert questions.unanswerable == []


def test_judgements_named_test_go_before_those_named_dev(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq3\td2\t1\n")
    assert [question.id for question in load(folder).questions] == ["q3"]


def test_unanswerable_questions_are_read_where_there_are_some(folder: Path) -> None:
    _write(folder, "unanswerable.jsonl", [{"_id": "u1", "text": "cake?", "lang": "en"}])
    (question,) = load(folder).unanswerable
    assert (question.id, question.grades) == ("u1", {})


def test_a_folder_of_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"dev\.tsv"):
        load(tmp_path)
