"""Finds out which job, job stream or workstation a message speaks of. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tws.selection import Selection, SelectionError, parse

from .tokens import Token
from .vocabulary import KNOWN_WORDS, WORDS, compiled

Role: TypeAlias = Literal[
    "job", "job_stream", "workstation", "prompt", "resource", "of_stream", "in_stream", "on_workstation"
]

ALL = "@"
"""TWS's wildcard for any name."""

_PARTS_BEFORE: Mapping[Role, str] = {
    "job_stream": "job_stream_before",
    "workstation": "station",
    "prompt": "prompt",
    "resource": "resource",
    "of_stream": "of_stream",
    "in_stream": "in_stream",
    "on_workstation": "on_workstation",
    "job": "job",
}
_PARTS_AFTER: Mapping[Role, str] = {
    "job_stream": "stream",
    **{role: part for role, part in _PARTS_BEFORE.items() if "_" not in part},
}
_BEFORE = {role: compiled(f"{{{part}}} [{{called}}] $") for role, part in _PARTS_BEFORE.items()}
_AFTER = {role: compiled(f"^ {{{part}}}") for role, part in _PARTS_AFTER.items()}

_ALL_ONES = compiled("{all_ones}")
_WHAT_FAILED = compiled("{rerun} {whatever} ... {failed}")
"""Right after the verb: "rerun it and tell me what failed" is about one."""

_PLAUSIBLE = re.compile(r"[a-z][a-z0-9-]{2,39}")
"""A lower-case word that may be a name."""

_LONGEST_ROLE = 4
"""Words looked at on either side of a name."""


@dataclass(slots=True, kw_only=True)
class Subjects:
    """Names by role; the first of each role, later ones are `further`."""

    job: str | None = None
    job_stream: str | None = None
    workstation: str | None = None
    prompt: str | None = None
    resource: str | None = None
    selection: Selection | None = None
    problem: str = ""
    """Why what looks like a selection is none."""
    place: tuple[Role, str] | None = None
    """A name after `in` or `on`: a stream or workstation where many jobs are asked for, else the job."""
    further: list[str] = field(default_factory=list)
    guesses: list[tuple[Role, str]] = field(default_factory=list)
    """Lower-case words that may be names, the likeliest first."""
    has_pronoun: bool = False
    is_all: bool = False
    """Whether the words speak of all jobs at once."""
    is_all_of: bool = False
    """Whether they speak of all of what is named."""

    @property
    def is_named(self) -> bool:
        """Whether a job or stream is named for certain."""
        return bool(self.job or self.job_stream)

    @property
    def has_any(self) -> bool:
        """Whether anything may be the name of a job."""
        return bool(self.is_named or self.place or self.guesses)

    @property
    def names_anything(self) -> bool:
        """Whether they speak of any object, by whatever name, or of all."""
        others = self.workstation or self.prompt or self.resource or self.problem
        return bool(self.has_any or others or self.is_all or self.is_all_of)

    def settle_place(self, *, is_many: bool) -> None:
        """Decides what `place` names: part of a question about many jobs, or the one job."""
        if self.place is not None:
            role, name = self.place
            if not is_many:
                self.job = self.job or name
            elif role == "in_stream":
                self.job_stream = self.job_stream or name
            else:
                self.workstation = self.workstation or name

    def settle_all(self) -> None:
        """All jobs, or all of the stream that is named."""
        is_one = self.job is not None and not re.search("[@?%]", self.job) and self.selection is None
        if self.is_all_of and is_one and self.job_stream is None and not self.further:
            self.job, self.job_stream = ALL, self.job
        elif self.is_all_of or (self.is_all and not self.is_named):
            self.job = self.job or ALL

    def settle_guess(self) -> None:
        """Takes the likeliest guess for a name, where no job or stream is named."""
        if self.is_named or not self.guesses:
            return
        role, name = self.guesses[0]
        if role == "job_stream":
            self.job_stream = name
        else:
            self.job = name


def read_subjects(tokens: Sequence[Token], words: Sequence[str]) -> Subjects:
    """What the words name."""
    line = "".join(f" {word}" for word in words)
    subjects = Subjects(
        has_pronoun=not WORDS["pronouns"].isdisjoint(words),
        is_all=bool(WORDS["all_words"].intersection(words) or _WHAT_FAILED.search(line)),
        is_all_of=_ALL_ONES.search(line) is not None,
    )
    guesses: list[tuple[int, Role, str]] = []
    for place, token in enumerate(tokens):
        role = _role(words, place)
        if token.kind == "name":
            _add_name(subjects, token.text, role)
        elif role == "prompt" and token.text.isdecimal():
            subjects.prompt = subjects.prompt or token.text
        elif token.kind == "word" and token.word not in KNOWN_WORDS and _PLAUSIBLE.fullmatch(token.word):
            is_slip = words[place] != token.word
            guesses.append((_rank(role, is_slip=is_slip), role or "job", token.text))
    guesses.sort(key=lambda guess: guess[0])
    elsewhere: tuple[Role, ...] = ("workstation", "prompt", "resource")
    subjects.guesses = [(role, name) for _, role, name in guesses if role not in elsewhere]
    for kind in elsewhere:
        guess = next((name for _, role, name in guesses if role == kind), None)
        setattr(subjects, kind, getattr(subjects, kind) or guess)
    return subjects


def bare(name: str | None) -> str | None:
    """The name without its folder; None for none and for any."""
    plain = (name or "").rpartition("/")[2]
    return plain if plain.strip("@") else None


def _role(words: Sequence[str], place: int) -> Role | None:
    before = "".join(f" {word}" for word in words[max(0, place - _LONGEST_ROLE) : place])
    after = "".join(f" {word}" for word in words[place + 1 : place + 1 + _LONGEST_ROLE])
    told = _first(_BEFORE, before)
    if told == "of_stream" and place > 1 and words[place - 2] in WORDS["links"]:
        # "of one and of another"
        told = None
    if told in {None, "of_stream", "in_stream", "on_workstation"}:
        return _first(_AFTER, after) or told
    return told


def _first(patterns: Mapping[Role, re.Pattern[str]], line: str) -> Role | None:
    return next((role for role, pattern in patterns.items() if pattern.search(line)), None)


def _rank(role: Role | None, *, is_slip: bool) -> int:
    """A noun beside a word makes it likelier to be a name, nearness to a known word less likely."""
    if role in {"job", "job_stream"}:
        return 0
    return 2 if is_slip else 1


def _add_name(subjects: Subjects, text: str, role: Role | None) -> None:
    if "#" in text or "." in text:
        _add_selection(subjects, text, role)
        return
    name = text.replace("*", "@")
    match role:
        case "workstation" | "job_stream" | "prompt" | "resource":
            setattr(subjects, role, getattr(subjects, role) or name)
        case "of_stream" | "in_stream" if subjects.job:
            subjects.job_stream = subjects.job_stream or name
        case "on_workstation" if subjects.job:
            subjects.workstation = subjects.workstation or name
        case "in_stream" | "on_workstation":
            subjects.place = subjects.place or (role, name)
        case _ if subjects.job is None:
            subjects.job = name
        case _:
            subjects.further.append(name)


def _add_selection(subjects: Subjects, text: str, role: Role | None) -> None:
    if subjects.is_named:
        subjects.further.append(text)
        return
    try:
        selection = parse(text)
    except SelectionError as error:
        subjects.problem = str(error)
        return
    job, stream = bare(selection.job), bare(selection.job_stream)
    subjects.workstation = bare(selection.workstation)
    if role == "prompt":
        subjects.prompt = str(selection.job_number or stream)
    elif role == "resource":
        subjects.resource = stream
    elif role == "job" and selection.level == "job_stream":
        # A job definition's name is `workstation#job`.
        subjects.job = stream
    else:
        subjects.job, subjects.job_stream, subjects.selection = job, stream, selection
