"""Reads conman commands that people type out of habit. Pure.

Only a text that is nothing but a command counts; `rerun` and the like are words of the grammar.
"""

import re
from dataclasses import dataclass

from tws.selection import Selection, SelectionError, parse

from .arguments import Arguments, argument
from .vocabulary import CONMAN, Command, Topic

_LINE = re.compile(
    r"""\s*(?:conman\s+)?["'`]?(?P<name>[a-z]{1,13})\b\s*(?P<rest>[^"'`\n]*)["'`]?\s*""", re.IGNORECASE
)
_SELECTS = re.compile(r"[#@]|[A-Z]\.[A-Z]|^=?[A-Z][A-Z0-9_-]+$|^\d+$")
"""What tells a selection from the next word of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCommand:
    """A command with what it selects."""

    command: Command
    selection: Selection | None
    topic: Topic | None
    arguments: Arguments


def read_command(text: str) -> TypedCommand | None:
    """The command that the whole text is; None for anything else."""
    line = _LINE.fullmatch(text)
    if line is None:
        return None
    for command in CONMAN.commands:
        if line["name"].lower() in command.names:
            found = re.fullmatch(
                rf"(?P<typed>.*?){command.options.pattern}", line["rest"].strip(), re.IGNORECASE
            )
            typed = found["typed"].partition("+")[0].strip() if found else ""
            if found is None or ((typed or command.action) and not _SELECTS.search(typed)):
                continue
            try:
                selection = parse(found["typed"]) if typed else None
            except SelectionError:
                return None
            given = {
                name: argument(value)
                for name, value in found.groupdict().items()
                if value and name != "typed"
            }
            topics = (
                topic for topic, pattern in CONMAN.qualifiers.items() if re.search(pattern, found["typed"])
            )
            return TypedCommand(
                command=command,
                selection=selection,
                topic=command.topic or (next(topics, None) if command.kind == "status" else None),
                arguments={**command.arguments, **given},
            )
    return None
