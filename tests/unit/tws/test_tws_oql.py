"""A value can never become syntax: whatever is accepted reads back as one field, one operator and the same value."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tws import oql
from tws.oql import And, Comparison, Condition, Field, Operator, Or, Order
from tws.simulator import filters

UNQUOTABLE = re.compile(r"""['"\\]|[\x00-\x1f\x7f\x85\u2028\u2029]""")
BY_NAME = Order(Field.NAME)

names = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[A-Z0-9_@?'\" =()\\-]{0,30}", fullmatch=True),
    st.sampled_from(["x' OR name LIKE '@", "x') OR ('1'='1", "\\' OR 1=1", "'", "''", "a\nORDER BY name"]),
)
harmless = names.filter(lambda text: not UNQUOTABLE.search(text))
comparisons = st.one_of(
    st.builds(oql.matches, st.sampled_from(Field), harmless),
    st.builds(oql.one_of, st.sampled_from(Field), st.lists(harmless, min_size=1, max_size=3)),
    st.builds(
        lambda field, least: Comparison(field, Operator.GREATER, (least,)),
        st.sampled_from(Field),
        st.integers(0, 9),
    ),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.builds(
        lambda form, parts: form(tuple(parts)),
        st.sampled_from([And, Or]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def structure(query: str) -> list[str]:
    """The query as the simulator reads it, all values alike."""
    filters.parse(query)
    return ["value" if token.startswith("'") else token for token in filters._tokens(query)]


def values(condition: Condition) -> list[str]:
    if isinstance(condition, Comparison):
        return [value for value in condition.values if isinstance(value, str)]
    return [value for part in condition.conditions for value in values(part)]


def with_value(condition: Condition, value: str) -> Condition:
    """The same with another value in each place."""
    if isinstance(condition, Comparison):
        others = tuple(value if isinstance(one, str) else one for one in condition.values)
        return Comparison(condition.field, condition.operator, others)
    return type(condition)(tuple(with_value(part, value) for part in condition.conditions))


@given(conditions, names)
@example(oql.matches(Field.NAME, "PAY@"), "x' OR name LIKE '@")
def test_whatever_the_value_the_query_has_the_same_structure(condition: Condition, value: str) -> None:
    query = oql.render([condition], BY_NAME)
    try:
        other = oql.render([with_value(condition, value)], BY_NAME)
    except oql.ImpossibleValueError:
        assert UNQUOTABLE.search(value)
        return
    assert structure(other) == structure(query)


@given(conditions)
def test_every_value_reads_back_as_it_was_given(condition: Condition) -> None:
    read = [token[1:-1] for token in filters._tokens(str(condition)) if token.startswith("'")]
    assert read == values(condition)


@given(harmless, harmless)
def test_a_name_finds_itself_and_nothing_else(name: str, other: str) -> None:
    query = filters.parse(oql.render([Comparison(Field.NAME, Operator.EQUAL, (name,))], BY_NAME))
    assert query.select([{"name": name}]) or filters._to_time(name) != name or name == "SUCCEED"
    assert bool(query.select([{"name": other}])) <= (other == name or filters._to_time(name) != name)


@given(names)
def test_a_hostile_value_is_refused(value: str) -> None:
    if UNQUOTABLE.search(value):
        with pytest.raises(oql.ImpossibleValueError):
            oql.matches(Field.NAME, value)
    else:
        assert oql.matches(Field.NAME, value).values == (value,)


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
    assert str(oql.matches(Field.NAME, pattern)) == expected


def test_one_value_needs_no_list() -> None:
    assert str(oql.one_of(Field.RUN_STATUS, ["ABEND"])) == "jobruns.compositeStatus.status = 'ABEND'"
    both = oql.one_of(Field.RUN_STATUS, ["ABEND", "FAIL"])
    assert str(both) == "jobruns.compositeStatus.status IN ['ABEND', 'FAIL']"


def test_conditions_are_combined_and_ordered() -> None:
    either = Or((oql.matches(Field.NAME, "A"), oql.matches(Field.NAME, "B")))
    both = [either, oql.matches(Field.WORKSTATION, "W")]
    assert oql.render(both, BY_NAME) == "(name = 'A' OR name = 'B') AND workstation = 'W' ORDER BY name ASC"


def test_a_single_either_or_needs_no_parentheses() -> None:
    either = Or(
        (oql.matches(Field.NAME, "A"), And((oql.matches(Field.NAME, "B"), oql.matches(Field.ID, "1"))))
    )
    assert oql.render([either], BY_NAME) == "name = 'A' OR (name = 'B' AND id = '1') ORDER BY name ASC"


def test_an_order_stands_alone_without_conditions() -> None:
    assert oql.render([], BY_NAME) == "ORDER BY name ASC"
