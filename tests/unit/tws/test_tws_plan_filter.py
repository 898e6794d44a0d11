"""Job streams with folders become selections as conman writes them, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.objects import JobFilter, JobStreamFilter
from tws.oql import ImpossibleValueError
from tws.simulator import filters
from tws.wire import build_job_query, build_job_stream_query

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,8}"


@pytest.mark.parametrize("name", ["/PAYDAILY", "/F2/PAY@", "/F1/F2/STREAM?"])
def test_selections_are_written_as_conman_does(name: str) -> None:
    jobs, streams = JobFilter(job_stream=name), JobStreamFilter(name=name)
    assert build_job_query(jobs)["plan_filter"] == f"/@/@#{name}.@"
    assert build_job_stream_query(streams)["plan_filter"] == f"/@/@#{name}"


@given(st.from_regex(NAME, fullmatch=True), st.from_regex(NAME, fullmatch=True))
def test_a_selection_selects_what_it_names(stream: str, job: str) -> None:
    is_selected = filters.select("job", build_job_query(JobFilter(job_stream=f"/{stream}"))["plan_filter"])
    one = {"jobStreamWorkstation": "/WKS", "jobStreamName": stream, "name": job}
    one["lastRunCompositeStatus"] = {"status": "SUCC"}  # type: ignore[assignment]  # JSON
    assert is_selected is not None
    assert is_selected(one)
    assert not is_selected(one | {"jobStreamName": f"{stream}X"})


@given(
    st.text(max_size=30).map(lambda text: f"/{text}")
    | st.sampled_from(
        ["A/B+state=abend", "/A#B", "/A.B", "/A;B", "/A~state=x", "/", "/A/", "//A", "/A\n", "A/B"]
    )
)
def test_whatever_the_value_the_selection_has_the_same_structure(value: str) -> None:
    try:
        selection = build_job_query(JobFilter(job_stream=value))["plan_filter"]
    except ImpossibleValueError:
        return
    assert sum(selection.count(sign) for sign in "#.+~;()=") == 2
    assert selection.endswith(".@")


def test_a_folder_is_named_from_the_root_on() -> None:
    with pytest.raises(ImpossibleValueError):
        build_job_query(JobFilter(job_stream="F/STREAM"))
