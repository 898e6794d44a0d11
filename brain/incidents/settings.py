"""The `incidents` section of the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

from tws.settings import Span

TimeOfDay: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class IncidentSettings(BaseModel):
    """When troubles are one incident, and who is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    notify: tuple[str, ...] = ()
    """Where cards of all incidents are posted, e.g. slack:T123:C456 or teams:TENANT:CONVERSATION, besides
    the targets of the sources that reported it."""
    reopen_within: Span = timedelta(minutes=30)
    """A trouble that comes back so soon opens its incident again (seconds or ISO 8601)."""
    patience: Span = timedelta(seconds=45)
    """How long an alert waits for a plan that was read after it, before it counts as unfounded (seconds or ISO 8601)."""
    handover_at: tuple[TimeOfDay, ...] = ()
    """When shifts end, e.g. ["06:00", "14:00", "22:00"] in `RESYNC_TURNS__TIMEZONE`: what happened since the time before
    is then posted where `notify` says."""
