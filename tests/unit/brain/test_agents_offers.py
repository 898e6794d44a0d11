"""Buttons say what a person would type: the grammar understands every one of them."""

from __future__ import annotations

import pytest

from brain.agents.grammar import Request, read_request
from brain.agents.grammar.arguments import Arguments
from brain.agents.offers import wording
from brain.message import Locale
from tests.support.plan import make_job, make_prompt, make_resource, make_stream, make_workstation
from tws.actions import ACTIONS_OF, Action, ObjectKind

_NAMES = {
    ObjectKind.JOB: "AGT01#PAYDAILY.PAYROLL",
    ObjectKind.JOB_STREAM: "AGT01#PAYDAILY",
    ObjectKind.WORKSTATION: "AGT01",
    ObjectKind.PROMPT: "PAGTO",
    ObjectKind.RESOURCE: "AGT01#TAPE",
    ObjectKind.JOB_DEFINITION: "AGT01#LOAD",
    ObjectKind.JOB_STREAM_DEFINITION: "AGT01#PAYDAILY",
}
_ARGUMENTS: dict[Action, Arguments] = {
    Action.RERUN: {"from_step": "LOAD", "same_workstation": True, "with_successors": True},
    Action.SET_PRIORITY: {"priority": 55},
    Action.SET_LIMIT: {"limit": 3},
    Action.SET_FENCE: {"fence": 20},
    Action.SET_QUANTITY: {"quantity": 5},
    Action.SUBMIT: {"alias": "PAY2", "at": "14:30"},
}
_ALL = [(kind, action) for kind, actions in ACTIONS_OF.items() for action in actions]


def _named(request: Request) -> set[str | None]:
    return {request.job, request.job_stream, request.workstation, request.prompt, request.resource} - {None}


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(("kind", "action"), _ALL)
def test_what_a_button_says_is_understood(kind: ObjectKind, action: Action, locale: Locale) -> None:
    request = read_request(wording(action, kind, _NAMES[kind], locale, _ARGUMENTS.get(action, {})), locale)
    assert (request.kind, request.action, request.locale) == ("action", action, locale)
    assert request.arguments == _ARGUMENTS.get(action, {})
    assert _named(request) == set(_NAMES[kind].replace("#", ".").split("."))
    assert request.further == ()


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(("kind", "action"), _ALL)
def test_a_wish_without_its_value_is_completed_by_a_number(
    kind: ObjectKind, action: Action, locale: Locale
) -> None:
    name = next(iter(_ARGUMENTS.get(action, {})), "")
    if name in {"priority", "limit", "fence", "quantity"}:
        request = read_request(f"{wording(action, kind, _NAMES[kind], locale, {})} 7", locale)
        assert (request.action, request.arguments) == (action, {name: 7})


def test_objects_are_called_what_conman_calls_them() -> None:
    objects = (make_job(), make_stream(), make_workstation(), make_prompt(), make_resource())
    assert [one.selection for one in objects] == [
        "AGT_HR01#PAYDAILY.PAYROLL",
        "AGT_HR01#PAYDAILY",
        "AGT_HR01",
        "PAYOK",
        "AGT_HR01#TAPES",
    ]
    assert make_prompt(name="", number=12).selection == "12"
