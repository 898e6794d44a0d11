"""`resync eval retrieval` on a small set, as a process."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

_CORPUS = {
    "d1": ("Tablespaces", "When the tablespace PAY_DATA is full, add a data file and rerun PAYROLL."),
    "d2": ("Certificates", "The certificate of the transfer expires each March; renew it in February."),
    "d3": ("Robots", "The tape robot moves cartridges at night and needs no operator."),
}
_QUESTIONS = {
    "q1": ("what to do when PAY_DATA is full?", "en", "identifier", "d1"),
    "q2": ("quando vence o certificado da transferência?", "pt", "symptom", "d2"),
}


def _write(folder: Path) -> None:
    def lines(rows: list[dict[str, str]]) -> str:
        return "".join(json.dumps(row) + "\n" for row in rows)

    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": title, "text": text} for name, (title, text) in _CORPUS.items()]
    queries = [
        {"_id": name, "text": text, "lang": lang, "type": kind}
        for name, (text, lang, kind, _) in _QUESTIONS.items()
    ]
    (folder / "corpus.jsonl").write_text(lines(corpus))
    (folder / "queries.jsonl").write_text(lines(queries))
    (folder / "unanswerable.jsonl").write_text(lines([{"_id": "u1", "text": "who won the cup in 1994?"}]))
    grades = "".join(f"{name}\t{answer}\t2\n" for name, (*_, answer) in _QUESTIONS.items())
    (folder / "qrels" / "dev.tsv").write_text(f"query-id\tcorpus-id\tscore\n{grades}")


async def _eval(*arguments: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "eval", "retrieval", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_set_is_measured_beside_its_baselines(tmp_path: Path) -> None:
    _write(tmp_path / "small")
    figures, kept = tmp_path / "figures.json", tmp_path / "kept.sqlite"
    stray = tmp_path / "README.md"
    stray.write_text("next to the sets")
    status, output = await _eval(stray, tmp_path / "small", "--json", figures, "--kept", kept)
    assert status == 0, output
    (one,) = json.loads(figures.read_text())["sets"]
    assert one["name"] == "small"
    assert (one["ndcg_at_10"], one["recall_at_10"], one["mrr"]) == (100.0, 100.0, 100.0)
    assert 0 < one["bm25_ndcg_at_10"] <= 100
    assert 0 < one["vector_ndcg_at_10"] <= 100
    assert one["by"]["lang"].keys() == {"en", "pt"}
    assert one["by"]["type"].keys() == {"identifier", "symptom"}
    assert (one["answerable_refused"], one["unanswerable_refused"]) == (0.0, 100.0)
    assert 0 < one["p50_ms"] <= one["p95_ms"]
    assert "| small | 100.0 |" in output
    assert kept.exists()


async def test_a_folder_that_is_no_set_is_said_so(tmp_path: Path) -> None:
    status, output = await _eval(tmp_path)
    assert status == 2
    assert "not a set in BEIR's layout" in output


async def test_files_alone_are_no_sets(tmp_path: Path) -> None:
    stray = tmp_path / "README.md"
    stray.write_text("no set")
    status, output = await _eval(stray)
    assert status == 2
    assert "none of these is a folder" in output
