"""Selections as people type them for conman: read, written again, and applied to jobs and job streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan import AT, make_dependency, make_job, make_run, make_stream
from tws.objects import JobFilter, JobStreamFilter
from tws.selection import (
    Qualifier,
    Selection,
    SelectionError,
    job_filter,
    job_stream_filter,
    matches,
    parse,
)


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("PAYROLL", Selection(job="PAYROLL")),
        ("PAYDAILY.PAYROLL", Selection(job_stream="PAYDAILY", job="PAYROLL")),
        ("AGT01#PAYDAILY", Selection(workstation="AGT01", job_stream="PAYDAILY")),
        ("AGT01#PAYDAILY.PAY*", Selection(workstation="AGT01", job_stream="PAYDAILY", job="PAY@")),
        ("AGT01#12345", Selection(workstation="AGT01", job_number=12345)),
        ("@#@.@", Selection(workstation="@", job_stream="@", job="@")),
        (
            "=AGT01#PAYDAILY(0900 02/19/26).PAYROLL",
            Selection(workstation="AGT01", job_stream="PAYDAILY", scheduled="0900 02/19/26", job="PAYROLL"),
        ),
        (
            "/F1/AGT01#/F2/PAYDAILY.PAYROLL",
            Selection(workstation="/F1/AGT01", job_stream="/F2/PAYDAILY", job="PAYROLL"),
        ),
        (
            "AGT01#0AAAAAAAAAAAAAAB.PAYROLL;schedid",
            Selection(workstation="AGT01", job_stream="0AAAAAAAAAAAAAAB", job="PAYROLL", is_by_id=True),
        ),
        (
            "AGT01#PAYDAILY.@;state=abend",
            Selection(
                workstation="AGT01",
                job_stream="PAYDAILY",
                job="@",
                qualifiers=(Qualifier(name="state", values=("abend",)),),
            ),
        ),
        (
            "@#@+state=stuck,abend~limit=,5+started=2200,0200",
            Selection(
                workstation="@",
                job_stream="@",
                qualifiers=(
                    Qualifier(name="state", values=("stuck", "abend")),
                    Qualifier(name="limit", values=("", "5"), excludes=True),
                    Qualifier(name="started", values=("2200", "0200")),
                ),
            ),
        ),
    ],
)
def test_a_selection_is_read(text: str, selection: Selection) -> None:
    assert parse(text) == selection


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a workstation, a job stream or a job"),
        ("AGT01#", 6, "a job stream or a job number"),
        ("AGT01#PAYDAILY.", 15, "a job"),
        ("AGT01#PAYDAILY(2500).X", 15, "a time such as 0900"),
        ("AGT01#PAYDAILY(0900", 19, "`)`"),
        ("AGT01#PAYDAILY.X and more", 16, "a qualifier, or the end"),
        ("AGT01#PAYDAILY.X+colour=red", 17, "one of at, confirmed"),
        ("AGT01#PAYDAILY+logon=root", 15, "carriedforward"),
        ("AGT01#PAYDAILY.X+state", 22, "`=` and a value"),
        ("AGT01#PAYDAILY.X+state=abend,gone", 29, "one of abend, abenp"),
        ("AGT01#PAYDAILY.X+priority=low", 26, "a number"),
        ("AGT01#PAYDAILY.X+at=9am", 20, "a time such as 0900"),
    ],
)
def test_an_error_points_at_the_character(text: str, position: int, expected: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse(text)
    assert caught.value.position == position
    assert expected in caught.value.expected
    first, second = str(caught.value).split("\n")
    assert (first, second.index("^")) == (text, position)


_PAYROLL = make_job(
    key="AGT_HR01;0AAAAAAAAAAAAAAB;PAYROLL",
    folder="/HR/",
    recovery="RERUN",
    dependencies=(
        make_dependency(),
        make_dependency(type="RESOURCE", target="AGT_HR01#TAPE"),
        make_dependency(type="FILE", target="/data/in/payroll.txt"),
        make_dependency(type="PROMPT", target="GOPAY", prompt_number=12),
    ),
    repeat_interval=timedelta(minutes=90),
)


@pytest.mark.parametrize(
    ("text", "is_selected"),
    [
        ("PAYROLL", True),
        ("payroll", True),
        ("PAY@", True),
        ("PAYROL?", True),
        ("PAYROL%", False),
        ("@#@.@", True),
        ("AGT_HR01#PAYDAILY.PAYROLL", True),
        ("AGT_HR02#PAYDAILY.PAYROLL", False),
        ("AGT_HR01#PAYWEEKLY.PAYROLL", False),
        ("AGT_HR01#PAYDAILY", True),  # the jobs of a job stream
        ("@#/HR/PAYDAILY.@", True),
        ("@#/@/PAYDAILY.@", True),
        ("@#/FIN/PAYDAILY.@", False),
        ("AGT_HR01#10421", True),
        ("AGT_HR01#10422", False),
        ("@#0AAAAAAAAAAAAAAB.@;schedid", True),
        ("@#0AAAAAAAAAAAAAAC.@;schedid", False),
        ("@#@(0300).@", True),
        ("@#@(0300 03/02/26).@", True),
        ("@#@(0300 03/02/2026).@", True),
        ("@#@(0300 03/03).@", False),
        ("@#@(0400).@", False),
        ("@#@.@+state=abend", True),
        ("@#@.@;state=exec,abend", True),
        ("@#@.@~state=abend", False),
        ("@#@.@+state=cancl", False),
        ("@#@.@+priority=50", True),
        ("@#@.@+priority=51,", False),
        ("@#@.@+priority=,hi", True),
        ("@#@.@+started=0255,0305", True),
        ("@#@.@+started=2300,0400", True),
        ("@#@.@+started=0400,2300", False),
        ("@#@.@+finished=0313", True),
        ("@#@.@+started=,0259", False),
        ("@#@.@+deadline", False),
        ("@#@.@~deadline", True),
        ("@#@.@+critical", False),
        ("@#@.@+follows=PAYDAILY.CALC_HORAS", True),
        ("@#@.@+follows=AGT_HR01#PAYDAILY.@", True),
        ("@#@.@+follows=OTHER.@", False),
        ("@#@.@+needs", True),
        ("@#@.@+needs=TAPE", True),
        ("@#@.@+opens=/data/in/@", True),
        ("@#@.@+prompt=12", True),
        ("@#@.@+prompt=13", False),
        ("@#@.@+logon=hrbatch", True),
        ("@#@.@+scriptname=/opt/hr/@", True),
        ("@#@.@+recovery=rerun", True),
        ("@#@.@+every=0130", True),
        ("@#@.@+maxdur", False),
    ],
)
def test_a_job_is_selected_by_what_it_is(text: str, *, is_selected: bool) -> None:
    assert matches(parse(text), _PAYROLL) is is_selected


@pytest.mark.parametrize(
    ("text", "changes", "is_selected"),
    [
        ("AGT_HR01#PAY@", {}, True),
        ("AGT_HR01#PAYDAILY.PAYROLL", {}, False),
        ("PAYDAILY", {}, False),  # a single name is that of a job
        ("@#@+state=stuck", {}, True),
        ("@#@+state=cancl", {"canceled": True}, True),
        ("@#@+state=cancelp", {"is_cancel_pending": True}, True),
        ("@#@+carriedforward", {"is_carried_forward": True}, True),
        ("@#@+carryforward", {}, False),
        ("@#@+limit=0,3", {"limit": 0}, True),
        ("@#@+limit", {"limit": 0}, True),
        ("@#@+limit", {}, False),
        ("@#@+until=,0500", {"latest_start": AT}, True),
        ("@#@+started", {}, False),
        ("@#0AAA;schedid", {"key": "AGT_HR01;0AAA"}, True),
    ],
)
def test_a_job_stream_is_selected_by_what_it_is(
    text: str, changes: dict[str, Any], *, is_selected: bool
) -> None:
    assert matches(parse(text), make_stream(**changes)) is is_selected


def test_times_are_those_of_the_zone_that_was_asked_for() -> None:
    assert matches(parse("@#@(0000).@"), _PAYROLL, ZoneInfo("America/Sao_Paulo"))
    assert not matches(parse("@#@(0000).@"), _PAYROLL, UTC)


def test_a_job_without_runs_has_no_start() -> None:
    assert not matches(parse("@#@.@+started"), make_job(runs=()))
    later = make_run(started_at=datetime(2026, 3, 3, 3, tzinfo=UTC))
    assert matches(parse("@#@.@+started=0300 03/03/26"), make_job(runs=(make_run(is_last=False), later)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@#@.@", JobFilter()),
        ("AGT01#payd@.PAY%", JobFilter(name="PAY?", job_stream="PAYD@")),
        ("AGT01#12345", JobFilter(workstation="AGT01")),
        ("/F/AGT01#/F/S.J+state=abend,fail", JobFilter(name="J", job_stream="S", statuses=("ABEND", "FAIL"))),
        ("@#@.@+state=abend,cancl~state=exec", JobFilter()),
        ("@#0AAA.J;schedid", JobFilter(name="J")),
    ],
)
def test_what_the_engine_can_filter_is_a_filter(text: str, expected: JobFilter) -> None:
    assert job_filter(parse(text)) == expected


def test_job_streams_are_filtered_by_name_and_workstation() -> None:
    assert job_stream_filter(parse("agt@#PAY"), limit=5) == JobStreamFilter(
        name="PAY", workstation="AGT@", limit=5
    )


_NAMES = st.from_regex(r"[A-Z@][A-Z0-9_@?%-]{0,7}", fullmatch=True)
_PLACES = st.builds(
    lambda folders, name: "".join((*folders, name)), st.sampled_from([(), ("/",), ("/F1/", "F@/")]), _NAMES
)
_TIMES = st.sampled_from(["0000", "2359", "0900 02/19", "0900 12/31/26", "1200 02/19/2026"])
_NUMBERS = st.sampled_from(["0", "10", "hi", "GO"])


def _values(element: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """One value or a range that may be open at one end."""
    return st.tuples(element) | st.tuples(element, element | st.just("")) | st.tuples(st.just(""), element)


_QUALIFIERS = st.one_of(
    st.builds(
        Qualifier,
        name=st.just("state"),
        values=st.lists(st.sampled_from(["abend", "HOLD", "succ", "succp"]), min_size=1).map(tuple),
    ),
    st.builds(
        Qualifier, name=st.sampled_from(["at", "until"]), values=_values(_TIMES), excludes=st.booleans()
    ),
    st.builds(Qualifier, name=st.just("priority"), values=_values(_NUMBERS), excludes=st.booleans()),
    st.builds(
        Qualifier,
        name=st.sampled_from(["needs", "opens"]),
        values=st.lists(_NAMES | st.just("A#B(0900).C"), max_size=2).map(tuple),
    ),
)
_MORE: dict[str, Any] = {
    "is_by_id": st.booleans(),
    "qualifiers": st.lists(_QUALIFIERS, max_size=3).map(tuple),
}
_SCHEDULED: dict[str, Any] = {"job_stream": _PLACES, "scheduled": st.none() | _TIMES}
_SELECTIONS = st.one_of(
    st.builds(Selection, job=_PLACES, **_MORE),
    st.builds(Selection, workstation=_PLACES, job_number=st.integers(1, 10**9), **_MORE),
    st.builds(Selection, workstation=st.none() | _PLACES, job=_NAMES, **_SCHEDULED, **_MORE),
    st.builds(Selection, workstation=_PLACES, **_SCHEDULED, **_MORE),
)


@given(selection=_SELECTIONS)
def test_what_is_written_is_read_again(selection: Selection) -> None:
    assert parse(str(selection)) == selection


@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from([*"A@?#.();+~=,/", "0900", "state", "at", "schedid"])).map("".join)
)
def test_any_text_is_a_selection_or_a_selection_error(text: str) -> None:
    try:
        selection = parse(text)
    except SelectionError:
        return
    assert parse(str(selection)) == selection
    assert matches(selection, _PAYROLL) in {True, False}
