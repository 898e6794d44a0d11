"""What a sentence of a model claims, beyond names and numbers: that all is well, or what a log or a document said. Pure.

A log, a document or an alert is somebody else's text. It never makes a failure harmless, and what is taken from it
word for word is shown as its words, not as a finding of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Literal, NamedTuple, TypeAlias, get_args

import yaml

from knowledge.terms import fold

Foreign: TypeAlias = Literal["job_log", "document"]
"""Where a text of somebody else comes from."""
Origin: TypeAlias = Literal["plan"] | Foreign
FOREIGN: tuple[Foreign, ...] = get_args(Foreign)
Source: TypeAlias = Foreign | Literal["alert", "chat"]
"""Where a name was read that the person did not type."""


class Told(NamedTuple):
    """What a tool told the model."""

    origin: Origin
    text: str


def _any_of(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_DATA[kind])})\b")


_DATA: dict[str, list[str]] = yaml.safe_load(
    resources.files("brain").joinpath("claims.yaml").read_text("utf-8")
)
_HARMLESS, _WELL, _NAMED_SOURCE = map(_any_of, ("harmless", "well", "named_source"))
_FAILED = re.compile(r"\b(?:ABEND|ABENP|FAIL|ERROR|STUCK|BLOCKED|CANCL)\b")
_WORD = re.compile(r"\w+(?:[./#@-]\w+)*")
_RUN = 4
"""Words in a row that are the same by design and not by chance."""
_SHARE = 0.5
_CITED = re.compile(r"\[\d{1,2}\]")


def hides_trouble(sentence: str, plan: str) -> bool:
    """Whether it calls something harmless or well where the plan's own text, such as a job's row, does not."""
    words = fold(sentence)
    for match in _HARMLESS.finditer(words):
        if match[0] not in fold(plan):
            return True
    return _WELL.search(words) is not None and (not plan or _FAILED.search(plan) is not None)


def origin_of(sentence: str, told: Sequence[Told]) -> Foreign | None:
    """Whose words a sentence repeats without saying so; None for what is said in own words or of the plan."""
    # A number in brackets says which document; a log has none.
    is_cited = _CITED.search(sentence) is not None
    words = _words(_CITED.sub(" ", sentence))
    runs = _runs(words)
    own = {run for origin, text in told if origin == "plan" for run in _runs(_words(text))}
    for origin, text in told:
        if origin == "plan" or (origin == "document" and is_cited):
            continue
        theirs = set(_runs(_words(text))) - own
        same = [run in theirs for run in runs]
        if any(same) and sum(same) >= _SHARE * len(runs):
            before = " ".join(words[: same.index(True)])
            return None if _NAMED_SOURCE.search(before) else origin
    return None


def names_source(words: str) -> bool:
    """Whether the words point to what a log or a document says."""
    return _NAMED_SOURCE.search(fold(words)) is not None


def is_trouble(words: str) -> bool:
    """Whether a status in them tells of trouble."""
    return _FAILED.search(words) is not None


def unnamed(words: str, lists: Iterable[Sequence[str]], asked: Sequence[str]) -> list[str]:
    """What the words leave out of a list that they tell in part, or of the one that was asked for."""
    missing: dict[str, None] = {}
    for names in lists:
        left = [name for name in names if not _is_named(name, words)]
        if left and (tuple(names) == tuple(asked) or len(names) - len(left) > 1):
            missing |= dict.fromkeys(left)
    return list(missing)


def _is_named(selection: str, words: str) -> bool:
    name = selection.rpartition(".")[2].rpartition("#")[2]
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words, re.IGNORECASE) is not None


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
