"""Cuts a message into words, names of TWS objects and identifiers. Pure."""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal, TypeAlias

from brain.agents.language import fold

Kind: TypeAlias = Literal["word", "name", "message", "code"]

_NAME = r"[A-Za-z0-9_@?%*/-]"
_QUALIFIER = r"(?:;(?i:schedid)\b|[+~][A-Za-z]+(?:=VALUE)?|;[A-Za-z]+=VALUE)".replace(
    "VALUE", r"[\w@?%*#/:,.()-]*[\w@?%*)]"
)

_TOKEN = re.compile(
    rf"""
      (?P<address>https?://\S+ | <[^<>\n]*>)
    | (?P<message>\b(?i:AWS|AWK|EQQ|EEW)(?i:[A-Z]{{0,4}})\d{{3,4}}(?i:[IWEST])\b)
    | (?P<code>\b(?i:rc|return\ code|exit\ code|c[oó]digo\ de\ retorno)\s*[=:]?\s*(?P<number>-?\d{{1,6}})\b)
    | (?P<selection>{_NAME}+\#{_NAME}+(?:\([^()\n]{{0,20}}\))?(?:\.[A-Za-z0-9_@?%*-]+)?{_QUALIFIER}*)
    | (?P<dotted>\b[A-Z][A-Z0-9_@?%*-]*\.[A-Z0-9@][A-Z0-9_@?%*-]*(?![a-z]){_QUALIFIER}*)
    | (?P<word>[\w@](?:[\w'’@*%-]|[?./](?=[\w@*]))*)
    | (?P<stop>[.;!?\n]+)
    | (?P<pause>,)
    """,
    re.VERBOSE,
)
"""Message ids: https://www.ibm.com/docs/en/workload-automation (AWS, AWK, EQQ and EEW prefixes)."""

_QUOTED = re.compile(
    r"""
      ^[ \t]*>.*$
    | ```[\s\S]*?(?:```|\Z)
    | ^\W*(?:\d[\d:.,TZ/+-]{4,}\W+)*(?:ERROR|FATAL|WARN(?:ING)?|INFO|DEBUG|ERRO|AVISO)\b.*$
    | (?<!\w)(?:'[^'\n]{10,}'|"[^"\n]{10,}"|“[^”\n]{10,}”|«[^»\n]{10,}»|‘[^’\n]{10,}’)(?!\w)
    """,
    re.VERBOSE | re.MULTILINE,
)
"""Quotations and code as chats mark them, lines of logs, and several words in quotation marks: a name or an answer there
is short."""
_SHOUTED_NAME = re.compile(r"(?=.*[A-Z])[A-Z0-9@][A-Z0-9_@?%*-]{2,39}")
_SNAKE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*_[A-Za-z0-9_-]*[A-Za-z0-9*@]")
_OWNER = re.compile(r"(.+)['’]s", re.IGNORECASE)
_EMPHASIS = "*_~"
"""Chat mark-up round a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A piece of a message."""

    text: str
    """As typed."""
    word: str
    """Folded; a placeholder for names (`<n>`), message ids (`<m>`) and return codes (`<c>`)."""
    kind: Kind
    sentence: int
    """Counts up at `.`, `;`, `!`, `?` and line ends."""
    clause: int
    """Counts up at the same and at commas."""
    end: int
    """Where it ends in the message."""
    is_quoted: bool = False
    """Whether it stands in a quotation or in lines that a program wrote."""


def read_tokens(text: str, known_words: Container[str]) -> list[Token]:
    """The tokens in order. A word in capitals is a name unless it is a known word."""
    tokens: list[Token] = []
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    sentence = clause = 0
    for match in _TOKEN.finditer(text):
        if match.lastgroup in {"stop", "pause"}:
            sentence += match.lastgroup == "stop"
            clause += 1
        elif match.lastgroup != "address":
            typed, word, kind = _classify(match, known_words)
            tokens.append(
                Token(
                    text=typed,
                    word=word,
                    kind=kind,
                    sentence=sentence,
                    clause=clause,
                    end=match.end(),
                    is_quoted=any(first <= match.start() < last for first, last in quoted),
                )
            )
    return tokens


def _classify(match: re.Match[str], known_words: Container[str]) -> tuple[str, str, Kind]:
    if match["message"]:
        return match[0].upper(), "<m>", "message"
    if match["code"]:
        return f"RC {match['number']}", "<c>", "code"
    if match["selection"] or match["dotted"]:
        return match[0], "<n>", "name"
    typed = _without_emphasis(match[0], match.string[match.start() - 1 : match.start()])
    word = re.sub(r"['’]", "", fold(typed))
    if word not in known_words and (owner := _OWNER.fullmatch(typed)):
        typed, word = owner[1], fold(owner[1])
    if word not in known_words and (_SHOUTED_NAME.fullmatch(typed) or _SNAKE_NAME.fullmatch(typed)):
        return typed, "<n>", "name"
    return typed, word, "word"


def _without_emphasis(typed: str, before: str) -> str:
    if before == "*":
        return typed.rstrip("*")
    if typed[0] == typed[-1] and typed[0] in _EMPHASIS:
        return typed.strip(typed[0]) or typed
    return typed
