"""Settings of changes to TWS."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from brain.actions.policy import Action

__all__ = ["ActionSettings"]


class ActionSettings(BaseModel):
    """Who must approve, and for how long an approval may be given."""

    second_person: frozenset[Action] = Field(
        default=frozenset({Action.CANCEL}),
        description="Actions that somebody other than the requester must approve, as a JSON list.",
    )
    proposal_lifetime: timedelta = Field(
        default=timedelta(minutes=15),
        description="How long a proposal can be approved (ISO 8601, e.g. PT15M).",
    )
