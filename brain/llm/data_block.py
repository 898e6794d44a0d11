"""Marks text from elsewhere as data, so that the model does not take it for instructions. Pure."""

import re
from collections.abc import Callable

from tws.joblog import read_log

MAX_DATA_CHARS = 12_000
"""About 3,000 tokens: a job log's head and tail or a dozen passages, and six rounds still fit a small model."""

_SHORT_CHARS = 2_000
"""About 500 tokens: what a small model can still read after a few tools."""

_LONGEST_LINE = 500
"""Longer ones are cut inside."""

_HEAD_SHARE = 0.6
"""The head names what ran, the tail says how it ended; both are needed."""

_BLOCK = re.compile(r'(<data source="[^"\n]*">\n)(.*?)(\n</data>)', re.DOTALL)

_TAG = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)


def to_data_block(source: str, text: str, *, max_chars: int = MAX_DATA_CHARS) -> str:
    """The text between `<data source="…">` and `</data>`, which it cannot close or open itself.

    Longer text loses its middle, and says how many characters are missing.
    """
    return f'<data source="{_attribute(source)}">\n{_TAG.sub("&lt;", _cut(text, max_chars))}\n</data>'


def shorten_data(text: str) -> str:
    """The text with less in its data blocks: head and tail of each, and the lines between that tell of an error."""
    return _BLOCK.sub(lambda block: block[1] + _cut(block[2], _SHORT_CHARS, _telling_lines) + block[3], text)


def _cut(text: str, max_chars: int, pick: Callable[[str], str] = lambda _: "") -> str:
    """Head, tail and what is picked of the rest, which comes on top of the bound."""
    if len(text) <= max_chars:
        return text
    middle = int(max_chars * _HEAD_SHARE)
    rest = len(text) - max_chars + middle
    # Half a line may be half a secret or half an address, which no mask would know.
    head = text.rfind("\n", max(middle - _LONGEST_LINE, 0), middle)
    tail = text.find("\n", rest, rest + _LONGEST_LINE)
    head, tail = middle if head < 0 else head, rest if tail < 0 else tail + 1
    gap = f"[… {tail - head} characters left out …]"
    return f"{text[:head]}\n{gap}\n{pick(text[head:tail])}{text[tail:]}"


def _telling_lines(text: str) -> str:
    found = sorted(read_log(text).decisive, key=lambda line: line.number)
    return "".join(f"{line.text}\n" for line in found)


def _attribute(source: str) -> str:
    return re.sub(r'[<>"\s]+', " ", source).strip()
