"""Regular expressions that a site adds to what is masked, with a bound on what they cost. Pure.

`re` tries every way in which a text may match, and cannot be stopped: a pattern that could need very many of them on
some text is refused at start.
"""

from __future__ import annotations

import re

from security.personal_data import PERSONAL_DATA, Kind

LITERAL = "LITERAL"
"""Names text that looks like a placeholder and is none of ours."""
SECRET = "SECRET"  # noqa: S105  the word that stands for a secret
_RESERVED = frozenset({LITERAL, SECRET, *(kind.name for kind in PERSONAL_DATA)})

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,30}")
_MAX_CHARS = 200
_MAX_REPEATS = 100
_MAX_WAYS = 1000
"""At one place of the text; a job log has thousands of places."""
_PART = re.compile(
    r"(?P<refused>\\[1-9]|\(\?(?:P=|\(|[aiLmsux]*-))"
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:P<\w+>|<[=!]|[^)]*?[:=!>)])"
    r"|(?P<repeat>[*+]|\{(?P<least>\d*),?(?P<most>\d*)\})"
    r"|(?P<choice>[?|])|.",
    re.DOTALL,
)
"""One part of a regular expression that is known to be valid."""


def site_kind(name: str, pattern: str) -> Kind:
    """The kind of data that the site calls by the name. Raises ValueError, which says what is wrong."""
    named = f"llm.mask_patterns.{name}"
    if not _NAME.fullmatch(name) or name in _RESERVED:
        taken = ", ".join(sorted(_RESERVED))
        raise ValueError(
            f"{named}: the name must be at most 31 capital letters, digits and _, and none of {taken}"
        )
    if len(pattern) > _MAX_CHARS:
        raise ValueError(f"{named} is longer than {_MAX_CHARS} characters")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{named} is no regular expression: {error}") from None
    if compiled.search(""):
        raise ValueError(f"{named} matches the empty text")
    if complaint := _cost_complaint(pattern):
        raise ValueError(f"{named} {complaint}")
    return Kind(name, compiled)


def _cost_complaint(pattern: str) -> str:
    """Why the pattern may take too long, empty if it cannot."""
    ways, before = 1, ""
    for part in _PART.finditer(pattern):
        if part["refused"]:
            return f"uses {part['refused']}, which is not supported here"
        if part["choice"]:
            ways *= 2
        elif part["repeat"]:
            most = int(part["most"] or part["least"] or _MAX_REPEATS + 1)
            if ("," in part[0] and not part["most"]) or most > _MAX_REPEATS:
                return (
                    f"repeats without a limit: write {{1,40}} instead of * or +, at most {_MAX_REPEATS} times"
                )
            if before == ")":
                return "repeats a group: write it out"
            ways *= 1 + most - int(part["least"] or 0) if "," in part[0] else 1
        before = part[0]
    return f"can match in {ways} ways at one place, at most {_MAX_WAYS}" * (ways > _MAX_WAYS)
