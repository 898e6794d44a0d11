"""Which engine a message is about, where there are several. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEFORE = r"(?:\b(?:on|at|in|em|no|na)\s+)"
"""What stands before the name of an engine in a sentence."""


def named_engine(text: str, names: Sequence[str]) -> tuple[str | None, str]:
    """The engine that the text names, None for none, and the text without that.

    Names count in any case, after a preposition (`what failed on TEST?`, `o que falhou no TEST?`) or in front
    (`TEST: what failed?`). With a single engine nothing is looked for: its name may be that of a job too.
    """
    if len(names) < 2:  # noqa: PLR2004  # one is no choice
        return None, text
    for name in names:
        found = re.search(rf"^\s*{re.escape(name)}\s*:\s*|{_BEFORE}{re.escape(name)}\b", text, re.IGNORECASE)
        if found:
            return name, f"{text[: found.start()].rstrip()}{text[found.end() :]}"
    return None, text
