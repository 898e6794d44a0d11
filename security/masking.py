"""Takes secrets out of anything that is to be logged, shown or sent elsewhere."""

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict, WrappedLogger

_MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|senha|secret|token|authorization|api[-_ ]?key|private[-_ ]?key|"
    r"access[-_ ]?key|cookie|credential"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)

# Bounded repetitions and anchored beginnings keep the time linear, whatever the text.
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: <scheme> <anything to the end of the line or of the quoted string>
    (re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]+", re.IGNORECASE), rf"\1{_MASK}"),
    # Credentials after their scheme. Base64 of `user:password` has a digit, a capital or an equals sign; the
    # word after "basic" in a sentence has none.
    (re.compile(r"\b((?i:bearer))\s+[\w.~+/=-]+"), rf"\1 {_MASK}"),
    (re.compile(r"\b((?i:basic))\s+(?=[a-z+/]*[A-Z0-9=])[A-Za-z0-9+/]{4,}={0,2}"), rf"\1 {_MASK}"),
    # https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
    (re.compile(r"(\w://[^\s/:@]*:)[^\s/@]+(?=@)"), rf"\1{_MASK}"),
    # name=value, name: "value", "name": "value"
    (
        re.compile(
            rf"((?:{_NAMES})\w{{0,40}}[\"']?\s*[:=]\s*)(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s\"',;&)\]}}]+)",
            re.IGNORECASE,
        ),
        rf"\1{_MASK}",
    ),
    # JSON Web Tokens, Slack tokens, keys of model providers, wherever they stand.
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"), _MASK),
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+"), _MASK),
    (re.compile(r"\bsk-[\w-]{16,}"), _MASK),
)


def mask_secrets(value: Any) -> Any:
    """The same structure with secrets replaced by `***`.

    Mappings, lists, tuples, strings and exceptions are copied as needed; anything else is returned as it is,
    and numbers, booleans and None stay even under a secret's name (`max_tokens`). Masking twice changes nothing.
    """
    match value:
        case str():
            return _mask_text(value)
        case Mapping():
            return {key: _mask_named(str(key), item) for key, item in value.items()}
        case list():
            return [mask_secrets(item) for item in value]
        case tuple():
            return tuple(mask_secrets(item) for item in value)
        case BaseException():
            return _mask_text(repr(value))
        case _:
            return value


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the event without secrets. Goes after exceptions are made text."""
    return {key: _mask_named(key, item) for key, item in event.items()}


def _mask_named(name: str, value: Any) -> Any:
    if isinstance(value, int | float | None) or not _SECRET_NAME.search(name):
        return mask_secrets(value)
    return _MASK


def _mask_text(text: str) -> str:
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text
