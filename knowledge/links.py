"""What a document says of the objects of a plan: names, messages, owners and procedures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from .documents import Chunk
from .terms import extract

Node = tuple[str, str]
"""Kind and name, e.g. `("job", "AGT1#PAYDAILY.PAYROLL")`."""

_DATA: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("links.yaml").read_text(encoding="utf-8"))
_NO_NAMES = frozenset(_DATA["no_names"].split())
_KINDS: tuple[str, ...] = tuple(_DATA["kinds"])
_KIND = "|".join(f"(?P<{kind}>(?i:{words}))" for kind, words in _DATA["kinds"].items())
_FULL = r"[A-Z0-9_/][A-Z0-9_/-]*\#[A-Z0-9_/][A-Z0-9_/-]*(?:\.[A-Z0-9_][A-Z0-9_-]*)?"
_BARE = r"[A-Z][A-Z0-9_-]{2,39}(?:\.[A-Z][A-Z0-9_-]{1,39})?"
_QUALIFIED = re.compile(rf"(?<![\w#/.]){_FULL}(?![\w#])")
_TYPED = re.compile(
    rf"\b(?:{_KIND})\s+(?:(?i:called|named|the|chamad[oa]s?|o|a)\s+)?[`'\"*_]{{0,3}}(?P<name>{_FULL}|{_BARE})(?![\w#])"
)
_NAME = re.compile(_BARE)
_WORD = re.compile(r"[A-Z0-9_/#.-]*[A-Z0-9_]")
_MESSAGE = re.compile(
    r"(?:AWS|AWK|EQQ|EEW)[A-Z]{0,4}\d{3,4}[A-Z]|[A-Z]{3,6}\d{3,5}[A-Z]|[A-Z]{3,4}-\d{4,5}|SQL-?\d+[A-Z]?"
)
_FIRST_WORD = re.compile(r"^\W*([A-Z]{2,8}-?\d{3,6}[A-Z]?)\b", re.MULTILINE)
_SENTENCE = re.compile(r"\.\s|\n")
_ITEM = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_PROCEDURE = re.compile(rf"\b(?:{_DATA['procedure']})\b", re.IGNORECASE)
_LABELS = {
    relation: re.compile(rf"(?:{'|'.join(words)})(?:\s*/\s*[\w ]{{1,20}})?", re.IGNORECASE)
    for relation, words in _DATA["labels"].items()
}
_SAYS = {
    relation: re.compile(
        rf"(?:^|(?<=[.;] ))[ \t>*_•|-]*{label.pattern}[ \t*_]*[:|][ \t*_]*(?P<labelled>[^|\n]+)$"
        + (
            rf"|\b(?:{phrase})\s+(?P<said>[^.,;:|\n(]+)" if (phrase := _DATA["phrases"].get(relation)) else ""
        ),
        re.IGNORECASE | re.MULTILINE,
    )
    for relation, label in _LABELS.items()
}
_TARGET_KINDS = {"owned_by": "team", "escalates_to": "team", "fixed_by": "fix"}
_ARTICLE = re.compile(r"^(?:the|an?|os?|as?)\s+", re.IGNORECASE)
_FEW = 5
"""Objects that a statement is taken to be about where neither heading nor title names any."""
_LONGEST = 160
"""Characters of what is said of an owner or a fix."""
_MOST = 5000
"""Facts of one document; those of titles and headings come first."""


@dataclass(frozen=True, slots=True)
class Fact:
    """That one thing relates to another, as the document says at some place."""

    start: Node
    """`("document", title)` for what the document itself is about or names."""
    relation: str
    """`about` (in a title or heading), `names` (elsewhere), `owned_by`, `escalates_to`, `fixed_by`, `handled_by`."""
    target: Node
    """Kinds: `job`, `job_stream`, `workstation`, `resource`, or `name` where the kind is not said; `message`, `code`
    (`RC 8`), `team`, `fix`, `procedure`."""
    evidence: str
    """The location, as a citation has it."""


def facts_of(title: str, pieces: Sequence[Chunk]) -> tuple[Fact, ...]:
    """Each fact once, with the first place that says so. Never raises."""
    kinds = {
        match["name"]: next(kind for kind in _KINDS if match[kind])
        for piece in pieces
        if not piece.text.isupper()
        for match in _TYPED.finditer(piece.text)
    }
    document, of_title = ("document", title), _names(title, extract(title), kinds)
    facts: dict[tuple[Node, str, Node], str] = {}
    named: dict[Node, str] = {}
    for _, chunks in groupby(pieces, key=lambda piece: piece.section):
        section = tuple(chunks)
        location, text = section[0].location, "\n".join(piece.text for piece in section)
        identifiers = frozenset().union(*(piece.identifiers for piece in section))
        of_heading, in_text = _names(location, extract(location), kinds), _names(text, identifiers, kinds)
        starting = (("message", found) for found in _FIRST_WORD.findall(text) if _MESSAGE.fullmatch(found))
        for node in (*of_title, *of_heading, *starting):
            facts.setdefault((document, "about", node), location)
        for node in in_text:
            named.setdefault(node, location)
        subjects = _subjects(of_heading) or _subjects(of_title) or _subjects(in_text)[:_FEW]
        for about, relation, value in _said(text, location, subjects):
            for subject in about:
                facts.setdefault((subject, relation, (_TARGET_KINDS[relation], value)), location)
        if _PROCEDURE.search(location) and _ITEM.search(text):
            for subject in subjects:
                facts.setdefault((subject, "handled_by", ("procedure", f"{title}: {location}")), location)
    for node, location in named.items():
        if (document, "about", node) not in facts:
            facts[document, "names", node] = location
    return tuple(Fact(*key, evidence) for key, evidence in facts.items())[:_MOST]


def _names(text: str, identifiers: frozenset[str], kinds: Mapping[str, str]) -> tuple[Node, ...]:
    """What the text names, each name once; `kinds` are those that the document says somewhere."""
    full = {match[0] for match in _QUALIFIED.finditer(text)}
    parts = {part for name in full for part in re.split("[#./]", name)}
    said = kinds.keys() & set(_WORD.findall(text))
    nodes: dict[Node, None] = {}
    for name in sorted({*full, *said, *identifiers}):
        if name.startswith("RC "):
            nodes["code", name] = None
        elif _MESSAGE.fullmatch(name):
            nodes["message", name] = None
        elif name in full:
            nodes["job" if "." in name else kinds.get(name, "name"), name] = None
        elif name in text and name not in parts and name not in _NO_NAMES and _NAME.fullmatch(name):
            nodes[kinds.get(name, "name"), name] = None
    return tuple(nodes)


def _subjects(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """What a statement beside these names is about: the objects, else the messages."""
    objects = tuple(node for node in nodes if node[0] not in {"message", "code"})
    return objects or tuple(node for node in nodes if node[0] == "message")


def _said(text: str, location: str, subjects: Sequence[Node]) -> Iterator[tuple[Sequence[Node], str, str]]:
    """Of what is said who owns it, whom to call or what has fixed it."""
    heading = location.rpartition(" > ")[2]
    for relation, pattern in _SAYS.items():
        if _LABELS[relation].fullmatch(heading) and (value := _clean(_SENTENCE.split(text.strip(), 1)[0])):
            yield subjects, relation, value
        for match in pattern.finditer(text):
            if value := _clean(match["labelled"] or match.groupdict().get("said") or ""):
                yield subjects, relation, value
        yield from _columns(text, relation)


def _columns(text: str, relation: str) -> Iterator[tuple[Sequence[Node], str, str]]:
    """The same of the rows of a table that has a column of that name, in which more stands beside it."""
    header, *rows = [
        [cell.strip() for cell in line.split(" | ")] for line in text.splitlines() if " | " in line
    ] or [[]]
    columns = [place for place, cell in enumerate(header) if _LABELS[relation].fullmatch(cell)]
    for column in columns[:1] if header[2:] or columns == [1] else ():
        for row in rows:
            if column < len(row) and (value := _clean(row[column])):
                others = " ".join(cell for place, cell in enumerate(row) if place != column)
                yield _subjects(_names(others, extract(others), {})), relation, value


def _clean(value: str) -> str:
    return _ARTICLE.sub("", value.strip(" \t*_`.;,:|"))[:_LONGEST].strip()
