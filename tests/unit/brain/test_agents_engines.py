from __future__ import annotations

import pytest

from brain.agents.engines import named_engine

NAMES = ("PROD", "TEST")


@pytest.mark.parametrize(
    ("text", "engine", "rest"),
    [
        ("what failed on TEST?", "TEST", "what failed?"),
        ("o que falhou no test?", "TEST", "o que falhou?"),
        ("TEST: what failed?", "TEST", "what failed?"),
        ("rerun PAYROLL em PROD", "PROD", "rerun PAYROLL"),
        ("why did TEST_LOAD fail?", None, "why did TEST_LOAD fail?"),
        ("what runs on TESTBED?", None, "what runs on TESTBED?"),
        ("rerun TEST", None, "rerun TEST"),
    ],
)
def test_an_engine_is_named_after_a_preposition_or_in_front(text: str, engine: str | None, rest: str) -> None:
    assert named_engine(text, NAMES) == (engine, rest)


def test_with_one_engine_nothing_is_looked_for() -> None:
    assert named_engine("what runs on PROD?", ("PROD",)) == (None, "what runs on PROD?")
