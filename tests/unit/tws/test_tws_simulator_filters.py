"""The simulator's OQL and conman selections."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.simulator.filters import OqlSyntaxError, Predicate, SelectionError, parse, select

JOB: dict[str, Any] = {
    "name": "PAYROLL",
    "folder": "/",
    "id": "8ce1bd92-dd71-5cc6-a041-389f200fcb15",
    "priority": 50,
    "schedTime": "2025-11-22T04:00:00.000Z",
    "jobOptions": {"critical": True},
    "jobDefinition": {"name": "PAYROLL", "userLogins": ["batch_hr"], "estimatedDuration": "PT25M"},
    "jobruns": [
        {"commonStatus": "ERROR", "compositeStatus": {"status": "ABEND"}},
        {"commonStatus": "SUCCESSFUL", "compositeStatus": {"status": "SUCC"}},
    ],
}


def matches(text: str, one: Any) -> bool:
    return parse(text).select([one]) == [one]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("name = 'PAYROLL'", True),
        ("name = 'payroll'", False),
        ("name != 'PAYROLL'", False),
        ("name LIKE 'PAY@'", True),
        ("name LIKE 'PAY?'", False),
        ("name LIKE '@ROLL?'", False),
        ("name LIKE 'P.YROLL'", False),
        ("name NOT LIKE 'PAY@'", False),
        ("name IN ['A', 'PAYROLL']", True),
        ("name NOT IN ['A', 'B']", True),
        ("priority > 49 and priority <= 50", True),
        ("priority = '50'", False),
        ("priority < 50 OR folder = '/'", True),
        ("priority < 50 AND (folder = '/' OR folder = '/X')", False),
        ("name = 'A' AND name = 'B' OR folder = '/'", True),
        ("folder = '/' OR name = 'A' AND name = 'B'", True),
        ("jobOptions.critical = true", True),
        ("jobOptions.critical = 1", False),
        ("jobruns.compositeStatus.status = 'ABEND'", True),
        ("jobruns.compositeStatus.status = 'SUCC'", True),
        ("jobruns.compositeStatus.status = 'HOLD'", False),
        ("jobruns.commonStatus = 'SUCCEED'", True),
        ("jobruns.commonStatus IN ['SUCCEED']", True),
        ("jobDefinition.userLogin = 'batch_hr'", True),
        ("jobDefinition.key.name = 'PAYROLL'", True),
        ("jobDefinition.estimatedDuration > PT20M", True),
        ("jobDefinition.estimatedDuration = 'PT1500S'", True),
        ("schedTime >= 2025-11-22T04:00:00Z", True),
        ("schedTime < '2025-11-22T01:00:00-03:00'", False),
        ("schedTime = '2025-13-01T00:00:00Z'", False),
        ("schedTime = '2025-11-22T04:00:00'", False),
        ("jobDefinition.estimatedDuration = 'P99999999999999D'", False),
        ("id = 8ce1bd92-dd71-5cc6-a041-389f200fcb15", True),
        ("limit = null", True),
        ("limit != null", False),
        ("limit > 3", False),
        ("ORDER BY name", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:  # noqa: FBT001 - a test's parameter
    assert matches(text, JOB) is expected


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name =",
        "name = PAYROLL",
        "= 'A'",
        "name = 'A",
        "name = 'A' AND",
        "(name = 'A'",
        "name = 'A')",
        "name IN 'A'",
        "name IN []",
        "name LIKE 5",
        "name NOT = 'A'",
        "name ~ 'A'",
        "AND = 'A'",
        "ORDER name",
        "ORDER BY",
        "name = 'A' ORDER BY name UP",
        "priority = " + "1" * 5000,
        "schedTime = 2025-13-01T00:00:00Z",
        "key.name = 'A'",
        "(" * 60 + "name = 'A'" + ")" * 60,
    ],
)
def test_what_is_not_oql_is_refused(text: str) -> None:
    with pytest.raises(OqlSyntaxError):
        parse(text)


@given(st.text(alphabet=st.sampled_from("abP1'@?=!<>()[], .:-T\n") | st.characters(), max_size=60))
def test_any_text_is_a_query_or_a_syntax_error(text: str) -> None:
    try:
        query = parse(text)
    except OqlSyntaxError:
        return
    assert query.select([JOB]) in ([], [JOB])


WORDS = st.text(alphabet="ABC_1", min_size=1, max_size=4)


@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(WORDS, max_size=20))
def test_in_and_equality_agree(wanted: list[str], names: list[str]) -> None:
    membership = parse(f"name IN [{','.join(repr(one) for one in wanted)}]")
    alternatives = parse(" OR ".join(f"(name = '{one}')" for one in wanted))
    negation = parse(f"name NOT IN [{','.join(repr(one) for one in wanted)}]")
    for name in names:
        job = {"name": name}
        assert bool(membership.select([job])) == bool(alternatives.select([job])) == (name in wanted)
        assert bool(negation.select([job])) != bool(membership.select([job]))


@given(
    st.lists(st.fixed_dictionaries({}, optional={"priority": st.integers(0, 101)}), max_size=20),
    st.booleans(),
)
def test_order_is_complete_and_puts_what_lacks_the_field_last(rows: list[dict[str, int]], down: bool) -> None:  # noqa: FBT001
    ordered = parse(f"ORDER BY priority {'DESC' if down else 'ASC'}").select(rows)
    values = [row["priority"] for row in ordered if row]
    assert values == sorted(values, reverse=down)
    assert len(ordered) == len(rows)
    assert all(not row for row in ordered[len(values) :])


def test_order_by_key_name_is_by_name() -> None:
    assert parse("ORDER BY key.name DESC").select([{"name": "A"}, {"name": "B"}]) == [
        {"name": "B"},
        {"name": "A"},
    ]


ROW = {
    "name": "PAYROLL",
    "jobStreamName": "PAYDAILY",
    "jobStreamWorkstation": "/AGT_HR01",
    "lastRunCompositeStatus": {"status": "ABEND"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/@/@#/@/@.@", True),
        ("@#@.@", True),
        ("AGT_HR01#PAYDAILY.PAYROLL", True),
        ("/AGT_HR01#/PAYDAILY.PAYROLL", True),
        ("AGT_HR01#PAYDAILY(0100 11/22/25).PAYROLL", True),
        ("@#PAY@.@", True),
        ("@#@.PAY?OLL", True),
        ("PAYDAILY.PAYROLL", True),
        ("AGT_FIN01#@.@", False),
        ("/OTHER/@#@.@", False),
        ("@#@.@+state=abend", True),
        ("@#@.@+state=succ,abend", True),
        ("@#@.@+state=succ", False),
        ("@#@.@~state=abend", False),
    ],
)
def test_job_selections(text: str, expected: bool) -> None:  # noqa: FBT001 - a test's parameter
    assert chooses(select("job", text), ROW) is expected


def chooses(selection: Predicate | None, row: dict[str, Any]) -> bool:
    return selection is None or selection(row)


@pytest.mark.parametrize("text", ["/@/@#/@/@.@", "@#@.@", "@"])
def test_a_selection_of_everything_is_told_apart(text: str) -> None:
    assert select("job", text) is None


@pytest.mark.parametrize(
    ("kind", "text", "row", "expected"),
    [
        ("job_stream", "/@/@#/@/PAY@+state=stuck", {"name": "PAYDAILY", "workstation": "/AGT_HR01"}, True),
        ("job_stream", "AGT_FIN01#@", {"name": "PAYDAILY", "workstation": "/AGT_HR01"}, False),
        ("workstation", "/AGT_@#", {"name": "AGT_HR01"}, True),
        ("workstation", "MDM", {"name": "AGT_HR01"}, False),
        ("resource", "AGT_BKP01#FITALTO", {"name": "FITALTO", "workstation": "/AGT_BKP01"}, True),
        ("resource", "/@/@#/@/DB@", {"name": "FITALTO", "workstation": "/AGT_BKP01"}, False),
        ("prompt", "PAGTO", {"name": "PAGTO"}, True),
        ("job_definition", "/@/@#/@/PAY@", {"name": "PAYROLL", "workstation": "/AGT_HR01"}, True),
    ],
)
def test_selections_of_other_kinds(kind: str, text: str, row: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert chooses(select(kind, text), row | {"compositeStatus": {"status": "STUCK"}}) is expected


@pytest.mark.parametrize("text", ["a#b#c.d", "@#@.@+priority=0", "@#@.@.@"])
def test_selections_that_are_not_read_are_refused(text: str) -> None:
    with pytest.raises(SelectionError):
        select("job", text)
