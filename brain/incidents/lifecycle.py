"""The states of an incident, and what leads from one to the other. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

State: TypeAlias = Literal["open", "acknowledged", "mitigated", "resolved", "closed"]
Step: TypeAlias = Literal["acknowledge", "mitigate", "resolve", "close", "reopen"]

ACTIVE: Final[tuple[State, ...]] = ("open", "acknowledged", "mitigated")
"""States in which somebody still has to do something."""

_STEPS: Final[dict[Step, tuple[tuple[State, ...], State]]] = {
    "acknowledge": (("open",), "acknowledged"),
    # What was wrong is being repaired: the failed job runs again.
    "mitigate": (("open", "acknowledged"), "mitigated"),
    "resolve": (ACTIVE, "resolved"),
    "close": (("resolved",), "closed"),
    "reopen": (("mitigated", "resolved"), "open"),
}


def after(state: State, step: Step) -> State | None:
    """The state that the step leads to; None where it is not possible."""
    before, then = _STEPS[step]
    return then if state in before else None
