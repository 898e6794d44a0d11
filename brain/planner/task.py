"""A request of several parts as a tree of tasks; which of them may begin, and what is missing at the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from brain.agents.grammar import Request
from brain.state import Draft

State: TypeAlias = Literal["waiting", "parted", "done", "failed", "skipped"]
"""`parted`: its own tasks do the work. `skipped`: a budget was used up before it began."""
Tasks: TypeAlias = Mapping[str, "Task"]
"""By id."""
ROOT = "1"
_OVER = frozenset({"done", "failed", "skipped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One part of a request."""

    id: str
    """`1` is the whole; `1.2` is the second part of it."""
    title: str
    """What is to be found out, as the person reads it."""
    request: Request
    words: str = ""
    """As the person typed it; empty for a step of a plan."""
    plan: str = ""
    """Name of the plan in the catalogue that says its parts."""
    needs: str = ""
    """Id of the task that has to be over before; what is spoken of there is spoken of here."""
    each_of: bool = False
    """One part for each object that the task of `needs` found."""
    state: State = "waiting"
    draft: Draft | None = None
    problem: str = ""
    """Why it failed or was skipped, in the person's language; of one that asked back `draft` is its question."""
    instead_of: str = ""
    """Id of the failed task that it stands in for."""

    @property
    def depth(self) -> int:
        """0 for the whole."""
        return self.id.count(".")

    @property
    def is_over(self) -> bool:
        """Whether nothing will change about it."""
        return self.state in _OVER


def parts_of(tasks: Tasks, parent: Task) -> list[Task]:
    """The parts, in order."""
    mine = (one for one in tasks.values() if one.id.rpartition(".")[0] == parent.id)
    return sorted(mine, key=_place)


def in_order(tasks: Tasks) -> list[Task]:
    """All tasks, each before its parts."""
    return sorted(tasks.values(), key=_place)


def ready(tasks: Tasks) -> list[Task]:
    """Those that may begin: what they need is over."""
    waiting = (one for one in in_order(tasks) if one.state == "waiting")
    return [one for one in waiting if not one.needs or tasks[one.needs].is_over]


def foldable(tasks: Tasks) -> list[Task]:
    """Those whose parts are all over."""
    parted = (one for one in in_order(tasks) if one.state == "parted")
    return [one for one in parted if all(part.is_over for part in parts_of(tasks, one))]


def missing(tasks: Tasks) -> list[Task]:
    """Failed and skipped ones that nothing stands in for, without those whose parts say it."""
    replaced = {one.instead_of for one in tasks.values() if one.state == "done"}
    wanting = [
        one for one in in_order(tasks) if one.state in {"failed", "skipped"} and one.id not in replaced
    ]
    return [one for one in wanting if not any(other.id.startswith(f"{one.id}.") for other in wanting)]


def numbered(parent: Task, count: int, taken: Iterable[Task] = ()) -> list[str]:
    """Ids for so many new parts."""
    first = sum(1 for _ in taken) + 1
    return [f"{parent.id}.{number}" for number in range(first, first + count)]


def _place(task: Task) -> tuple[int, ...]:
    return tuple(map(int, task.id.split(".")))
