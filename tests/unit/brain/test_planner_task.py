from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from brain.agents.grammar import Request
from brain.planner.task import Task, foldable, in_order, missing, numbered, parts_of, ready

_REQUEST = Request(kind="status")


def _task(id_: str, **fields: object) -> Task:
    return replace(Task(id=id_, title=id_, request=_REQUEST), **fields)  # type: ignore[arg-type]


def _tree(*tasks: Task) -> dict[str, Task]:
    return {task.id: task for task in tasks}


def test_a_task_waits_for_the_one_that_it_needs() -> None:
    tasks = _tree(_task("1", state="parted"), _task("1.1"), _task("1.2", needs="1.1"))
    assert [task.id for task in ready(tasks)] == ["1.1"]
    tasks["1.1"] = replace(tasks["1.1"], state="failed")
    assert [task.id for task in ready(tasks)] == ["1.2"]


def test_a_task_is_folded_when_all_its_parts_are_over() -> None:
    tasks = _tree(_task("1", state="parted"), _task("1.1", state="done"), _task("1.2"))
    assert foldable(tasks) == []
    tasks["1.2"] = replace(tasks["1.2"], state="skipped")
    assert [task.id for task in foldable(tasks)] == ["1"]


def test_parts_are_in_the_order_of_their_numbers() -> None:
    tasks = _tree(*(_task(f"1.{number}") for number in (10, 2, 1)), _task("1"), _task("1.2.1"))
    assert [task.id for task in parts_of(tasks, tasks["1"])] == ["1.1", "1.2", "1.10"]
    assert [task.id for task in in_order(tasks)] == ["1", "1.1", "1.2", "1.2.1", "1.10"]


def test_what_something_stood_in_for_is_not_missing() -> None:
    tasks = _tree(
        _task("1", state="done"),
        _task("1.1", state="failed"),
        _task("1.2", state="failed"),
        _task("1.3", state="done", instead_of="1.1"),
    )
    assert [task.id for task in missing(tasks)] == ["1.2"]


@given(st.integers(0, 5), st.integers(1, 5))
def test_new_parts_get_numbers_that_nobody_has(taken: int, count: int) -> None:
    parent = _task("1.3")
    old = [_task(f"1.3.{number}") for number in range(1, taken + 1)]
    new = numbered(parent, count, old)
    assert len({*new, *(task.id for task in old)}) == taken + count
