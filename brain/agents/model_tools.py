"""The tools as a language model may call them, and what they brought to light.

Descriptions and argument names are prompt text. The model gets no tool that changes anything:
`propose_action` only stores a proposal, and is offered only when the person's own words asked for a change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brain.agents.action import answer_action
from brain.agents.asked import Asked
from brain.agents.evidence import cite_log, cite_passages
from brain.agents.grammar import Request, read_request
from brain.agents.offers import action_buttons
from brain.agents.readers import READERS
from brain.agents.resolve import Found, find_job
from brain.llm.loop import RunnableTool, ToolArgumentsError
from brain.llm.model import ToolSpec
from brain.reply import Button, Citation, to_plain
from brain.state import Draft, Memory
from tws.actions import Action
from tws.joblog import read_log
from tws.objects import Job

_TAIL_LINES = 40
"""Lines of a job log that the model sees after the decisive ones."""
_WINDOW_LINES = 200
"""Lines of a job log that the model sees where it asks for a part."""

_Arguments = TypeVar("_Arguments", bound=BaseModel)


@dataclass(slots=True)
class Evidence:
    """What the tools found during one answer; the reply shows it whatever the model says."""

    citations: list[Citation] = field(default_factory=list)
    degraded: set[str] = field(default_factory=set)
    card: Draft | None = None
    """Of a proposal."""
    buttons: tuple[Button, ...] = ()
    selection: str = ""
    """The job last spoken of."""
    told: list[str] = field(default_factory=list)
    """What the tools told the model, in order."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _WhichJob(_Strict):
    job: str = Field(max_length=200, description="Job name as in the plan, e.g. PAYROLL.")
    job_stream: str = Field(
        default="", max_length=200, description="Its job stream, if several jobs share the name."
    )


class _WhichLines(_WhichJob):
    first_line: int | None = Field(
        default=None, ge=1, description="Reads the log from this line instead, for at most 200 lines."
    )


class _Query(_Strict):
    query: str = Field(min_length=2, max_length=400, description="Keywords, message ids, job names.")


class _Question(_Strict):
    question: str = Field(
        min_length=3,
        max_length=300,
        description="One question in English or Portuguese, or a conman command that shows: 'status of PAYROLL', 'why "
        "has PAYROLL not started?', 'what happens if I cancel PAYROLL?', 'when will PAYROLL finish?', 'what is late?', "
        "'how did the plan look at 02:10?', 'what changed since 22:00?', 'list prompts', 'sj @#@.PAY@+state=abend', "
        "'who owns PAYROLL?', 'what depends on AGT01?', 'has PAYROLL failed before?', 'which failures have no runbook?'.",
    )


class _Change(_WhichJob):
    action: Action


@dataclass(frozen=True, slots=True)
class _Tool(Generic[_Arguments]):
    """A tool whose arguments are checked before it runs."""

    name: str
    description: str
    arguments: type[_Arguments]
    call: Callable[[_Arguments], Awaitable[str]]
    told: list[str]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name=self.name, description=self.description, json_schema=self.arguments.model_json_schema()
        )

    async def run(self, arguments: Mapping[str, Any]) -> str:
        try:
            checked = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ToolArgumentsError(str(error)) from None
        self.told.append(await self.call(checked))
        return self.told[-1]


def model_tools(asked: Asked, evidence: Evidence) -> tuple[RunnableTool, ...]:
    """The tools for this person and this question."""
    request, bench = asked.request, _Bench(asked, evidence)
    offered: list[RunnableTool] = [
        _Tool(
            "ask_plan",
            "Answers a question about the plan, worked out by its rules.",
            _Question,
            bench.ask,
            evidence.told,
        ),
        _Tool(
            "job_log",
            "Decisive lines and the end of the last run's log.",
            _WhichLines,
            bench.job_log,
            evidence.told,
        ),
        _Tool(
            "search_documents",
            "Searches manuals and runbooks; returns numbered passages.",
            _Query,
            bench.search,
            evidence.told,
        ),
    ]
    if request.kind == "action" and not request.negated and not request.hypothetical:
        description = (
            "Prepares a change for a person's approval. Nothing happens before somebody approves it."
        )
        offered.append(_Tool("propose_action", description, _Change, bench.propose, evidence.told))
    return tuple(offered)


class _Bench:
    """The tools' work; answers are lines of text for the model."""

    def __init__(self, asked: Asked, evidence: Evidence) -> None:
        self._asked = asked
        self._evidence = evidence

    async def ask(self, wanted: _Question) -> str:
        request = read_request(wanted.question, self._asked.locale)
        reader = READERS.get(request.kind)
        if reader is None:
            raise ToolArgumentsError("this is no question about the state of the plan")
        draft = await reader(replace(self._asked, request=request, memory=Memory()))
        self._evidence.buttons = draft.buttons
        self._evidence.selection = draft.memory.get("selection", self._evidence.selection)
        return "\n".join((to_plain(draft.blocks), *draft.memory.get("candidates", ())))

    async def job_log(self, wanted: _WhichLines) -> str:
        job = await self._find(wanted)
        run = job.last_run
        if run is None:
            return f"{job.selection} has not run yet."
        if wanted.first_line is not None:
            last_line = wanted.first_line + _WINDOW_LINES - 1
            window = await self._asked.tools.job_log_window(run.id, wanted.first_line, last_line)
            return window.text or f"The log has no line {wanted.first_line}."
        log = await self._asked.tools.job_log(run.id)
        findings = read_log(log.text, run.return_code)
        if findings.decisive:
            self._evidence.citations.append(cite_log(job, run, findings.decisive[0], self._asked.locale))
        decisive = [f"decisive line {line.number}: {line.text}" for line in findings.decisive]
        return "\n".join((*decisive, "end of the log:", *log.text.splitlines()[-_TAIL_LINES:]))

    async def search(self, wanted: _Query) -> str:
        result = await self._asked.tools.search(wanted.query)
        self._evidence.degraded |= set(result.degraded)
        if not result.answerable:
            return "No document answers this well enough."
        first = len(self._evidence.citations) + 1
        self._evidence.citations += cite_passages(result.passages, wanted.query)
        return "\n\n".join(
            f"[{number}] {passage.document_title}, {passage.location}:\n{passage.text}"
            for number, passage in enumerate(result.passages, first)
        )

    async def propose(self, wanted: _Change) -> str:
        if self._evidence.card is not None:
            raise ToolArgumentsError("one proposal at a time; it already waits for approval")
        wish = replace(
            self._asked.request,
            action=wanted.action,
            arguments=self._asked.request.arguments if wanted.action is self._asked.request.action else {},
            job=wanted.job,
            job_stream=wanted.job_stream or None,
            selection=None,
            further=(),
        )
        card = await answer_action(replace(self._asked, request=wish, memory=Memory()))
        if card.proposal is None:
            raise ToolArgumentsError(to_plain(card.blocks))
        self._evidence.card = card
        return "Proposed; it waits for approval. " + " ".join(card.proposal.consequences)

    async def _find(self, wanted: _WhichJob) -> Job:
        request = Request(kind="status", job=wanted.job, job_stream=wanted.job_stream or None)
        found = await find_job(replace(self._asked, request=request, memory=Memory()))
        if isinstance(found, Found):
            self._evidence.selection = found.target.selection
            self._evidence.buttons = action_buttons(self._asked.tools, found.target, self._asked.locale)
            return found.target
        offered = ", ".join(found.memory.get("candidates", [])) or "none"
        raise ToolArgumentsError(f"{wanted.job} names no single job; candidates: {offered}")
