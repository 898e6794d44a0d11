from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.embed import OnnxEmbedder
from knowledge.errors import EmbeddingUnavailableError


async def test_like_texts_have_like_unit_vectors_in_the_order_given() -> None:
    texts = [
        "the disk is full " * 30,
        "a cake recipe",
        "no space left on device",
        "payroll",
        "the file is late",
    ]
    embedder = OnnxEmbedder(threads=1)
    vectors = await embedder.embed(texts)
    assert vectors.shape == (5, embedder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    (question,) = await embedder.embed(["device has no space left"])
    assert int(np.argmax(vectors @ question)) == 2
    assert float(vectors[2] @ question) > 0.8
    assert float(vectors[1] @ question) < 0.3


async def test_no_texts_give_no_vectors() -> None:
    assert (await OnnxEmbedder(threads=1).embed([])).shape == (0, 384)


async def test_a_model_that_is_missing_or_broken_is_said_so(tmp_path: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"not a model")
    for model_file in (tmp_path / "missing.onnx", broken):
        with pytest.raises(EmbeddingUnavailableError) as raised:
            await OnnxEmbedder(threads=1, model_file=model_file).embed(["x"])
        assert raised.value.retryable
