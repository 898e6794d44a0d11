"""The sub-commands of `/tws`: a table, and nothing that only code knows."""

from __future__ import annotations

from importlib import resources
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from brain.agents.language import fold, load
from brain.message import Locale


class SubCommand(BaseModel):
    """One row of `commands.yaml`, where the columns are explained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: frozenset[str]
    locale: Locale
    says: str
    is_private: bool = Field(default=False, alias="private")


SUB_COMMANDS: Final = load(resources.files(__package__) / "commands.yaml", tuple[SubCommand, ...])


def read_command(text: str, site: Locale) -> SubCommand | None:
    """The sub-command; None for a question. `site` is the language of who does not say which."""
    word = fold(text.strip()).rstrip("!.")
    found = [row for row in SUB_COMMANDS if word in row.words]
    return min(found, key=lambda row: row.locale is not site, default=None)
