"""Settings of turns."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from brain.message import Locale


class TurnSettings(BaseModel):
    """How turns are worked off."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    locale: Locale = Locale.EN
    """Language of answers when nothing else tells: `en` or `pt`."""
    concurrency: int = Field(default=16, ge=2, le=200)
    """Turns that one process runs at a time."""
    deadline: timedelta = timedelta(seconds=120)
    """Longest time for one answer (ISO 8601, e.g. PT2M)."""
    drain: timedelta = timedelta(seconds=20)
    """How long a shutdown waits for running turns (ISO 8601); others finish what is left."""
    timezone: str = "UTC"
    """IANA zone in which times are shown, e.g. America/Sao_Paulo."""
