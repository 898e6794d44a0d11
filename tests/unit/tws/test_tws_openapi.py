"""The checker itself: one that passes everything would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.openapi import template_of, validate_request, validate_response

pytestmark = pytest.mark.usefixtures("shared_folder")

JOB_ID = "ca15f24a-0e6b-3f1b-9251-854d8d0d3639"
JOB = {
    "flowNodeType": "JOB",
    "id": JOB_ID,
    "schedTime": "2026-11-22T22:00:00.000Z",
    "jobruns": [{"id": "r", "timeInfo": {"elapsedTime": "PT4H20.5S"}}],
    "dependencies": [{"dependencyType": "INTERNAL", "jobId": JOB_ID}],
}


def test_a_proper_exchange_is_accepted() -> None:
    validate_request(
        "GET", "/plan/job", query={"limit": "3", "oql": "name = 'X'"}, headers={"scope": "WHOLE"}
    )
    validate_request("PUT", "/plan/job/run/{run_id}/action/rerun", body={"asap": True})
    validate_response("GET", "/plan/job", 200, {"count": 1, "results": [JOB]})
    validate_response("GET", "/plan/job/{job_id}/successors", 200, {"count": 1, "results": [JOB]})
    validate_response("GET", "/plan/job/run/{run_id}/joblog", 200, "text")
    validate_response("PUT", "/plan/job/{job_id}/action/hold", 500, "AWSBIN076E")


@pytest.mark.parametrize(
    "wrong",
    [
        {"nam": "misspelt"},
        {"schedTime": "yesterday"},
        {"schedTime": "2026-11-22T22:00:00"},
        {"priority": 2**31},
        {"priority": "10"},
        {"lastRunCommonStatus": "PONDERING"},
        {"jobruns": [{"timeInfo": {"elapsedTime": "5 minutes"}}]},
        {"dependencies": [{"dependencyType": "INTERNAL"}]},
        {"dependencies": [{"dependencyType": "FILE", "jobId": JOB_ID}]},
        {"dependencies": [{"dependencyType": "TELEPATHY"}]},
    ],
)
def test_a_wrong_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        validate_response("GET", "/plan/job", 200, {"results": [JOB | wrong]})


def test_a_job_stream_is_not_taken_for_a_job() -> None:
    with pytest.raises(AssertionError, match="originalJobStreamName"):
        validate_response(
            "GET", "/plan/job/{job_id}/successors", 200, {"results": [{"flowNodeType": "JOBSTREAM"}]}
        )


def test_a_status_the_api_never_gives_is_refused() -> None:
    with pytest.raises(AssertionError, match="418"):
        validate_response("GET", "/plan/job", 418, {})


@pytest.mark.parametrize(
    "request_parts",
    [
        {"query": {"limit": "many"}},
        {"query": {"page": "2"}},
        {"headers": {"scope": "SOME"}},
        {"headers": {"Justification-Description": "reads take none"}},
        {"body": {}},
    ],
)
def test_a_wrong_request_is_refused(request_parts: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        validate_request("GET", "/plan/job", **request_parts)


def test_a_path_belongs_to_its_most_literal_template() -> None:
    assert template_of("GET", "/twsd/api/v2/plan/job/count") == "/twsd/api/v2/plan/job/count"
    assert template_of("GET", "/plan/job/4711") == "/twsd/api/v2/plan/job/{job_id}"
    with pytest.raises(AssertionError, match="is not in the document"):
        template_of("GET", "/plan/nothing")
