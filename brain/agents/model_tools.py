"""The tools as a language model may call them, and what they brought to light.

Descriptions and argument names are prompt text. The model gets no tool that changes anything:
`propose_action` only stores a proposal, and is offered only when the person's own words asked for a change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brain.agents.action import answer_action
from brain.agents.asked import Asked
from brain.agents.evidence import cite_log, cite_passages
from brain.agents.grammar import NAMES, Request, read_request
from brain.agents.offers import action_buttons
from brain.agents.readers import READERS
from brain.agents.resolve import Found, find_job
from brain.claims import FOREIGN, Origin, Source, Told, is_trouble, names_source
from brain.grounding import stands_in
from brain.llm.loop import RunnableTool, ToolArgumentsError
from brain.llm.model import ToolSpec
from brain.reply import Button, Citation, Code, to_plain
from brain.state import Draft, Memory
from tws.actions import Action
from tws.joblog import read_log
from tws.objects import CommonStatus, Job

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
    told: list[Told] = field(default_factory=list)
    """What the tools told the model, in order."""
    lists: list[tuple[str, ...]] = field(default_factory=list)
    """The objects of each answer about several, as conman selects them."""
    asked_list: tuple[str, ...] = ()
    """The one that the person's own question is answered by."""
    origin: Origin | Source | Literal["person"] | None = None
    """Who named it."""
    failed: dict[str, Job] = field(default_factory=dict)
    """Jobs that were looked at and are in trouble, by selection."""


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
        return await self.call(checked)


def model_tools(asked: Asked, evidence: Evidence, words: str) -> tuple[RunnableTool, ...]:
    """The tools for this person and this question, which has these words."""
    request, bench = asked.request, _Bench(asked, evidence, words)
    offered: list[RunnableTool] = [
        _Tool(
            "ask_plan", "Answers a question about the plan, worked out by its rules.", _Question, bench.ask
        ),
        _Tool("job_log", "Decisive lines and the end of the last run's log.", _WhichLines, bench.job_log),
        _Tool(
            "search_documents",
            "Searches manuals and runbooks; returns numbered passages.",
            _Query,
            bench.search,
        ),
    ]
    if request.kind == "action" and not request.negated and not request.hypothetical:
        description = (
            "Prepares a change for a person's approval. Nothing happens before somebody approves it."
        )
        offered.append(_Tool("propose_action", description, _Change, bench.propose))
    return tuple(offered)


class _Bench:
    """The tools' work; answers are lines of text for the model."""

    def __init__(self, asked: Asked, evidence: Evidence, words: str) -> None:
        self._asked = asked
        self._evidence = evidence
        self._words = words

    async def ask(self, wanted: _Question) -> str:
        request = read_request(wanted.question, self._asked.locale)
        reader = READERS.get(request.kind)
        if reader is None:
            raise ToolArgumentsError("this is no question about the state of the plan")
        draft = await reader(replace(self._asked, request=request, memory=Memory()))
        self._evidence.buttons = draft.buttons
        self._evidence.selection = draft.memory.get("selection", self._evidence.selection)
        if len(draft.found) > 1:
            self._evidence.lists.append(draft.found)
        mine = self._asked.request
        if (request.kind, request.topic) == (mine.kind, mine.topic) and mine.topic:
            self._evidence.asked_list = draft.found
        await self._look(draft)
        # What a code block shows is a job log's.
        ours = tuple(block for block in draft.blocks if not isinstance(block, Code))
        quoted = [block for block in draft.blocks if isinstance(block, Code)]
        told = "\n".join((to_plain(ours), *draft.memory.get("candidates", ())))
        return "\n".join(
            (self._tell("plan", told), *(self._tell("job_log", to_plain((one,))) for one in quoted))
        )

    async def _look(self, draft: Draft) -> None:
        """Notes the job of an answer that tells of trouble, so that the reply says so whatever the model does."""
        if "selection" in draft.memory and is_trouble(to_plain(draft.blocks)):
            bare = Request(kind="status")
            found = await find_job(replace(self._asked, request=bare, memory=draft.memory))
            if isinstance(found, Found) and found.target.common_status is CommonStatus.ERROR:
                self._evidence.failed[found.target.selection] = found.target

    def _tell(self, origin: Origin, text: str) -> str:
        self._evidence.told.append(Told(origin, text))
        return text

    async def job_log(self, wanted: _WhichLines) -> str:
        job = await self._find(wanted)
        run = job.last_run
        if run is None:
            return self._tell("plan", f"{job.selection} has not run yet.")
        if job.common_status is CommonStatus.ERROR:
            self._evidence.failed[job.selection] = job
        state = self._tell("plan", f"{job.selection} is in {job.status}, return code {run.return_code}.")
        if wanted.first_line is not None:
            last_line = wanted.first_line + _WINDOW_LINES - 1
            window = await self._asked.tools.job_log_window(run.id, wanted.first_line, last_line)
            return self._tell("job_log", window.text) or f"The log has no line {wanted.first_line}."
        log = await self._asked.tools.job_log(run.id)
        findings = read_log(log.text, run.return_code)
        if findings.decisive:
            self._evidence.citations.append(cite_log(job, run, findings.decisive[0], self._asked.locale))
        decisive = [f"decisive line {line.number}: {line.text}" for line in findings.decisive]
        lines = (*decisive, "end of the log:", *log.text.splitlines()[-_TAIL_LINES:])
        return "\n".join((state, self._tell("job_log", "\n".join(lines))))

    async def search(self, wanted: _Query) -> str:
        result = await self._asked.tools.search(wanted.query)
        self._evidence.degraded |= set(result.degraded)
        if not result.answerable:
            return self._tell("document", "No document answers this well enough.")
        first = len(self._evidence.citations) + 1
        self._evidence.citations += cite_passages(result.passages, wanted.query)
        passages = [
            f"[{number}] {passage.document_title}, {passage.location}:\n{passage.text}"
            for number, passage in enumerate(result.passages, first)
        ]
        return self._tell("document", "\n\n".join(passages))

    async def propose(self, wanted: _Change) -> str:
        if self._evidence.card is not None:
            raise ToolArgumentsError("one proposal at a time; it already waits for approval")
        request = self._asked.request
        if wanted.action is not request.action:
            raise ToolArgumentsError(f"the person asked for {request.action}, not for {wanted.action}")
        card = await answer_action(self._wish(wanted))
        if card.proposal is None:
            raise ToolArgumentsError(to_plain(card.blocks))
        self._evidence.card = card
        told = "Proposed; it waits for approval. " + " ".join(card.proposal.consequences)
        return self._tell("plan", told)

    def _wish(self, wanted: _Change) -> Asked:
        """The person's wish, of which the model fills in only what the person left open."""
        request, memory, name = self._asked.request, self._asked.memory, wanted.job.upper()
        points = names_source(self._words)
        spoken_of = memory.get("selection", "").rpartition(".")[2].rpartition("#")[2]
        named = next(filter(None, (getattr(request, role) for role in NAMES)), None)
        own = named or ("" if points else spoken_of)
        if own and name == own.upper():
            return replace(self._asked, request=replace(request, further=()))
        if name in map(str.upper, request.further):
            wish = replace(request, job=name, job_stream=None, selection=None, further=())
            return replace(self._asked, request=wish, memory=Memory())
        origin = self._origin(wanted.job)
        if own or origin is None or (origin in FOREIGN and not points):
            raise ToolArgumentsError(f"the person did not name {wanted.job}")
        wish = replace(request, job=wanted.job, job_stream=wanted.job_stream or None)
        known = Memory() if origin in {"plan", "person"} else Memory(origin=cast("Source", origin))
        return replace(self._asked, request=wish, memory=known)

    def _origin(self, name: str) -> Origin | Source | Literal["person"] | None:
        """Who named it first, the person before all others; None where nobody did.

        What the plan says of a name comes too late where a log named it: the model asked for it then.
        """
        memory = self._asked.memory
        if stands_in(name, self._words):
            return "person"
        if stands_in(name, memory.get("selection", "")):
            return memory.get("origin", "person")
        return next((told.origin for told in self._evidence.told if stands_in(name, told.text)), None)

    async def _find(self, wanted: _WhichJob) -> Job:
        request = Request(kind="status", job=wanted.job, job_stream=wanted.job_stream or None)
        found = await find_job(replace(self._asked, request=request, memory=Memory()))
        if isinstance(found, Found):
            self._evidence.selection = found.target.selection
            self._evidence.origin = self._origin(wanted.job)
            self._evidence.buttons = action_buttons(self._asked.tools, found.target, self._asked.locale)
            return found.target
        offered = ", ".join(found.memory.get("candidates", [])) or "none"
        raise ToolArgumentsError(f"{wanted.job} names no single job; candidates: {offered}")
