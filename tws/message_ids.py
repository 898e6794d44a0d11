"""The ids that the product's messages begin with, e.g. `AWSBIN076E`: pure.

Product and component letters, number, severity (I, W, E, S, T). Source: the vendor's message catalogue.
"""

from __future__ import annotations

import re

__all__ = ["find_ids"]

_ID = re.compile(r"\b(?:AWS|AWK|EQQ|EEW)[A-Z]{0,4}\d{3,4}[IWEST]\b")


def find_ids(text: str) -> tuple[str, ...]:
    """The ids in the text, in order of appearance, each once."""
    return tuple(dict.fromkeys(_ID.findall(text)))
