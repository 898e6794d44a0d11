"""Works off a request of several parts: part it, answer the parts side by side, put the answers together, look again.

The recursion is flat: one loop over a tree of tasks, so that budgets are counted in one place.
"""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from brain.agents.asked import Asked
from brain.llm.model import ModelUnavailableError
from brain.state import Draft, Memory
from brain.toolbox import NotPermittedError
from tws.errors import TwsError

from .gather import gathered
from .parting import instead, parts_for
from .settings import PlannerSettings
from .task import Task, Tasks, foldable, parts_of, ready

Answering: TypeAlias = Callable[[Asked, str], Awaitable[Draft]]
"""One specialist's answer to a request, with the words that it was read from."""
Dividing: TypeAlias = Callable[[Task, Asked], Awaitable[tuple[list[Task], int]]]
"""A model's parts of a task that the grammar does not understand, and the tokens that it took."""


class PlanState(TypedDict, total=False):
    """The tree and what was used of the budgets."""

    tasks: Annotated[dict[str, Task], operator.or_]
    calls: Annotated[int, operator.add]
    tokens: Annotated[int, operator.add]


class _One(PlanState):
    """What a task is given to work with: itself, and the state as it is."""

    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What the nodes of one request may use."""

    asked: Asked
    answer: Answering
    divide: Dividing | None
    deadline: float
    """By the monotonic clock."""


_Graph: TypeAlias = "CompiledStateGraph[PlanState, PlanContext, PlanState, PlanState]"


class Planner:
    """Compiled once; requests share nothing."""

    def __init__(self, settings: PlannerSettings) -> None:
        self._settings = settings
        self._graph = self._wire()

    async def work_off(
        self, whole: Task, asked: Asked, answer: Answering, divide: Dividing | None = None
    ) -> Tasks:
        """The tree with every task over. The rights are those of the person who asked; nothing is changed."""
        settings = self._settings
        context = PlanContext(
            asked=asked,
            answer=answer,
            divide=divide,
            deadline=time.monotonic() + settings.time_limit_seconds,
        )
        state = await self._graph.ainvoke(
            PlanState(tasks={whole.id: whole}, calls=0, tokens=0),
            {"recursion_limit": 4 * settings.max_tasks + 8, "max_concurrency": settings.at_once},
            context=context,
        )
        tasks: Tasks = state["tasks"]
        return tasks

    def _wire(self) -> _Graph:
        graph = StateGraph(PlanState, context_schema=PlanContext)
        graph.add_node("look", _look)
        graph.add_node("work", self._work)
        graph.add_node("fold", self._fold)
        graph.add_edge(START, "look")
        graph.add_conditional_edges("look", self._next, ["work", "fold", END])
        graph.add_edge("work", "look")
        graph.add_edge("fold", "look")
        return graph.compile(name="planner")

    async def _work(self, state: _One, runtime: Runtime[PlanContext]) -> PlanState:
        """Parts the task, or has it answered."""
        task, context = state["task"], runtime.context
        spent = self._used_up(state, context.deadline)
        if spent:
            return _kept(replace(task, state="skipped", problem=context.asked.say(f"budget_{spent}")))
        try:
            async with asyncio.timeout(context.deadline - time.monotonic()):
                return await self._parted(task, state["tasks"], context) or await _answered(
                    task, state, context
                )
        except TimeoutError:
            return _kept(replace(task, state="skipped", problem=context.asked.say("budget_time")))

    async def _parted(self, task: Task, tasks: Tasks, context: PlanContext) -> PlanState | None:
        """The parts of a task that has some, as far as the budgets let it."""
        if task.depth >= self._settings.max_depth:
            # A clause can be answered whole, a plan only in its parts.
            too_deep = replace(task, state="skipped", problem=context.asked.say("budget_depth"))
            return _kept(too_deep) if task.plan or task.each_of else None
        parts, tokens = parts_for(task, tasks, context.asked), 0
        if not parts and task.words and task.request.kind == "unknown" and context.divide is not None:
            parts, tokens = await context.divide(task, context.asked)
        if not parts:
            return _kept(replace(task, state="done")) if task.each_of else None
        left = max(0, self._settings.max_tasks - len(tasks))
        over = [
            replace(part, state="skipped", problem=context.asked.say("budget_tasks")) for part in parts[left:]
        ]
        return _kept(replace(task, state="parted"), *parts[:left], *over, tokens=tokens)

    def _used_up(self, state: PlanState, deadline: float) -> str:
        """The budget that lets no task begin any more; empty while all do."""
        settings = self._settings
        spent = {
            "time": time.monotonic() >= deadline,
            "calls": state["calls"] >= settings.max_calls,
            "tokens": state["tokens"] >= settings.max_tokens,
        }
        return next((name for name, is_spent in spent.items() if is_spent), "")

    def _next(self, state: PlanState) -> list[Send] | str:
        """What can be done now, side by side; never more than the calls that are left."""
        tasks = state["tasks"]
        left = max(1, self._settings.max_calls - state["calls"])
        for node, some in (("work", ready(tasks)[:left]), ("fold", foldable(tasks))):
            if some:
                return [Send(node, _One(**state, task=one)) for one in some]
        return END

    async def _fold(self, state: _One, runtime: Runtime[PlanContext]) -> PlanState:
        """Another way where a part failed, else the parts' answers as one."""
        task, context = state["task"], runtime.context
        parts = parts_of(state["tasks"], task)
        others = instead(task, parts, context.asked, datetime.now(UTC))
        if others:
            return _kept(*others)  # the task is folded again when they are over
        return _kept(replace(task, state="done", draft=gathered(task, parts, context.asked)))


def _look(state: PlanState) -> PlanState:  # noqa: ARG001  # LangGraph passes it by this name
    return PlanState()


async def _answered(task: Task, state: _One, context: PlanContext) -> PlanState:
    asked, before = context.asked, state["tasks"].get(task.needs)
    memory = before.draft.memory if before and before.draft else Memory()
    over = sum(each.is_over for each in state["tasks"].values())
    await asked.progress(asked.say("progress_task", done=over, total=len(state["tasks"]), title=task.title))
    mine = replace(asked, request=task.request, memory={**asked.memory, **memory}, progress=_unheard)
    try:
        draft = await context.answer(mine, task.words)
    except (TwsError, NotPermittedError, ModelUnavailableError) as error:
        return _kept(replace(task, state="failed", problem=str(error)), calls=1)
    done = replace(task, state="done", draft=draft)
    if draft.agent == "clarify":
        done = replace(done, state="failed", problem=asked.say("asks_back"))
    return _kept(done, calls=1, tokens=draft.tokens)


async def _unheard(_line: str) -> None:
    """The steps of the whole are told, not those of its parts."""


def _kept(*tasks: Task, calls: int = 0, tokens: int = 0) -> PlanState:
    return PlanState(tasks={task.id: task for task in tasks}, calls=calls, tokens=tokens)
