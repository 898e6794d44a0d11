"""The tools as a language model may call them, and what they brought to light.

Descriptions and argument names are prompt text. The model gets no tool that changes anything:
`propose_action` only stores a proposal, and is offered only when the person's own words asked for a change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brain.actions.policy import Action, is_legal, legal_actions
from brain.actions.proposal import Proposal
from brain.agents.evidence import cite_log, cite_passages
from brain.agents.grammar import Request
from brain.agents.resolve import Found, find_job
from brain.llm.loop import RunnableTool, ToolArgumentsError
from brain.llm.model import ToolSpec
from brain.message import Locale
from brain.reply import Citation
from brain.state import Memory
from brain.toolbox import NotPermittedError, Toolbox
from tws.joblog import read_log
from tws.objects import CommonStatus, Job, JobFilter

__all__ = ["Evidence", "model_tools"]

_TAIL_LINES = 40
"""Lines of a job log that the model sees after the decisive ones."""

_Arguments = TypeVar("_Arguments", bound=BaseModel)


@dataclass(slots=True)
class Evidence:
    """What the tools found during one answer; the reply shows it whatever the model says."""

    citations: list[Citation] = field(default_factory=list)
    degraded: set[str] = field(default_factory=set)
    proposal: Proposal | None = None
    job: Job | None = None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _WhichJob(_Strict):
    job: str = Field(max_length=200, description="Job name as in the plan, e.g. PAYROLL.")
    job_stream: str = Field(
        default="", max_length=200, description="Its job stream, if several jobs share the name."
    )


class _WhichJobs(_Strict):
    name: str = Field(default="", max_length=200, description="Name; @ stands for any characters.")
    job_stream: str = Field(default="", max_length=200)
    status: CommonStatus | None = Field(default=None, description="ERROR means failed.")
    limit: int = Field(default=20, ge=1, le=50)


class _Query(_Strict):
    query: str = Field(min_length=2, max_length=400, description="Keywords, message ids, job names.")


class _Nothing(_Strict):
    pass


class _Change(_WhichJob):
    action: Literal["rerun", "hold", "release", "cancel"]


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


def model_tools(
    tools: Toolbox, request: Request, locale: Locale, evidence: Evidence
) -> tuple[RunnableTool, ...]:
    """The tools for this person and this question."""
    bench = _Bench(tools, locale, evidence)
    offered: list[RunnableTool] = [
        _Tool("query_jobs", "Lists jobs of the live plan.", _WhichJobs, bench.query_jobs),
        _Tool("job_details", "One job: runs, times, what it waits for.", _WhichJob, bench.job_details),
        _Tool("job_log", "Decisive lines and the end of the last run's log.", _WhichJob, bench.job_log),
        _Tool("successors", "What waits for a job.", _WhichJob, bench.successors),
        _Tool(
            "workstations", "All workstations: linked, running, limit, fence.", _Nothing, bench.workstations
        ),
        _Tool(
            "search_documents",
            "Searches manuals and runbooks; returns numbered passages.",
            _Query,
            bench.search,
        ),
    ]
    if request.kind == "action" and not request.negated and not request.hypothetical:
        offered.append(
            _Tool(
                "propose_action",
                "Prepares a change for a person's approval. Nothing happens before somebody approves it.",
                _Change,
                bench.propose,
            )
        )
    return tuple(offered)


class _Bench:
    """The tools' work; answers are lines of text for the model."""

    def __init__(self, tools: Toolbox, locale: Locale, evidence: Evidence) -> None:
        self._tools = tools
        self._locale = locale
        self._evidence = evidence

    async def query_jobs(self, wanted: _WhichJobs) -> str:
        page = await self._tools.query_jobs(
            JobFilter(
                name=wanted.name.upper() or None,
                job_stream=wanted.job_stream.upper() or None,
                common_statuses=(wanted.status,) if wanted.status else (),
                limit=wanted.limit,
            )
        )
        return "\n".join((f"{page.total} jobs match.", *(_line(job) for job in page.jobs)))

    async def job_details(self, wanted: _WhichJob) -> str:
        job = await self._find(wanted)
        lines = [_line(job), f"allowed now: {', '.join(legal_actions(job)) or 'nothing'}"]
        lines += [
            f"run {run.attempt}: {run.status} rc={run.return_code} {run.started_at} to {run.ended_at}"
            for run in job.runs
        ]
        lines += [
            f"waits for {item.type} {item.target} (predecessor {item.predecessor_status})"
            for item in job.dependencies
            if not item.satisfied
        ]
        return "\n".join(lines)

    async def job_log(self, wanted: _WhichJob) -> str:
        job = await self._find(wanted)
        run = job.last_run
        if run is None:
            return f"{job.selection} has not run yet."
        log = await self._tools.job_log(run.id)
        findings = read_log(log.text, run.return_code)
        if findings.decisive:
            self._evidence.citations.append(cite_log(job, run, findings.decisive[0], self._locale))
        decisive = [f"decisive line {line.number}: {line.text}" for line in findings.decisive]
        return "\n".join((*decisive, "end of the log:", *log.text.splitlines()[-_TAIL_LINES:]))

    async def successors(self, wanted: _WhichJob) -> str:
        nodes = await self._tools.successors((await self._find(wanted)).id)
        return "\n".join(f"{node.selection} {node.status}" for node in nodes) or "none"

    async def workstations(self, _: _Nothing) -> str:
        return "\n".join(
            f"{one.name} {one.type} linked={one.is_linked} running={one.is_running} limit={one.limit}"
            f" fence={one.fence}"
            for one in await self._tools.workstations()
        )

    async def search(self, wanted: _Query) -> str:
        result = await self._tools.search(wanted.query)
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
        if self._evidence.proposal is not None:
            raise ToolArgumentsError("one proposal at a time; it already waits for approval")
        job = await self._find(wanted)
        action = Action(wanted.action)
        if not self._tools.may_write:
            raise ToolArgumentsError("this installation is read-only")
        if not is_legal(action, job):
            raise ToolArgumentsError(f"{action} is not possible while {job.selection} is in {job.status}")
        try:
            proposal = await self._tools.propose(action, job, self._locale)
        except NotPermittedError:
            raise ToolArgumentsError("the person's role does not allow changes") from None
        self._evidence.proposal = proposal
        return "Proposed; it waits for approval. " + " ".join(proposal.consequences)

    async def _find(self, wanted: _WhichJob) -> Job:
        request = Request(
            kind="status", locale=self._locale, job=wanted.job, job_stream=wanted.job_stream or None
        )
        found = await find_job(self._tools, request, Memory(), self._locale)
        if isinstance(found, Found):
            self._evidence.job = found.job
            return found.job
        offered = ", ".join(found.memory.get("candidates", [])) or "none"
        raise ToolArgumentsError(f"{wanted.job} names no single job; candidates: {offered}")


def _line(job: Job) -> str:
    run = job.last_run
    return_code = "" if run is None or run.return_code is None else f" rc={run.return_code}"
    late = " late" if job.is_late else ""
    return (
        f"{job.selection} on {job.workstation}: {job.status}{return_code}{late} {job.substatus or ''}".strip()
    )
