"""Actions on jobs: which there are, in which status each is legal, and the order for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Action", "Order", "may_apply"]


class Action(StrEnum):
    """Actions on a job; the values are the verbs of the REST paths."""

    RERUN = "rerun"
    KILL = "kill"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"
    CONFIRM_SUCC = "confirm-succ"

    @property
    def access(self) -> str:
        """The keyword of the Security file that it needs."""
        return {Action.HOLD: "ALTPRI", Action.CONFIRM_SUCC: "CONFIRM"}.get(self, self.name)


_WAITING = {"ADD", "HOLD", "SCHED", "WAIT"}
_LAUNCHED = {"INTRO", "EXEC", "SUCCP", "ABENP"}
_RERUNNABLE = {"SUCC", "ABEND", "FAIL", "DONE", "SUPPR", "CANCL", "CANCLP", "ERROR"}
_LEGAL = {
    Action.RERUN: _RERUNNABLE,
    Action.KILL: {"EXEC", "SUCCP", "ABENP"},
    Action.HOLD: _WAITING | {"READY", "FENCE"},
    Action.RELEASE: _WAITING | {"CANCLP"},
    Action.CANCEL: _WAITING | _LAUNCHED | _RERUNNABLE - {"CANCL"} | {"READY", "FENCE", "PEND", "EXTRN"},
    Action.CONFIRM_SUCC: {"EXEC", "PEND", "ABENP", "ABEND", "DONE", "SUPPR", "EXTRN", "ERROR"},
}
"""The table of the vendor's User's Guide; a cancelled job that does not run counts as `CANCL`."""


def may_apply(action: Action, status: str) -> bool:
    """Whether the engine accepts the action in that status."""
    return status in _LEGAL[action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One accepted action. Times are simulated."""

    at: datetime
    applies_at: datetime
    """When the plan shows it: the answer comes first, batchman works later."""
    user: str
    action: Action
    job_id: str
    job: str
    """`workstation#stream.job`, for readers of the journal."""
    run_id: str | None
    justification: dict[str, str]
    """`description`, `category`, `ticket`, where the caller sent them."""
