"""A second look at the best passages by a model that reads question and passage together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import aiohttp
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

_LOG = structlog.get_logger(__name__)
_SECONDS = 3.0
"""A question does not wait longer for a better order."""


class Reranker(Protocol):
    """Says how well each passage answers."""

    async def rerank(self, question: str, passages: Sequence[str]) -> Sequence[float] | None:
        """A score for each passage, higher is better; None when it is away and the order stays."""


class _Result(BaseModel):
    index: int
    relevance_score: float


class _Answer(BaseModel):
    results: list[_Result]


class ApiReranker:
    """The `POST /rerank` of Cohere, Jina, vLLM and others.

    Source: https://docs.cohere.com/reference/rerank
    """

    def __init__(self, *, url: str, model: str, key: SecretStr | None) -> None:
        self._url = url
        self._model = model
        self._key = key

    async def rerank(self, question: str, passages: Sequence[str]) -> Sequence[float] | None:
        """Asks the server; None after an error or three seconds."""
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        body = {"model": self._model, "query": question, "documents": list(passages)}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
                session.post(self._url, json=body, headers=headers) as response,
            ):
                answer = _Answer.model_validate_json(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            _LOG.warning("reranker_unavailable", error=type(error).__name__)
            return None
        scores = {result.index: result.relevance_score for result in answer.results}
        return [scores.get(index, float("-inf")) for index in range(len(passages))]
