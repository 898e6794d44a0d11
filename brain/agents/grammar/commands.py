"""Reads conman commands that people type out of habit. Pure.

Only a text that is nothing but a command counts; `rerun` and the like are words of the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .tokens import Selection, read_selection
from .vocabulary import CONMAN, Command, Topic

__all__ = ["TypedCommand", "read_command"]

_LINE = re.compile(
    r"""\s*(?:conman\s+)?["'`]?(?P<name>[a-z]{2,13})
    (?:\s+=?(?P<selection>[^;+~&\s("'`]*(?:\([^)\n]*\))?[^;+~&\s"'`]*)(?P<rest>[;+~&][^\s"'`]*)?)?
    ["'`]?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_SELECTS = re.compile(r"[#@]|[A-Z]\.[A-Z]|^[A-Z][A-Z0-9_]+$")
"""What tells a selection from the next word of a sentence."""

_BY_NAME = {name: command for command in CONMAN.commands for name in command.names}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCommand:
    """A command with what it selects."""

    command: Command
    selection: Selection
    topic: Topic | None
    wants_log: bool


def read_command(text: str) -> TypedCommand | None:
    """The command that the whole text is; None for anything else."""
    match = _LINE.fullmatch(text)
    command = _BY_NAME.get(match["name"].lower()) if match else None
    if match is None or command is None:
        return None
    typed, rest = match["selection"] or "", match["rest"] or ""
    if (typed or command.action) and not _SELECTS.search(typed):
        return None
    if not rest.endswith(command.argument):
        return None
    return TypedCommand(
        command=command,
        selection=_at_level(read_selection(typed), command),
        topic=next((topic for topic, pattern in CONMAN.qualifiers.items() if re.search(pattern, rest)), None),
        wants_log="stdlist" in rest,
    )


def _at_level(selection: Selection, command: Command) -> Selection:
    is_single = selection.job is not None and selection.job_stream is None and selection.workstation is None
    match command.level:
        case "job_stream" if is_single:
            return Selection(job_stream=selection.job)
        case "workstation" if is_single:
            return Selection(workstation=selection.job)
        case _:
            return selection
