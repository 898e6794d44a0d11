"""The `mirror` section of the settings."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from tws.settings import Span


class MirrorSettings(BaseModel):
    """How often the plan is copied into the database, and how long what it was is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    enabled: bool = True
    """Whether this process may keep the copy of the plan; one process at a time does."""
    poll_interval: Span = timedelta(seconds=15)
    """Pause between two reads of what changed (seconds or ISO 8601)."""
    full_interval: Span = timedelta(minutes=30)
    """How often the whole plan is read (seconds or ISO 8601)."""
    history_days: int = Field(default=30, ge=1, le=400)
    """Days for which the states of the plan's objects are kept."""
    run_days: int = Field(default=90, ge=1, le=800)
    """Days for which ended runs, of which statistics are made, and past relations of objects are kept."""
