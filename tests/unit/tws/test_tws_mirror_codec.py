"""What goes into the mirror comes out of it."""

from __future__ import annotations

import json
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.plan import make_job, make_stream
from tws.actions import PlanObject
from tws.fields import Fields
from tws.mirror.codec import decode, encode
from tws.objects import Job, JobStream, Prompt, Resource, Workstation
from tws.wire_plan import read_dependency, read_prompt

_KINDS = (Job, JobStream, Workstation, Resource, Prompt)
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {str: _TEXT, datetime: st.datetimes(timezones=st.just(UTC))}

_WORKSTATION = Workstation(
    id="w",
    name="AGT1",
    type="AGENT",
    is_linked=True,
    is_running=True,
    limit=10,
    fence=5,
    host="agt1.example.com",
    run_number=1,
)
_PROMPT = Prompt(id="p", name="GO", number=7, text="Go on?", status="ASKED", type="Predefined Prompt")


@cache
def _objects(kind: type) -> st.SearchStrategy[Any]:
    """Objects with any values that the types of their fields admit, those within them too."""
    hints = get_type_hints(kind)
    return st.deferred(lambda: st.builds(kind, **{name: _values(hint) for name, hint in hints.items()}))


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) in {Union, UnionType}:
        return st.one_of(map(_values, get_args(hint)))
    if get_origin(hint) is tuple:
        return st.lists(_values(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) is frozenset:
        return st.frozensets(_values(get_args(hint)[0]), max_size=2)
    if is_dataclass(hint):
        return _objects(hint)
    return st.sampled_from(hint) if issubclass(hint, Enum) else _SIMPLE.get(hint, st.from_type(hint))


@given(st.one_of(map(_objects, _KINDS)))
def test_nothing_is_lost_on_the_way_through_the_database(each: PlanObject) -> None:
    row = encode(each)
    stored = json.dumps(json.loads(row.content))  # JSONB keeps neither white space nor the order of keys
    assert decode(row.kind, stored) == each


@pytest.mark.parametrize(
    ("each", "selection", "state"),
    [
        (make_job(canceled=True), "AGT_HR01#PAYDAILY.PAYROLL", ("ABEND", None, 50, True)),
        (make_stream(substatus="X"), "AGT_HR01#PAYDAILY", ("STUCK", "X", 10, False)),
        (_WORKSTATION, "AGT1", ("LINKED", "RUNNING", 5, False)),
        (replace(_WORKSTATION, is_linked=False), "AGT1", ("UNLINKED", "RUNNING", 5, False)),
        (replace(_WORKSTATION, is_ignored=True, is_running=False), "AGT1", ("IGNORED", "STOPPED", 5, False)),
        (
            Resource(id="r", name="TAPES", workstation="AGT1", quantity=3, available=-1),
            "AGT1#TAPES",
            ("-1/3", None, None, False),
        ),
        (_PROMPT, "GO", ("ASKED", None, None, False)),
        (replace(_PROMPT, name=""), "7", ("ASKED", None, None, False)),
        (replace(_PROMPT, name="", number=None), "p", ("ASKED", None, None, False)),
    ],
)
def test_each_kind_has_a_selection_and_a_state(
    each: PlanObject, selection: str, state: tuple[object, ...]
) -> None:
    row = encode(each)
    assert (row.selection, (row.status, row.substatus, row.priority, row.canceled)) == (selection, state)


def test_json_of_something_else_is_refused() -> None:
    with pytest.raises(ValidationError):
        decode("job", '{"id": "job-1"}')


def test_what_the_database_refuses_in_a_text_is_not_taken_from_the_engine() -> None:
    told = {"id": "p", "text": "Go\0on?", "statusConditions": ["SU\0CC"]}
    assert (
        encode(read_prompt(Fields(told))).content
        == encode(read_prompt(Fields(told | {"text": "Goon?"}))).content
    )
    assert read_dependency(Fields(told)).conditions == ("SUCC",)
