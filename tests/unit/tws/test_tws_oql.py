"""A value can never become syntax: whatever is accepted reads back as one field, one operator and the same value."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tws import oql

TOKEN = re.compile(r"\s*(?:'([^']*)'|(\[|\]|,|\(|\)|!=|=)|([A-Za-z][A-Za-z0-9.#-]*))", re.DOTALL)


def tokens(text: str) -> list[tuple[str, str]]:
    """A reader of the published grammar, written apart from the builder: kinds are value, sign and word."""
    found = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        assert match is not None, f"no token at {text[position:]!r}"
        kind = ("value", "sign", "word")[match.lastindex - 1]  # type: ignore[operator] # one group always matches
        found.append((kind, match[match.lastindex or 0]))
        position = match.end()
    return found


names = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[A-Z0-9_@?'\" =()\\-]{0,30}", fullmatch=True),
    st.sampled_from(["x' OR name LIKE '@", "x') OR ('1'='1", "\\' OR 1=1", "'", "''", "a\nORDER BY name"]),
)


@given(names)
@example("x' OR name LIKE '@")
def test_a_hostile_value_is_refused_or_stays_one_value(value: str) -> None:
    try:
        query = oql.matches(oql.Field.NAME, value)
    except oql.ImpossibleValueError:
        assert re.search(r"""['"\\]|[\x00-\x1f\x7f\x85\u2028\u2029]""", value)
        return
    word, operator, read = tokens(query)
    assert (word, read) == (("word", "name"), ("value", value))
    assert operator == (("word", "LIKE") if {"@", "?"} & set(value) else ("sign", "="))


@given(st.lists(names, min_size=2, max_size=5))
def test_a_list_has_exactly_the_values_given(values: list[str]) -> None:
    try:
        query = oql.one_of(oql.Field.RUN_STATUS, values)
    except oql.ImpossibleValueError:
        return
    read = tokens(query)
    assert read[:3] == [("word", "jobruns.compositeStatus.status"), ("word", "IN"), ("sign", "[")]
    assert [text for kind, text in read if kind == "value"] == values


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("PAYROLL", "name = 'PAYROLL'"),
        ("PAY@", "name LIKE 'PAY@'"),
        ("PAY?", "name LIKE 'PAY?'"),
        ("FOLHA DE PAGAMENTO", "name = 'FOLHA DE PAGAMENTO'"),
    ],
)
def test_wildcards_choose_like(pattern: str, expected: str) -> None:
    assert oql.matches(oql.Field.NAME, pattern) == expected


def test_one_value_needs_no_list() -> None:
    assert oql.one_of(oql.Field.RUN_STATUS, ["ABEND"]) == "jobruns.compositeStatus.status = 'ABEND'"


def test_conditions_are_combined_and_ordered() -> None:
    either = oql.any_of([oql.matches(oql.Field.NAME, "A"), oql.matches(oql.Field.NAME, "B")])
    both = [either, oql.matches(oql.Field.WORKSTATION, "W")]
    assert oql.ordered(both, oql.Field.NAME) == (
        "(name = 'A' OR name = 'B') AND workstation = 'W' ORDER BY name ASC"
    )


def test_an_order_stands_alone_without_conditions() -> None:
    assert oql.ordered([], oql.Field.NAME) == "ORDER BY name ASC"
