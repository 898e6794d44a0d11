"""Which action is legal in which status: the table of the vendor's User's Guide, job actions only."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["LEGAL", "Action", "may_apply"]


class Action(StrEnum):
    """Actions on a job; the values are the verbs of the REST paths."""

    RERUN = "rerun"
    KILL = "kill"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"
    CONFIRM_SUCC = "confirm-succ"


_WAITING = {"ADD", "HOLD", "SCHED", "WAIT"}
_LAUNCHED = {"INTRO", "EXEC", "SUCCP", "ABENP"}
_RERUNNABLE = {"SUCC", "ABEND", "FAIL", "DONE", "SUPPR", "CANCL", "CANCLP", "ERROR"}

LEGAL: dict[Action, frozenset[str]] = {
    Action.RERUN: frozenset(_RERUNNABLE),
    Action.KILL: frozenset({"EXEC", "SUCCP", "ABENP"}),
    Action.HOLD: frozenset(_WAITING | {"READY", "FENCE"}),
    Action.RELEASE: frozenset(_WAITING | {"CANCLP"}),
    Action.CANCEL: frozenset(
        _WAITING | _LAUNCHED | (_RERUNNABLE - {"CANCL"}) | {"READY", "FENCE", "PEND", "EXTRN"}
    ),
    Action.CONFIRM_SUCC: frozenset({"EXEC", "PEND", "ABENP", "ABEND", "DONE", "SUPPR", "EXTRN", "ERROR"}),
}
"""The statuses an action is accepted in; a cancelled job that does not run counts as `CANCL`."""


def may_apply(action: Action, status: str) -> bool:
    """Whether the engine accepts the action in that status."""
    return status in LEGAL[action]
