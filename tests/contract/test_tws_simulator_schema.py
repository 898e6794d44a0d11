"""Made-up requests for every operation of the vendor's document that the simulator answers: it never breaks.

They are made from the document, well-formed and malformed, for objects that exist and for others.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Any

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CHECKS

from tests.support import openapi
from tests.support.simulator import PASSWORD, running_simulator
from tws.simulator.routes import BASE, OPERATIONS, Operation

pytestmark = pytest.mark.usefixtures("shared_folder")

_EXAMPLES = 5
"""Of each operation, well-formed and malformed."""
_CREDENTIALS = {"Authorization": aiohttp.encode_basic_auth("operator", PASSWORD)}
_REFUSALS = {400, 404, 405, 409, 415}
_WHERE_IDS_ARE = {
    "job_id": "/plan/job",
    "run_id": "/plan/job",
    "jobstream_id": "/plan/jobstream",
    "workstation_id": "/plan/workstation",
    "resource_id": "/plan/resource",
    "prompt_id": "/plan/prompt",
    "jobDefinition_id": "/model/jobdefinition",
    "jobStream_id": "/model/jobstream",
    "model_job_id": "/model/jobdefinition",
    "model_jobstream_id": "/model/jobstream",
}

_Ids = Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    async with running_simulator(speed=60.0, overflow="first") as url:
        yield url


@pytest.fixture(scope="module")
async def ids(url: str) -> _Ids:
    found: dict[str, Sequence[str]] = {}
    async with aiohttp.ClientSession(headers=_CREDENTIALS) as session:
        for field, path in _WHERE_IDS_ARE.items():
            async with session.get(url + path) as response:
                rows = (await response.json())["results"]
            rows = [row.get("def", row["jobruns"][-1] if field == "run_id" else row) for row in rows]
            found[field] = [row["id"] for row in rows]
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_any_request_gets_an_answer_that_the_document_allows(
    operation: Operation, url: str, ids: _Ids
) -> None:
    if operation.method.lower() not in openapi.document()["paths"].get(BASE + operation.path, {}):
        pytest.skip("only a later version than the document's has it")
    await asyncio.to_thread(_try_out, operation, url, ids.get(operation.id_field, ()))


@cache
def _schema() -> Any:
    document = copy.deepcopy(openapi.document())
    # The engine writes durations as Java does, `PT4H20S`, which the format of that name does not allow.
    document["components"]["schemas"]["Duration"] = {"type": "string", "pattern": openapi.DURATION}
    return schemathesis.openapi.from_dict(document)


def _try_out(operation: Operation, url: str, ids: Sequence[str]) -> None:
    described = _schema()[BASE + operation.path][operation.method]
    made = [described.as_strategy(mode) for mode in GenerationMode]
    if ids:
        known = st.sampled_from(ids).flatmap(
            lambda one: described.as_strategy(path_parameters={operation.id_field: one})
        )
        made.append(known)

    @given(case=st.one_of(made))
    @settings(
        max_examples=_EXAMPLES * len(made),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Case) -> None:
        response = case.call(base_url=url.removesuffix(BASE), headers=_CREDENTIALS)
        _check(case, response)

    holds()


def _check(case: Case, response: Response) -> None:
    text = response.content.decode()
    if response.status_code == 500:
        assert "AWSJSY404E" in text
    elif response.status_code not in _REFUSALS:
        assert response.status_code == 200
        checks = ["response_schema_conformance", "content_type_conformance"]
        case.validate_response(response, checks=CHECKS.get_by_names(checks))
