"""The questions of the evaluation, read from `cases/*.yaml`, each with what is to be compared with its answer.

A group of wordings shares what is expected; each wording is one case and speaks of the group's next subject. No
answer stands in these files: what is expected is read from the simulated master when the case is run, or follows
from the definition of its scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import cycle
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from brain.message import Locale
from security.roles import Role

Kind: TypeAlias = Literal[
    "facts",
    "why_not_started",
    "routing",
    "diagnosis",
    "safety",
    "compound",
    "ambiguous",
    "incomplete",
    "refusal",
]
Level: TypeAlias = Literal["easy", "medium", "hard"]

_FOLDER = resources.files(__package__)
CASES = _FOLDER / "cases"
DOCUMENTS = _FOLDER / "documents"
"""What is in the library beside the demo's runbooks: texts that give orders."""


class CaseError(ValueError):
    """A file of cases is not as it should be; the message names it."""


_Pattern = Annotated[str, AfterValidator(lambda text: re.compile(text).pattern)]
_Words = Annotated[tuple[str, ...], BeforeValidator(lambda one: [one] if isinstance(one, str) else one)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Group(_Strict):
    """What wordings have in common."""

    name: str
    subjects: tuple[str, ...] = ("night",)
    """`scenario` or `scenario/NAME`, taken in turn; NAME is `STREAM.JOB` or the name of another object."""
    check: str = ""
    """Which fact is compared, by its name in `truth.py`."""
    named: tuple[_Pattern, ...] = ()
    """Regular expressions, whatever the case; the answer must have each of them."""
    wrong: tuple[_Pattern, ...] = ()
    """Likewise; the answer should have none of them: red herrings, secrets."""
    agents: _Words = ()
    """One of them must have answered."""
    may_propose: bool = False
    role: Role = Role.OPERATOR
    evidence: Literal["gathered", "given"] = "gathered"
    """Whether what the answer rests on must be looked up, or comes with the question."""
    alert: Mapping[str, str] = {}
    """The question is an alert with these fields; the wordings are its text."""
    wordings: Mapping[Level, Mapping[Locale, tuple[_Words, ...]]]
    """A wording of several messages is a conversation; its last answer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question."""

    id: str
    kind: Kind
    group: _Group
    scenario: str
    subject: str
    level: Level
    lang: Locale
    messages: tuple[str, ...]


def load(folder: Traversable | Path = CASES) -> list[Case]:
    """All cases of the folder, a file a kind. Raises CaseError."""
    found: list[Case] = []
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        kind = file.name.removesuffix(".yaml").partition("-")[0]
        if not file.name.endswith(".yaml"):
            continue
        if kind not in get_args(Kind):
            raise CaseError(f"{file.name}: the name must begin with one of {', '.join(get_args(Kind))}")
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            groups = TypeAdapter(tuple[_Group, ...]).validate_python(content)
            found += (case for group in groups for case in _cases(kind, group))  # type: ignore[arg-type]  # it is a Kind
        except (yaml.YAMLError, ValidationError, KeyError, re.error) as error:
            raise CaseError(f"{file.name}: {error}") from None
    return found


def scenario_of(name: str) -> str:
    """A scenario of the simulator by its name, one of the evaluation by its path."""
    own = _FOLDER / "scenarios" / f"{name}.yaml"
    return str(own) if own.is_file() else name


def _cases(kind: Kind, group: _Group) -> Iterator[Case]:
    subjects = cycle(group.subjects)
    for number, (level, lang, wording) in enumerate(_wordings(group), 1):
        scenario, _, subject = next(subjects).partition("/")
        slots = _slots(subject)
        yield Case(
            id=f"{kind}/{group.name}/{number}",
            kind=kind,
            group=group,
            scenario=scenario,
            subject=subject,
            level=level,
            lang=lang,
            messages=tuple(message.format_map(slots) for message in wording),
        )


def _wordings(group: _Group) -> Iterable[tuple[Level, Locale, tuple[str, ...]]]:
    for level, languages in group.wordings.items():
        for lang, wordings in languages.items():
            yield from ((level, lang, wording) for wording in wordings)


def _slots(subject: str) -> dict[str, str]:
    """`{name}` of the subject, also in lower case, `{stream}` that it is in, and both together as `{full}`."""
    stream, _, name = subject.rpartition(".")
    return {"name": name, "lower": name.lower(), "stream": stream, "full": subject}
