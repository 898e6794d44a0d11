"""Settings of turns."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from brain.message import Locale

__all__ = ["TurnSettings"]


class TurnSettings(BaseModel):
    """How turns are worked off."""

    locale: Locale = Field(
        default=Locale.EN, description="Language of answers when nothing else tells: `en` or `pt`."
    )
    concurrency: int = Field(default=16, ge=2, le=200, description="Turns that one process runs at a time.")
    deadline: timedelta = Field(
        default=timedelta(seconds=120), description="Longest time for one answer (ISO 8601, e.g. PT2M)."
    )
    drain: timedelta = Field(
        default=timedelta(seconds=20),
        description="How long a shutdown waits for running turns (ISO 8601); others finish what is left.",
    )
    timezone: str = Field(
        default="UTC", description="IANA zone in which times are shown, e.g. America/Sao_Paulo."
    )
