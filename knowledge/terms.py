"""What a text is found by: its words, stemmed and without stop words, and its exact names. Pure.

Names (message ids, codes, job and file names, options) are what an operator copies from a log, and what
neither words nor vectors find reliably. One stem serves both languages: the English stemmer, then the Portuguese one, for documents and questions
alike. It conflates a little more than either, and needs no guess at the language of a chat line.
"""

from __future__ import annotations

import calendar
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import snowballstemmer
import yaml
from bm25s.stopwords import STOPWORDS_EN, STOPWORDS_PORTUGUESE

_TOKEN = re.compile(r"[a-z0-9]+(?:[_#.*/@$-]+[a-z0-9]+)*")
_PART = re.compile(r"[a-z0-9]+")
_SHORT = re.compile(r"(?<![\w./\\@#$%-])[A-Za-z]{2,4}(?=(?![\w/\\@#$%-]|\.\w))")
_CONTRACTION = re.compile(r"\b[a-z]+n['’]t\b|(?<=[a-z])['’](?:s|re|ve|ll|d|m)\b")
"""`can't`, `what's`: of function words, all of them or their ends."""
_ACRONYMS = re.compile(r"\b([A-Z]{2,})s\b")
"""`FTAs`: no stemmer knows it."""
_PLURAL = re.compile(r"oes$")
"""`-ões`: without its accent the stemmer does not see the plural of `-ão`."""
_ENGLISH_QUESTION_WORDS = (
    "how what when where which who whom why can could did does has have i may me my should we you your"
)
_PORTUGUESE_QUESTION_WORDS = "porque onde quais quanto devo posso pode fazer faco"

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

_PROPER_NOUN = re.compile(r"(?<=[\w,;:)] )[A-Z][a-z]\w+")

_CALENDAR = frozenset((*calendar.day_name, *calendar.month_name))
_PLAIN_PATTERNS = (_MESSAGE_ID, _JOINED_NAME, _UPPER_NAME, _FILE_NAME, _OPTION, _CAMEL_CASE)
_ORACLE_DIGITS = 5
_SHOUTED_WORDS = 4
"""A text of this many words without one small letter is shouted: its words are not names."""


def fold(text: str) -> str:
    """Lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


_ENGLISH = frozenset((*STOPWORDS_EN, *_ENGLISH_QUESTION_WORDS.split()))
_PORTUGUESE = frozenset(map(fold, (*STOPWORDS_PORTUGUESE, *_PORTUGUESE_QUESTION_WORDS.split())))
_STEMMERS = (snowballstemmer.stemmer("english"), snowballstemmer.stemmer("portuguese"))
_STEMMING = threading.Lock()
"""A stemmer keeps the word in itself while it works, and texts are read in several threads."""


def tokenize(text: str) -> list[str]:
    """The terms of a text in order, with repetitions.

    A joined name (`SFTP_BACEN`, `ORA-01653`) gives itself, unstemmed, and then its parts.
    """
    return list(_terms(_CONTRACTION.sub("", fold(_ACRONYMS.sub(r"\1", text)))))


def language(text: str) -> Literal["en", "pt"]:
    """The language that more of the function words are of; English where there are none or as many."""
    words = _PART.findall(fold(text))
    portuguese = sum(word in _PORTUGUESE and word not in _ENGLISH for word in words)
    english = sum(word in _ENGLISH and word not in _PORTUGUESE for word in words)
    return "pt" if portuguese > english else "en"


def _terms(folded: str) -> Iterator[str]:
    for match in _TOKEN.finditer(folded):
        token = match.group()
        parts = _PART.findall(token)
        if len(parts) > 1:
            yield token
        for part in parts:
            if part not in _ENGLISH and part not in _PORTUGUESE:
                yield _stem(part)


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if not word.isalpha():
        return word
    word = _PLURAL.sub("ao", word)
    with _STEMMING:
        for stemmer in _STEMMERS:
            word = stemmer.stemWord(word)
    return word


def abbreviations(text: str) -> Iterator[tuple[int, int, str]]:
    """Where abbreviations of the trade stand, and what each is in the English manuals."""
    for match in _SHORT.finditer(text):
        word = match[0].lower()
        if long := _abbreviations().get(word) or _abbreviations().get(word.removesuffix("s")):
            yield *match.span(), long


def written_out(text: str) -> str:
    """The English text with each abbreviation of the trade followed by what it stands for."""
    for _, end, long in reversed(list(abbreviations(text))):
        text = f"{text[:end]} {long}{text[end:]}"
    return text


@cache
def _abbreviations() -> Mapping[str, str]:
    read: dict[str, str] = yaml.safe_load(
        Path(__file__).with_name("abbreviations.yaml").read_text(encoding="utf-8")
    )
    return read


def synonyms(term: str) -> frozenset[str]:
    """The other terms of the glossary's notions that this term belongs to; mostly empty."""
    return _synonyms().get(term, frozenset())


def synonym_map(more: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """The synonyms of each term of the glossary and of these lines that a site added to it."""
    return _grouped([*notions(), *more]) if more else _synonyms()


def notions() -> list[str]:
    """The lines of the glossary, each the words of one notion in both languages."""
    lines: list[str] = yaml.safe_load(Path(__file__).with_name("glossary.yaml").read_text(encoding="utf-8"))
    return lines


@cache
def _synonyms() -> dict[str, frozenset[str]]:
    return _grouped(notions())


def _grouped(lines: Sequence[str]) -> dict[str, frozenset[str]]:
    groups = [frozenset(tokenize(line)) for line in lines]
    terms = frozenset().union(*groups)
    return {term: frozenset().union(*(group for group in groups if term in group)) - {term} for term in terms}


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


def name_spans(text: str) -> list[tuple[int, int]]:
    """Where identifiers stand in the text, from left to right, the longest where they overlap."""
    patterns = _PLAIN_PATTERNS if _is_shouted(text) else (*_PLAIN_PATTERNS, _UPPER_WORD)
    spans = sorted(
        {match.span() for pattern in patterns for match in pattern.finditer(text)},
        key=lambda span: (span[0], -span[1]),
    )
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start == apart[-1][1] + 1 and text[start - 1] in ".#":  # AGT01#PAYROLL.EXTRACT_01
            apart[-1] = apart[-1][0], end
        elif not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def proper_nouns(text: str) -> list[str]:
    """Words with a capital inside a sentence, as of a product; days and months are none."""
    return [word for word in _PROPER_NOUN.findall(text) if word not in _CALENDAR]


def is_generic(identifier: str) -> bool:
    """Whether it says little on its own: return codes, which unrelated jobs share."""
    return identifier.startswith("RC ")


def _is_shouted(text: str) -> bool:
    return text.isupper() and len(text.split()) >= _SHOUTED_WORDS
