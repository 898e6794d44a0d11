"""The `mirror` section of the settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from tws.settings import Span

__all__ = ["MirrorSettings"]


class MirrorSettings(BaseModel):
    """How often the plan is copied into the database, and how long what it was is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=True,
        description="Whether this process may keep the copy of the plan; one process at a time does.",
    )
    poll_interval: Span = Field(
        default=timedelta(seconds=15),
        description="Pause between two reads of what changed (seconds or ISO 8601).",
    )
    full_interval: Span = Field(
        default=timedelta(minutes=30), description="How often the whole plan is read (seconds or ISO 8601)."
    )
    history_days: int = Field(
        default=30, ge=1, le=400, description="Days for which the states of the plan's objects are kept."
    )
    run_days: int = Field(
        default=90,
        ge=1,
        le=800,
        description="Days for which ended runs are kept; statistics are made of them.",
    )
