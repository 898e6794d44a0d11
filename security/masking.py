"""Takes secrets out of anything that is to be logged, shown or sent elsewhere."""

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict, WrappedLogger

_MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|senha|secret|token|authorization|api[-_ ]?key|private[-_ ]?key|"
    r"(?:access|account)[-_ ]?key|cookie|credential"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)

_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s\"',;&)\]}]+)"
_KEY_BLOCK = r"[A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_ORACLE_TOOLS = r"sqlplus|sqlldr|expdp|impdp|rman|userid|connect"

_IN_TEXT = (
    # A private key in PEM form, then one whose end was cut off, then one whose beginning was.
    re.compile(rf"()-----BEGIN {_KEY_BLOCK}[\s\S]{{0,10000}}?-----END {_KEY_BLOCK}"),
    re.compile(rf"()-----BEGIN {_KEY_BLOCK}[A-Za-z0-9+/=\s\\]*"),
    re.compile(rf"()(?:^[A-Za-z0-9+/=]{{4,80}}\s{{0,9}}\n){{1,200}}-----END {_KEY_BLOCK}", re.MULTILINE),
    # Authorization: <scheme> <anything to the end of the line or of the quoted string>
    re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]+", re.IGNORECASE),
    # Credentials after their scheme. Base64 of `user:password` has a digit, a capital or an equals sign; the
    # word after "basic" in a sentence has none.
    re.compile(r"\b((?i:bearer)\s+)[\w.~+/=-]+"),
    re.compile(r"\b((?i:basic)\s+)(?=[a-z+/]*[A-Z0-9=])[A-Za-z0-9+/]{4,}={0,2}"),
    # https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
    re.compile(r"(\w://[^\s/:@]*:)[^\s/@]+(?=@)"),
    # sqlplus user/password@database
    re.compile(rf"(\b(?:{_ORACLE_TOOLS})\b[^\r\n/@]{{0,80}}?\w{{1,40}}/)[^\s/@]{{1,64}}(?=@)", re.IGNORECASE),
    # name=value, name: "value", "name": "value", --name value
    re.compile(rf"((?:{_NAMES})\w{{0,40}}[\"']?\s*[:=]\s*){_VALUE}", re.IGNORECASE),
    re.compile(rf"((?<!\S)--?(?:{_NAMES})\s+)(?!-){_VALUE}", re.IGNORECASE),
    # JSON Web Tokens, keys of Slack, model providers, AWS, Google, GitHub and GitLab, wherever they stand.
    re.compile(r"()(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(r"()\b(?:x(?:ox[a-z]|app)-[\w-]+|sk-[\w-]{16,}|glpat-[\w-]{16,}|AIza[\w-]{35})"),
    re.compile(r"()\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[a-z]_\w{30,}|github_pat_\w{30,})\b"),
)
"""Bounded repetitions and anchored beginnings keep the time linear, whatever the text; the first group is kept."""


def mask_secrets(value: Any) -> Any:
    """The same structure with secrets replaced by `***`.

    Mappings, lists, tuples, strings and exceptions are copied as needed; anything else is returned as it is,
    and numbers, booleans and None stay even under a secret's name (`max_tokens`). Masking twice changes nothing.
    """
    match value:
        case str():
            return mask_text(value)
        case Mapping():
            return {key: _mask_named(str(key), item) for key, item in value.items()}
        case list():
            return [mask_secrets(item) for item in value]
        case tuple():
            return tuple(mask_secrets(item) for item in value)
        case BaseException():
            return mask_text(repr(value))
        case _:
            return value


def mask_text(text: str, mask: str = _MASK) -> str:
    """The text with `mask`, which holds no backslash, in the place of each secret."""
    for pattern in _IN_TEXT:
        text = pattern.sub(rf"\1{mask}", text)
    return text


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the event without secrets. Goes after exceptions are made text."""
    return {key: _mask_named(key, item) for key, item in event.items()}


def _mask_named(name: str, value: Any) -> Any:
    if isinstance(value, int | float | None) or not _SECRET_NAME.search(name):
        return mask_secrets(value)
    return _MASK
