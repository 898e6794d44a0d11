from __future__ import annotations

from datetime import UTC, datetime

from brain.agents.grammar import Request
from brain.planner.parting import instead, parts_for, whole
from brain.planner.task import ROOT, Task
from brain.state import Draft
from tests.support.asked import ASKED

_NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


def test_of_a_long_list_twelve_are_looked_at_and_the_rest_is_counted() -> None:
    found = tuple(f"A#S.J{number}" for number in range(20))
    listed = Task(
        id="1.1",
        title="What failed",
        request=Request(kind="status", topic="failed"),
        state="done",
        draft=Draft(agent="status", blocks=(), found=found, unlisted=280),
    )
    each = Task(id="1.2", title="Why", request=Request(kind="diagnosis"), needs="1.1", each_of=True)
    *parts, more = parts_for(each, {"1.1": listed, "1.2": each}, ASKED)
    assert [part.title for part in parts] == list(found[:12])
    assert (more.state, more.title) == ("skipped", "288 more")


def test_a_plan_is_found_in_the_only_question_beside_a_wish() -> None:
    root = whole("what failed and why, and prepare reruns for what failed with RC 8", ASKED)
    assert (root.id, root.plan) == (ROOT, "failures")


def test_another_way_is_found_once_and_not_for_what_asked_back() -> None:
    root = Task(id="1", title="all", request=ASKED.request)
    lost = Task(id="1.1", title="Why A", request=Request(kind="diagnosis", job="A"), state="failed")
    asking = Task(
        id="1.2",
        title="Why B",
        request=Request(kind="diagnosis", job="B"),
        state="failed",
        draft=Draft(agent="clarify", blocks=()),
    )
    (other,) = instead(root, [lost, asking], ASKED, _NOW)
    assert (other.id, other.instead_of) == ("1.3", "1.1")
    assert (other.request.topic, other.request.arguments, other.request.job) == ("then", {"at": "00:00"}, "A")
    assert instead(root, [lost, asking, other], ASKED, _NOW) == []
