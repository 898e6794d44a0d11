"""Finds the exact names in a text: message ids, codes, job and file names, options. Pure.

They are what an operator copies from a log, and what neither words nor vectors find reliably.
"""

from __future__ import annotations

import re

__all__ = ["extract", "is_generic"]

_RETURN_CODE = re.compile(
    r"""\b(?:rc|(?:return|exit|condition)\ code|exit\ status
        |c[óo]digo\ de\ (?:retorno|sa[íi]da)|retorno)
        \s*(?:[=:]|\bof\b|\bde\b|\bis\b)?\s*(?P<value>-?\d{1,5})\b""",
    re.VERBOSE | re.IGNORECASE,
)
_ORACLE = re.compile(r"\b(?P<product>ORA|TNS|PLS|RMAN|SP2|LRM|IMP|EXP)-(?P<number>\d{1,5})\b", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"\b(?:[A-Z]{2,8}\d{3,6}[A-Z]?|SQL-\d{1,5}|[A-Z]{2,6}\d?-\d{3,5})\b", re.IGNORECASE)
_JOINED_NAME = re.compile(r"(?<![\w#])(?=[\w#]*[^\W\d_])\w+(?:[_#]+\w+)+")
_UPPER_NAME = re.compile(r"(?<!\w)(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{3,}(?!\w)")
_UPPER_WORD = re.compile(r"(?<!\w)[A-Z]{4,}(?!\w)")
_FILE_NAME = re.compile(
    r"(?<![\w.])[\w-]+(?:\.[\w-]+)*\.(?:bad|bat|cfg|cmd|conf|crt|csv|ctl|dat|dll|exe|gz|ini|jar|jks|json|key|log"
    r"|msg|p12|pem|pid|properties|py|sh|sql|tar|txt|xml|ya?ml|zip)\b",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?:(?<=[\s(\[`'\"])|(?<=^))--?[A-Za-z][\w-]+", re.MULTILINE)
_CAMEL_CASE = re.compile(r"\b[a-z]{2,}(?:[A-Z][a-z0-9]*)+\b")

_PLAIN_PATTERNS = (_MESSAGE_ID, _JOINED_NAME, _UPPER_NAME, _FILE_NAME, _OPTION, _CAMEL_CASE)
_ORACLE_DIGITS = 5
_SHOUTED_WORDS = 4
"""A text of this many words without one small letter is shouted: its words are not names."""


def extract(text: str) -> frozenset[str]:
    """The identifiers in a text, upper-cased.

    Return codes become `RC 8` however they are written (`rc=8`, `código de retorno 8`), Oracle codes have
    five digits (`ORA-1653` becomes `ORA-01653`).
    """
    found = {match.group().upper() for pattern in _PLAIN_PATTERNS for match in pattern.finditer(text)}
    found |= {f"RC {int(match['value'])}" for match in _RETURN_CODE.finditer(text)}
    for match in _ORACLE.finditer(text):
        found.discard(match.group().upper())
        found.add(f"{match['product'].upper()}-{match['number'].zfill(_ORACLE_DIGITS)}")
    if not _is_shouted(text):
        found |= {match.group() for match in _UPPER_WORD.finditer(text)}
    return frozenset(found)


def is_generic(identifier: str) -> bool:
    """Whether it says little on its own: return codes, which unrelated jobs share."""
    return identifier.startswith("RC ")


def _is_shouted(text: str) -> bool:
    return text.isupper() and len(text.split()) >= _SHOUTED_WORDS
