"""Lets a model say what a request is made of, where the grammar cannot; the plan is checked before it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brain.agents.asked import Asked
from brain.agents.grammar import read_request
from brain.llm.loop import ToolArgumentsError, ToolLoop
from brain.llm.model import ModelUnavailableError, ToolSpec
from brain.llm.prompt import load_prompt

from .task import Task, numbered

_MOST = 8


class _Subtask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=3, max_length=300, description="One question that stands alone.")
    after: int = Field(
        default=0, ge=0, description="Number of the subtask that it needs, counted from 1; 0: none."
    )


class _Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subtasks: list[_Subtask] = Field(
        max_length=_MOST, description="In order; empty where one specialist can answer the request as it is."
    )


class _PlanTool:
    """The only tool that the model has: it keeps the plan."""

    spec = ToolSpec(
        name="plan",
        description="Says which questions have to be answered for the request.",
        json_schema=_Plan.model_json_schema(),
    )

    def __init__(self) -> None:
        self.subtasks: Sequence[_Subtask] = ()

    async def run(self, arguments: Mapping[str, Any]) -> str:
        try:
            plan = _Plan.model_validate(arguments)
        except ValidationError as error:
            raise ToolArgumentsError(str(error)) from None
        for number, subtask in enumerate(plan.subtasks, 1):
            if subtask.after >= number:
                raise ToolArgumentsError(f"subtask {number} can only come after one before it")
        self.subtasks = plan.subtasks
        return "The plan is kept. Say: done."


async def divide(loop: ToolLoop, task: Task, asked: Asked) -> tuple[list[Task], int]:
    """The model's parts of the task, none where it is one question or the model is away; and its tokens."""
    tool = _PlanTool()
    try:
        result = await loop.run(load_prompt("planner").text, (), task.words, [tool], _ignore, _ignore)
    except ModelUnavailableError:
        # A plan that was kept before the model failed is as good.
        tokens = 0
    else:
        tokens = result.tokens
    if len(tool.subtasks) <= 1:
        return [], tokens
    ids = numbered(task, len(tool.subtasks))
    parts = [
        Task(
            id=id_,
            title=subtask.question.rstrip("?"),
            request=read_request(subtask.question, asked.locale),
            words=subtask.question,
            needs=ids[subtask.after - 1] if subtask.after else "",
        )
        for id_, subtask in zip(ids, tool.subtasks, strict=True)
    ]
    # A change is asked for by the person's own words: what a model makes of them proposes nothing.
    return [part for part in parts if part.request.kind != "action"], tokens


async def _ignore(_text: str) -> None:
    """What the model says beside its plan is shown to nobody."""
