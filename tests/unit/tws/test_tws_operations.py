"""Every request the client can build, against the vendor's OpenAPI document."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.openapi import document, validate_request
from tws.actions import ACTIONS_OF, Action, Change, ObjectKind
from tws.errors import TwsNotFoundError, TwsRejectedError
from tws.operations import CHANGES, Operation, Read, build_call, place, utc_text
from tws.shapes import _SHAPES

pytestmark = pytest.mark.usefixtures("shared_folder")

ID = "ca15f24a-0e6b-3f1b-9251-854d8d0d3639"
ARGUMENTS: dict[str, Any] = {
    "priority": 50,
    "limit": 3,
    "fence": 0,
    "quantity": 2,
    "from_step": "STEP2",
    "same_workstation": True,
    "with_successors": True,
    "alias": "AGAIN",
    "at": "2026-11-22T23:30:00-03:00",
    "name": "CLEANUP",
    "command": "rm -f /tmp/pay.lock",
    "job_stream_id": ID,
}
SAMPLES = {
    "limit": "500",
    "offset": "0",
    "depth": "1",
    "from_line": "1",
    "to_line": "9",
    "plan_id": "current",
    "plan_filter": "/@/@#/@/@.@",
    "oql": "ORDER BY id ASC",
}
SINCE_10_2_8 = {Read.PROMPTS, Read.PROMPT, Read.FILES}
"""The document is that of 10.1."""
EVERY_CHANGE = [pytest.param(*key, id=f"{key[0]}-{key[1]}") for key in CHANGES]


def made(kind: ObjectKind, action: Action, **arguments: Any) -> Change:
    return Change(action=action, kind=kind, object_id=ID, selection="A#S.J", arguments=arguments)


def takes(operation: Operation) -> set[str]:
    sources = [*operation.query.values(), *(operation.body or {}).values()]
    return {source.split()[0] for source in sources if isinstance(source, str)} - {"object_id"}


def needs(operation: Operation) -> set[str]:
    sources = [*operation.query.values(), *(operation.body or {}).values()]
    needed = {source.split()[0] for source in sources if isinstance(source, str) and source.endswith("!")}
    return needed - {"object_id"}


def test_every_action_of_every_kind_has_its_operation() -> None:
    assert {(kind, action) for kind, actions in ACTIONS_OF.items() for action in actions} <= CHANGES.keys()


@pytest.mark.parametrize("choose", [takes, needs], ids=["all arguments", "as few as possible"])
@pytest.mark.parametrize(("kind", "action"), EVERY_CHANGE)
def test_every_change_is_a_request_of_the_published_api(
    kind: ObjectKind, action: Action, choose: Any
) -> None:
    operation = CHANGES[kind, action]
    change = made(kind, action, **{name: ARGUMENTS[name] for name in choose(operation)})
    call = build_call(operation, change, ID)
    validate_request(operation.method, operation.path, query=call.query, body=call.body)
    assert call.method == operation.method
    assert call.path == operation.path.partition("{")[0] + (
        ID + operation.path.partition("}")[2] if "{" in operation.path else ""
    )


@pytest.mark.parametrize(
    "read", [read for read in Read if read not in SINCE_10_2_8], ids=lambda read: read.name
)
def test_every_question_is_a_request_of_the_published_api(read: Read) -> None:
    headers = {"scope": "WHOLE"} if read in {Read.JOBS, Read.JOB_STREAMS} else {}
    query = {name: SAMPLES[name] for name in read.parameters}
    validate_request("GET", read.path, query=query, headers=headers)


@pytest.mark.parametrize(("kind", "action"), EVERY_CHANGE)
def test_what_must_be_given_is_missed(kind: ObjectKind, action: Action) -> None:
    operation = CHANGES[kind, action]
    for missing in needs(operation):
        arguments = {name: ARGUMENTS[name] for name in takes(operation) - {missing}}
        with pytest.raises(TwsRejectedError, match=missing):
            build_call(operation, made(kind, action, **arguments), ID)


@pytest.mark.parametrize(("kind", "action"), EVERY_CHANGE)
def test_an_argument_that_the_operation_does_not_know_is_refused(kind: ObjectKind, action: Action) -> None:
    operation = CHANGES[kind, action]
    arguments = {name: ARGUMENTS[name] for name in takes(operation)}
    for strange in ("object_id", "wings"):
        with pytest.raises(TwsRejectedError, match=strange):
            build_call(operation, made(kind, action, **arguments, **{strange: 1}), ID)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        (Action.SET_PRIORITY, {"priority": "high"}),
        (Action.SET_PRIORITY, {"priority": True}),
        (Action.RERUN, {"same_workstation": 1}),
        (Action.RERUN, {"with_successors": "all"}),
        (Action.RERUN, {"at": "2026-11-22T23:30:00"}),
        (Action.RERUN, {"at": "tomorrow"}),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(action: Action, arguments: dict[str, Any]) -> None:
    with pytest.raises(TwsRejectedError, match=next(iter(arguments))):
        build_call(CHANGES[ObjectKind.JOB, action], made(ObjectKind.JOB, action, **arguments), ID)


def test_a_rerun_says_how_far_its_successors_go() -> None:
    operation = CHANGES[ObjectKind.JOB, Action.RERUN]
    for given_, depth in ((True, 1000), (2, 2)):
        change = made(ObjectKind.JOB, Action.RERUN, with_successors=given_)
        assert build_call(operation, change, "r").body == {"successorsInfo": {"depth": depth}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T01:30:00-04:00", "2026-11-01T05:30:00.000Z"),
        ("2026-11-01T01:30:00-05:00", "2026-11-01T06:30:00.000Z"),
        ("2026-11-22T23:30:00.5Z", "2026-11-22T23:30:00.500Z"),
    ],
)
def test_times_are_sent_in_utc(text: str, expected: str) -> None:
    assert utc_text(text) == expected


@given(st.text(min_size=1).filter(lambda text: text.strip(".")))
def test_any_id_stays_one_segment_of_the_path(identifier: str) -> None:
    try:
        path = place("/plan/job/{job_id}/action/hold", identifier)
    except UnicodeEncodeError:  # a lone surrogate
        return
    assert path.count("/") == 5
    assert not set("?#\\ ") & set(path)


@pytest.mark.parametrize("identifier", ["", ".", "..", "..."])
def test_what_would_name_another_path_is_the_id_of_no_object(identifier: str) -> None:
    with pytest.raises(TwsNotFoundError):
        place("/plan/job/{job_id}", identifier)


SCHEMAS = {
    "Job": ("JobInPlanV2",),
    "JobRun": ("JobRunInstanceV2",),
    "Recovery": ("JobDefinitionInPlanV2",),
    "JobStream": ("JobStreamInPlanV2",),
    "Workstation": ("WorkstationInPlanV2",),
    "Resource": ("ResourceInPlanV2",),
    "Prompt": ("PromptInPlanV2", "PromptDependencyInPlanV2"),
    "PlanFile": ("FileInPlanV2",),
    "EngineInfo": ("EngineInfoV2",),
    "JobDefinition": ("JobDefinition",),
    "JobStreamDefinition": ("JobStream",),
    "ActionInfo": ("ActionMetadataV2",),
    "Dependency": tuple(
        f"{kind}DependencyInPlanV2"
        for kind in ("ExternalJob", "Resource", "Prompt", "Internal", "ExternalJobStream")
    ),
}
OF_V1 = {"version", "workstationKey.name"}


@pytest.mark.parametrize("form", SCHEMAS)
def test_every_field_is_looked_for_where_the_vendor_has_it(form: str, shapes: dict[str, Any]) -> None:
    for places in shapes[form].values():
        for where in set(places.split()) - OF_V1:
            assert any(_has(schema, where.lstrip("~!").split(".")) for schema in SCHEMAS[form]), where
    assert form in _SHAPES


def _has(schema: str, path: list[str]) -> bool:
    part: dict[str, Any] = document()["components"]["schemas"][schema]
    for name in path:
        part = part.get("properties", {}).get(name)
        if part is None:
            return False
        if "$ref" in part:
            part = document()["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return True


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(resources.files("tws").joinpath("shapes.yaml").read_bytes())
    return loaded
