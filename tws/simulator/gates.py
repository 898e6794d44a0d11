"""What keeps a job from starting: one list of gates, for the dispatcher and for whoever asks for the reasons.

`docs/engine-rules.md` says when each is closed; they come here in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from .plan import Join, Outside
from .runs import JobState, Node, StreamState
from .waits import FILE, PREDECESSOR, PROMPT, Wait

_OVERRIDES_LIMIT = 100
"""Priority `hi`; it and `go` (101) override the limit of a workstation, not that of a stream."""


class Gate(NamedTuple):
    """A closed gate."""

    cause: str
    owner: str
    """`job` or `stream`."""
    key: str = ""
    """Id of the workstation, stream or resource whose change may open it; empty for a gate that holds."""

    @property
    def status(self) -> str:
        """Of a job whose first closed gate this is."""
        if self.cause in DEAD:
            return "SUPPR"
        return "HOLD" if not self.key else "FENCE" if self.cause == "fence" else "READY"

    @property
    def substatus(self) -> str | None:
        """The same for its substatus."""
        return _SUBSTATUS.get(self.cause)


DEAD = ("suppressed", "until_passed", "stream_until_passed")
"""A job with one of them will not start."""
PROMPTS = ("prompt", "prompt_not_asked", "prompt_refused")
_PROMPT_CAUSES = {"ASKED": "prompt", "NOT_ASKED": "prompt_not_asked", "ANSWERED_NO": "prompt_refused"}
_PREDECESSORS = (
    *("predecessor_orphan", "predecessor_pending", "overlap", "internetwork", "join", "recovery_prompt"),
    *(
        "predecessor_failed",
        "predecessor_unconfirmed",
        "predecessor_suppressed",
        "predecessor_cancel_pending",
    ),
    "predecessor",
)
_SUBSTATUS = {
    "suppressed": "SUPPR_UNSATISFIED_DEPENDENCY",
    **dict.fromkeys(("held", "stream_held"), "HOLD_PRIORITY_ZERO"),
    **dict.fromkeys(_PREDECESSORS, "HOLD_WAITING_FOR_PREDECESSOR"),
    **dict.fromkeys(("time", "stream_time", "every"), "HOLD_WAITING_FOR_TIME"),
    **dict.fromkeys(PROMPTS, "HOLD_WAITING_FOR_PROMPT"),
    "file": "HOLD_WAITING_FOR_FILE",
    "workstation_ignored": "SUPPR_WORKSTATION_IGNORED",
    **dict.fromkeys(("workstation_unlinked", "workstation_stopped", "pool_empty"), "READY_WAITING_FOR_AGENT"),
    **dict.fromkeys(
        ("workstation_limit_zero", "workstation_limit", "stream_limit"), "READY_WAITING_FOR_LIMIT"
    ),
    "resource": "READY_WAITING_FOR_RESOURCES",
}


def closed(job: JobState) -> Iterator[Gate]:
    """Every closed gate of a job that is not launched."""
    if job.status == "INTRO":
        yield Gate("launching", "job")
    elif not job.is_unlaunched:
        return
    elif job.is_canceled:
        yield Gate("canceled", "job")
    elif job.stream.is_canceled:
        yield Gate("stream_canceled", "stream")
    else:
        is_held = False
        for gate in chain(_ends(job), holding(job)):
            is_held = True
            yield gate
        yield from _at_launch(job, is_held=is_held)


def holding(owner: Node) -> Iterator[Gate]:
    """The closed gates that hold a job, its stream's among them, or a stream."""
    nodes: list[Node] = [owner] if isinstance(owner, StreamState) else [owner, owner.stream]
    yield from (_gate(node, "held") for node in nodes if node.priority == 0)
    if isinstance(owner, JobState) and not owner.last.is_bound:
        return
    yield from _open(nodes, PREDECESSOR)
    for node in nodes:
        if node.is_early:
            is_repeated = isinstance(node, JobState) and node.last.rerun_type == "RERUN_EVERY"
            yield Gate("every", "job") if is_repeated else _gate(node, "time")
    yield from _open(nodes, PROMPT)
    yield from _open(nodes, FILE)


def _owner(node: Node) -> str:
    return "job" if isinstance(node, JobState) else "stream"


def _gate(node: Node, cause: str) -> Gate:
    return Gate(cause, "job") if isinstance(node, JobState) else Gate(f"stream_{cause}", "stream")


def _ends(job: JobState) -> Iterator[Gate]:
    """What ends the wait without a launch."""
    nodes: tuple[Node, ...] = (job, job.stream)
    if job.is_suppressed:
        yield Gate("suppressed", "job")
    for node in nodes if job.last.is_bound else ():
        if node.is_until_gone and node.plan.special.on_until == "doNotRun":
            yield _gate(node, "until_passed")
    yield from (Gate("cancel_pending", _owner(node)) for node in nodes if node.is_cancel_pending)


def _open(nodes: list[Node], family: int) -> Iterator[Gate]:
    for node in nodes:
        yield from (Gate(_cause(wait), _owner(node)) for wait in node.open if wait.family == family)


def _cause(wait: Wait) -> str:
    if wait.prompt:
        return _PROMPT_CAUSES[wait.prompt.status]
    if wait.family == FILE:
        return "file"
    if isinstance(wait.one, Join | Outside):
        return "join" if wait.members else "internetwork"
    target = wait.target
    if target is None:
        return "predecessor_pending" if wait.is_pending else "predecessor_orphan"
    if wait.is_overlap:
        return "overlap"
    if target.is_asking:
        return "recovery_prompt"
    if target.status in ("ABEND", "FAIL", "STUCK"):
        return "predecessor_failed"
    named = {"PEND": "predecessor_unconfirmed", "SUPPR": "predecessor_suppressed"}
    plain = "predecessor_cancel_pending" if target.is_cancel_pending else "predecessor"
    return named.get(target.status, plain)


def _at_launch(job: JobState, *, is_held: bool) -> Iterator[Gate]:
    """What passes by itself is a reason only once nothing holds the job."""
    stream = job.stream
    yield from (Gate(cause, "job", job.workstation.id) for cause in _at_workstation(job, is_held=is_held))
    if stream.limit is not None and (stream.limit == 0 or (stream.busy >= stream.limit and not is_held)):
        yield Gate("stream_limit", "stream", stream.plan.id)
    for node in (job, stream):
        for wait in node.needs:
            if (resource := wait.lacks(is_held=is_held)) is not None:
                yield Gate("resource", _owner(node), resource.id)


def _at_workstation(job: JobState, *, is_held: bool) -> Iterator[str]:
    place = job.workstation
    if place.fence and job.priority <= place.fence:
        yield "fence"
    if place.is_ignored:
        yield "workstation_ignored"
    if not place.is_up:
        yield "workstation_stopped" if place.is_linked else "workstation_unlinked"
    if place.members is not None and not any(member.is_up for member in place.members):
        yield "pool_empty"
    if job.priority < _OVERRIDES_LIMIT:
        if place.limit == 0:
            yield "workstation_limit_zero"
        elif place.busy >= place.limit and not is_held:
            yield "workstation_limit"
