"""Names with folders become selections as conman writes them, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.oql import ImpossibleValueError
from tws.plan_filter import PlanFilter
from tws.simulator import filters

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,8}"


@pytest.mark.parametrize(
    ("wanted", "jobs", "streams"),
    [
        (PlanFilter(), "/@/@#/@/@.@", "/@/@#/@/@"),
        (PlanFilter(job_stream="PAY@", job="LOAD?"), "/@/@#/PAY@.LOAD?", "/@/@#/PAY@"),
        (
            PlanFilter(workstation="/F1/WKS", job_stream="/F2/STREAM", job="JOB"),
            "/F1/WKS#/F2/STREAM.JOB",
            "/F1/WKS#/F2/STREAM",
        ),
    ],
)
def test_selections_are_written_as_conman_does(wanted: PlanFilter, jobs: str, streams: str) -> None:
    assert (wanted.of_jobs(), wanted.of_job_streams()) == (jobs, streams)


@given(
    st.from_regex(NAME, fullmatch=True),
    st.from_regex(NAME, fullmatch=True),
    st.from_regex(NAME, fullmatch=True),
)
def test_a_selection_selects_what_it_names(workstation: str, stream: str, job: str) -> None:
    selection = PlanFilter(workstation=workstation, job_stream=stream, job=job).of_jobs()
    is_selected = filters.select("job", selection)
    one = {"jobStreamWorkstation": f"/{workstation}", "jobStreamName": stream, "name": job}
    one["lastRunCompositeStatus"] = {"status": "SUCC"}  # type: ignore[assignment]  # JSON
    assert is_selected is not None
    assert is_selected(one)
    assert not is_selected(one | {"name": f"{job}X"})


@given(
    st.text(max_size=30)
    | st.sampled_from(["A+state=abend", "A#B", "A.B", "A;B", "A~state=x", "/", "/A/", "//A", "A\n"])
)
def test_whatever_the_value_the_selection_has_the_same_structure(value: str) -> None:
    try:
        selection = PlanFilter(workstation=value, job_stream=value).of_jobs()
    except ImpossibleValueError:
        return
    assert sum(selection.count(sign) for sign in "#.+~;()=") == 2
    assert selection.endswith(".@")


def test_a_job_has_no_folder_of_its_own() -> None:
    with pytest.raises(ImpossibleValueError):
        PlanFilter(job="/F/JOB")
