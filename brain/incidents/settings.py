"""The `incidents` section of the settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from tws.settings import Span


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
