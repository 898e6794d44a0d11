from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan import AT, make_job, make_run
from tws.failure import Ending, Failure, explain
from tws.objects import Job, JobRun
from tws.success import ConditionError, is_success


def failed(status: str = "ABEND", return_code: int | None = 8, **changes: Any) -> Job:
    return make_job(status=status, runs=(make_run(status=status, return_code=return_code),), **changes)


def explained(job: Job, **more: Any) -> Failure:
    found = explain(job, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("job", "ending"),
    [
        (failed("FAIL", None), Ending.NOT_LAUNCHED),
        (failed(return_code=8), Ending.RETURN_CODE),
        (failed(return_code=8, success_condition="RC<4"), Ending.RETURN_CODE),
        (failed(return_code=3, success_condition="RC<4"), Ending.NOT_BY_RETURN_CODE),
        (failed(return_code=0), Ending.NOT_BY_RETURN_CODE),
        (failed(return_code=9), Ending.KILLED),
        (failed(return_code=137), Ending.KILLED),
        (failed(return_code=143), Ending.KILLED),
        (failed(return_code=137, success_condition="RC<200"), Ending.NOT_BY_RETURN_CODE),
        (failed(return_code=None), Ending.UNKNOWN),
        (failed(return_code=8, success_condition="$RESULT=OK"), Ending.UNKNOWN),
    ],
)
def test_how_a_job_ended(job: Job, ending: Ending) -> None:
    assert explained(job).ending is ending


@pytest.mark.parametrize(("code", "signal"), [(9, 9), (137, 9), (143, 15), (8, None)])
def test_a_killed_job_has_its_signal(code: int, signal: int | None) -> None:
    assert explained(failed(return_code=code)).signal == signal


@pytest.mark.parametrize("status", ["SUCC", "EXEC", "HOLD"])
def test_what_has_not_failed_is_not_explained(status: str) -> None:
    assert explain(failed(status)) is None
    assert explain(make_job(runs=())) is None


def test_the_log_gives_the_lines_that_decide_and_the_ids_of_messages() -> None:
    log = "starting\nORA-01653: unable to extend table PAY.T1\nAWSBDW009E no such user\n"
    found = explained(failed(), log=log)
    assert any("ORA-01653" in line.text for line in found.decisive)
    assert "AWSBDW009E" in found.message_ids


def test_the_log_knows_the_return_code_where_the_plan_does_not() -> None:
    found = explained(failed(return_code=None), log="= Exit Status           : 137\n")
    assert (found.return_code, found.ending) == (137, Ending.KILLED)


def past(day: int, status: str, return_code: int, **changes: Any) -> Job:
    """A record of the job of an earlier plan."""
    began = AT - timedelta(days=day)
    run = make_run(
        id=f"run-{day}d",
        status=status,
        return_code=return_code,
        started_at=began,
        ended_at=began + timedelta(minutes=12),
        elapsed=timedelta(minutes=12),
        workstation=changes.pop("ran_on", "AGT_HR01"),
    )
    return make_job(status=status, runs=(run,), **changes)


def test_runs_that_failed_the_same_way_are_found_the_newest_first() -> None:
    records = [past(3, "ABEND", 8), past(1, "ABEND", 8), past(2, "ABEND", 12), past(4, "SUCC", 0)]
    found = explained(failed(), past=records)
    assert [run.id for run in found.same_before] == ["run-1d", "run-3d"]


def test_what_changed_since_the_last_success_is_found_in_its_record_and_its_run() -> None:
    good = past(2, "SUCC", 0, login="old_user", task="/opt/hr/old.sh", ran_on="AGT_HR02")
    found = explained(failed(), past=[past(9, "SUCC", 0, login="older"), good, past(1, "ABEND", 1)])
    assert found.last_success == good.runs[0]
    assert {(one.name, one.before, one.after) for one in found.differences} == {
        ("login", "old_user", "hrbatch"),
        ("task", "/opt/hr/old.sh", "/opt/hr/payroll.sh"),
        ("run.workstation", "AGT_HR02", "AGT_HR01"),
    }


@pytest.mark.parametrize(
    ("minutes", "is_other"), [(13, False), (24, True), (30, True), (6, True), (7, False)]
)
def test_a_duration_has_changed_if_it_has_doubled_or_halved(minutes: int, *, is_other: bool) -> None:
    run = make_run(elapsed=timedelta(minutes=minutes))
    found = explained(make_job(runs=(run,)), past=[past(1, "SUCC", 0)])
    assert [one.name for one in found.differences] == (["run.elapsed"] if is_other else [])


def test_an_earlier_run_in_the_same_plan_may_be_the_last_success() -> None:
    runs: tuple[JobRun, ...] = (
        make_run(id="run-0", status="SUCC", return_code=0, is_last=False, started_at=AT - timedelta(hours=1)),
        make_run(attempt=2),
    )
    found = explained(make_job(runs=runs), past=[past(1, "SUCC", 0, login="other")])
    assert found.last_success == runs[0]
    assert found.differences == ()


def test_without_a_success_nothing_is_compared() -> None:
    found = explained(failed(), past=[past(1, "ABEND", 8)])
    assert found.last_success is None
    assert found.differences == ()


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ("", [0], [1, -1]),
        ("RC<4", [0, 3, -1], [4]),
        ("rc <= 4", [4], [5]),
        ("(RC=3) OR (RC>=5 AND RC<10)", [3, 5, 9], [0, 4, 10]),
        ("RC=1 OR RC=2 AND RC=3", [1], [2, 3]),
        ("NOT RC=1 AND NOT (RC=2 OR RC<>3)", [3], [1, 2, 4]),
        ("RC != -1", [0], [-1]),
        ("NOT NOT RC=0", [0], [1]),
    ],
)
def test_a_success_condition_decides_over_return_codes(
    condition: str, good: list[int], bad: list[int]
) -> None:
    assert all(is_success(code, condition) for code in good)
    assert not any(is_success(code, condition) for code in bad)


@pytest.mark.parametrize(
    "condition",
    [
        "RC",
        "RC=",
        "RC=1 RC=2",
        "(RC=1",
        "RC=1)",
        "AND RC=1",
        "RC=1 OR",
        "()",
        "NOT",
        "RC=1.5",
        "os.exit",
        "RC=1; RC=2",
    ],
)
def test_what_is_no_condition_is_refused(condition: str) -> None:
    with pytest.raises(ConditionError):
        is_success(0, condition)


def test_thousands_of_brackets_are_no_trouble() -> None:
    assert is_success(1, "(" * 5000 + "RC=1" + ")" * 5000)
    assert is_success(1, "NOT " * 5000 + "RC=1")


_OPERATORS = {"=": "==", "<>": "!=", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TESTS = st.tuples(st.sampled_from(sorted(_OPERATORS)), st.integers(-3, 12)).map(
    lambda one: (f"RC{one[0]}{one[1]}", f"rc {_OPERATORS[one[0]]} {one[1]}")
)
_CONDITIONS = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            lambda one: (f"{one[0][0]} {one[1]} {one[2][0]}", f"{one[0][1]} {one[1].lower()} {one[2][1]}")
        ),
        inner.map(lambda one: (f"NOT {one[0]}", f"not {one[1]}")),
        inner.map(lambda one: (f"( {one[0]} )", f"({one[1]})")),
    ),
    max_leaves=12,
)


@given(condition=_CONDITIONS, code=st.integers(-3, 12))
def test_conditions_mean_what_the_same_words_mean_in_python(condition: tuple[str, str], code: int) -> None:
    text, oracle = condition
    assert is_success(code, text) == eval(oracle, {"rc": code})  # noqa: S307 - built above, of nothing else


@given(text=st.text(alphabet="RC()<>=!ANDORNT 0123456789-", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        is_success(0, text)
    except ConditionError:
        return
    assert text.count("(") == text.count(")")
