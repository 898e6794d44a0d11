"""Marks text from elsewhere as data, so that the model does not take it for instructions. Pure."""

import re

MAX_DATA_CHARS = 12_000
"""About 3,000 tokens: a job log's head and tail or a dozen passages, and six rounds still fit a small model."""

_HEAD_SHARE = 0.6
"""The head names what ran, the tail says how it ended; both are needed."""

_TAG = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)


def to_data_block(source: str, text: str, *, max_chars: int = MAX_DATA_CHARS) -> str:
    """The text between `<data source="…">` and `</data>`, which it cannot close or open itself.

    Longer text loses its middle, and says how many characters are missing.
    """
    return f'<data source="{_attribute(source)}">\n{_TAG.sub("&lt;", _cut(text, max_chars))}\n</data>'


def _cut(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    head = int(max_chars * _HEAD_SHARE)
    tail = max_chars - head
    return f"{text[:head]}\n[… {len(text) - max_chars} characters left out …]\n{text[len(text) - tail :]}"


def _attribute(source: str) -> str:
    return re.sub(r'[<>"\s]+', " ", source).strip()
