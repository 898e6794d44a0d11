"""Answers that are given again: only to the same question, of people with the same rights, from unchanged documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.cache import AnswerCache, Asking
from knowledge.documents import Passage, Reader
from knowledge.embed import OnnxEmbedder
from knowledge.settings import KnowledgeSettings
from knowledge.store import Store
from knowledge.tables import answers
from tests.support.brain_parts import EMBEDDER
from tests.support.question_pairs import PARAPHRASES, UNSEEN_PARAPHRASES, hostile_pairs
from tests.support.relations import store_document

_SAP = Reader(frozenset({"role:viewer", "group:sap"}))
_ANSWER = {"said": "Restart it."}
_QUESTION = "how do I restart the agent?"


@pytest.fixture
async def store(engine: AsyncEngine) -> Store:
    store = Store(engine)
    await store_document(store, "Agents", {"Restart": "Restart it with care."})
    return store


@pytest.fixture
async def cache(engine: AsyncEngine, store: Store) -> AnswerCache:
    assert store
    return AnswerCache(engine, EMBEDDER, KnowledgeSettings())


async def _asked(
    cache: AnswerCache, question: str = _QUESTION, *, reader: Reader = _SAP, locale: str = "en"
) -> Asking:
    asking = await cache.look_up(question, reader=reader, locale=locale)
    assert asking is not None
    return asking


async def _shared(cache: AnswerCache, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of which the second question gets the answer to the first; each pair has readers of its own."""

    async def shares(number: int, one: str, other: str) -> bool:
        reader = Reader(frozenset({f"group:{number}"}))
        assert await cache.keep(await _asked(cache, one, reader=reader), _ANSWER, ())
        return (await _asked(cache, other, reader=reader)).known is not None

    found: list[tuple[str, str]] = []
    every = list(pairs)
    for start in range(0, len(every), 5):
        some = every[start : start + 5]
        hits = await asyncio.gather(*(shares(start + place, *pair) for place, pair in enumerate(some)))
        found += [pair for pair, hit in zip(some, hits, strict=True) if hit]
    return found


async def test_more_than_a_thousand_hostile_pairs_share_no_answer(cache: AnswerCache) -> None:
    pairs = list(hostile_pairs())
    assert len(set(pairs)) > 1000
    assert await _shared(cache, pairs) == []


async def test_paraphrases_share_answers_and_the_rate_is_printed(cache: AnswerCache) -> None:
    for name, groups in (("seen", PARAPHRASES), ("unseen", UNSEEN_PARAPHRASES)):
        pairs = [pair for group in groups for pair in combinations(group, 2)]
        hits = await _shared(cache, pairs)
        print(f"{name} paraphrases: {len(hits)} of {len(pairs)} hit ({len(hits) / len(pairs):.0%})")  # noqa: T201
        assert len(hits) > len(pairs) / 4


async def test_an_answer_is_given_again_with_its_age(cache: AnswerCache, engine: AsyncEngine) -> None:
    assert await cache.keep(await _asked(cache), _ANSWER, ())
    async with engine.begin() as connection:
        await connection.execute(update(answers).values(created_at=func.now() - timedelta(minutes=5)))
    known = (await _asked(cache, "How can I restart the Agent")).known
    assert known is not None
    assert known.answer == _ANSWER
    assert timedelta(minutes=5) <= known.age < timedelta(minutes=6)


@pytest.mark.parametrize(
    "changed",
    [
        {"reader": Reader(frozenset({"role:viewer"}))},
        {"reader": Reader(frozenset({"role:viewer", "group:sap", "group:hr"}))},
        {"locale": "pt"},
    ],
)
async def test_only_the_same_rights_and_the_same_language_get_it(
    cache: AnswerCache, changed: dict[str, object]
) -> None:
    assert await cache.keep(await _asked(cache), _ANSWER, ())
    assert (await _asked(cache, **changed)).known is None  # type: ignore[arg-type]  # arguments by name


async def test_another_embedding_model_knows_nothing(cache: AnswerCache, engine: AsyncEngine) -> None:
    assert await cache.keep(await _asked(cache), _ANSWER, ())
    other = OnnxEmbedder(threads=1, model="another")
    assert (await _asked(AnswerCache(engine, other, KnowledgeSettings()))).known is None


async def test_a_change_of_any_document_forgets_all_answers(cache: AnswerCache, store: Store) -> None:
    assert await cache.keep(await _asked(cache), _ANSWER, ())
    await store_document(store, "Another", {"Text": "About something else."})
    assert (await _asked(cache)).known is None


async def test_what_changed_while_an_answer_was_made_keeps_it_out(cache: AnswerCache, store: Store) -> None:
    asking = await _asked(cache)
    await store_document(store, "Another", {"Text": "About something else."})
    assert not await cache.keep(asking, _ANSWER, ())
    assert (await _asked(cache)).known is None


async def test_writers_and_keepers_at_once_leave_no_stale_answer(cache: AnswerCache, store: Store) -> None:
    for round_number in range(10):
        asking = await _asked(cache)
        await asyncio.gather(
            cache.keep(asking, _ANSWER, ()),
            store_document(store, "Another", {"Text": f"Version {round_number}."}),
        )
        assert (await _asked(cache)).known is None


async def test_old_answers_and_too_many_are_let_go(engine: AsyncEngine, cache: AnswerCache) -> None:
    small = AnswerCache(engine, EMBEDDER, KnowledgeSettings(cached_answers=2, cached_answer_minutes=60))
    for number in range(4):
        await small.keep(await _asked(small, f"what does AWSBDW00{number}E mean?"), _ANSWER, ())
    async with engine.begin() as connection:
        assert (await connection.execute(select(func.count()).select_from(answers))).scalar() == 2
        await connection.execute(update(answers).values(created_at=func.now() - timedelta(hours=2)))
    assert (await _asked(small, "what does AWSBDW003E mean?")).known is None
    assert (await _asked(cache, "what does AWSBDW003E mean?")).known is not None


async def test_what_is_about_to_be_out_of_date_is_not_kept(cache: AnswerCache) -> None:
    now = datetime.now(UTC)
    passage = Passage(
        document_id="d",
        document_title="Agents",
        location="Restart",
        text="Restart it.",
        section="Restart it.",
        page=None,
        link=None,
        kind="document",
        ingested_at=now,
        valid_to=now.date() + timedelta(days=1),
        score=1.0,
    )
    assert not await cache.keep(await _asked(cache), _ANSWER, [passage])
    assert await cache.keep(
        await _asked(cache), _ANSWER, [replace(passage, valid_to=now.date() + timedelta(days=3))]
    )


async def test_nothing_is_kept_without_a_limit_a_reader_a_model_or_documents(
    engine: AsyncEngine, cache: AnswerCache, tmp_path: Path
) -> None:
    off = AnswerCache(engine, EMBEDDER, KnowledgeSettings(cached_answers=0))
    assert await off.look_up(_QUESTION, reader=_SAP, locale="en") is None
    assert await cache.look_up(_QUESTION, reader=Reader(None), locale="en") is None
    assert await cache.keep(await _asked(cache), _ANSWER, ())
    away = AnswerCache(
        engine, OnnxEmbedder(threads=1, model_file=tmp_path / "none.onnx"), KnowledgeSettings()
    )
    asking = await _asked(away)
    assert asking.known is None
    assert not await away.keep(asking, _ANSWER, ())
