"""What `resync check --tws` finds out."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from observability.metrics import Metrics
from tests.support.openapi import document_path
from tests.support.scripted_tws import running_script, says
from tests.support.simulator import PASSWORD, running_simulator
from tws.check import CheckReport, check, differences
from tws.engines import open_engines
from tws.settings import TwsSettings


def settings(url: str, **values: Any) -> TwsSettings:
    return TwsSettings.model_validate(
        {"url": url, "username": "operator", "password": PASSWORD, "read_retries": 0, **values}
    )


async def checked(chosen: TwsSettings) -> CheckReport:
    async with open_engines([chosen], Metrics()) as engines:
        return await check(engines.default)


@pytest.fixture(scope="module")
def published(shared_folder: Path) -> dict[str, Any]:
    assert shared_folder
    found: dict[str, Any] = json.loads(document_path().read_text(encoding="utf-8"))
    return found


async def test_a_healthy_engine_has_no_problems(tmp_path: Path) -> None:
    async with running_simulator(tls=True, ca_file=tmp_path / "ca.pem") as url:
        report = await checked(settings(url, ca_bundle=tmp_path / "ca.pem"))
    assert report.problems == ()
    assert report.engine.version == "10.2.5"
    assert report.engine.time_zone == "America/Sao_Paulo"
    assert report.plan.run_number is not None
    assert report.plan.starts_at is not None
    assert "RERUN" in report.permissions["JOB"]
    assert "HOLD_JOB" in report.actions["job"]
    assert report.certificate_days is not None
    assert report.certificate_days >= 0
    assert report.clock_skew is not None
    assert abs(report.clock_skew) <= timedelta(seconds=1)
    assert report.differences == ()


async def test_rights_that_are_missing_show() -> None:
    async with running_simulator(rights={"operator": {"JOB.RERUN"}}) as url:
        report = await checked(settings(url))
    assert "RERUN" in report.permissions["JOB"]
    assert "CANCEL" not in report.permissions["JOB"]
    assert "HOLD_JOB" not in report.actions["job"]
    assert report.certificate_days is None


async def test_an_engine_that_is_away_gives_a_report_of_problems() -> None:
    async with running_script(says("", status=503)) as gone:
        report = await checked(settings(gone.origin))
    assert report.problems
    assert report.engine.version == ""
    assert report.differences == ()


def test_of_the_published_api_only_what_came_later_is_missing(published: dict[str, Any]) -> None:
    assert list(differences(published)) == [
        "GET /plan/prompt is missing",
        "GET /plan/prompt/{prompt_id} is missing",
        "GET /plan/file is missing",
    ]


def test_what_an_engine_describes_otherwise_is_named(published: dict[str, Any]) -> None:
    known, other = set(differences(published)), deepcopy(published)
    paths = other["paths"]
    base = "/twsd/api/v2/plan"
    del paths[f"{base}/job/{{job_id}}/action/kill"]
    hold = paths[f"{base}/job/{{job_id}}/action/hold"]
    hold["post"] = hold.pop("put")
    hold["post"]["requestBody"] = {"required": True}
    del paths[f"{base}/job/run/{{run_id}}/action/rerun"]["put"]["requestBody"]
    priority = paths[f"{base}/job/{{job_id}}/action/update-priority"]["put"]
    priority["parameters"] = [one for one in priority["parameters"] if one["name"] != "priority"]
    paths[f"{base}/workstation"]["parameters"] = [{"$ref": "#/components/parameters/Site"}]
    other["components"]["parameters"] = {"Site": {"in": "header", "name": "Site", "required": True}}
    paths[f"{base}/workstation/{{workstation_id}}/action/link"]["put"]["requestBody"] = {"required": True}
    assert set(differences(other)) - known == {
        "PUT /plan/job/{job_id}/action/kill is missing",
        "PUT /plan/job/{job_id}/action/hold is missing; there is POST",
        "PUT /plan/job/run/{run_id}/action/rerun: takes no body",
        "PUT /plan/job/{job_id}/action/update-priority: does not take priority",
        "GET /plan/workstation: needs Site, which Resync does not send",
        "PUT /plan/workstation/{workstation_id}/action/link: needs a body, which Resync does not send",
    }


@pytest.mark.parametrize("document", [None, [], {}, {"paths": {}}])
def test_of_an_empty_description_everything_is_missing(document: object) -> None:
    found = list(differences(document))
    assert len(found) > 40
    assert all(one.endswith(" is missing") for one in found)
