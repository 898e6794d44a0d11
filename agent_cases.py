"""The cases of `resync eval agent`: wordings from `manifests/evals`, filled with what a plan says. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from tws.objects import CommonStatus, Job

CASES = Path(__file__).parent / "manifests" / "evals"
SCENARIOS = (
    *(
        "failed-load",
        "credentials-expired",
        "full-file-system",
        "limit-zero",
        "agent-unlinked",
        "fence-raised",
    ),
    *("file-not-arrived", "prompt-pending", "resource-held", "late-critical-path", "plan-extension-failed"),
    *("healthy-night", "night", "storm"),
)
_OF_SAFETY = "night"
_LANGUAGES = ("en", "pt")

Kind: TypeAlias = Literal["facts", "why_not_started", "diagnosis", "routing", "safety"]
Way: TypeAlias = Literal["message", "alert", "viewer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something to say, and what the answer must be like."""

    kind: Kind
    scenario: str
    """Empty where no plan is needed."""
    words: str
    lang: str
    difficulty: Literal["easy", "hard"] = "easy"
    expects: tuple[str, ...] = ()
    """Regular expressions that the answer must all match."""
    wrong: tuple[str, ...] = ()
    """Regular expressions that it must not match."""
    agent: str = ""
    """Who has to answer."""
    proposes: bool | None = None
    """Whether a proposal must, or must not, come of it; None: either."""
    way: Way = "message"
    about: str = ""
    """The job that an alert is about."""


def routing_cases() -> Iterator[Case]:
    """Sentences and the agents that they are for."""
    for agent, wordings in _load("routing").items():
        for lang, sentences in wordings.items():
            for words in sentences:
                yield Case(kind="routing", scenario="", words=words, lang=lang, agent=agent)


def plan_cases(scenario: str, jobs: Sequence[Job]) -> Iterator[Case]:
    """The cases of a scenario whose plan has these jobs."""
    turn = SCENARIOS.index(scenario)
    yield from _facts(scenario, jobs, turn)
    yield from _waiting(scenario, turn)
    yield from _diagnosis(scenario, turn)
    if scenario == _OF_SAFETY:
        yield from _safety(jobs)


def _facts(scenario: str, jobs: Sequence[Job], turn: int) -> Iterator[Case]:
    names = Counter(job.name for job in jobs)
    alone = [job for job in jobs if names[job.name] == 1]
    chosen = {
        "any": alone,
        "failed": [
            job for job in alone if job.has_failed and job.last_run and job.last_run.return_code is not None
        ],
    }
    failed = sum(job.common_status is CommonStatus.ERROR for job in jobs)
    for number, template in enumerate(_load("facts")):
        if not (among := chosen[template["of"]]):
            continue
        job = among[(7 * turn + 3 * number) % len(among)]
        values = {
            **_values(job),
            "status": job.status,
            "rc": job.last_run.return_code if job.last_run else "",
            "workstation": job.workstation,
            "failed": failed or "(?:0|no|No|nenhum|Nenhum)",
            "total": len(jobs),
        }
        expects = tuple(_filled(one, values) for one in template["expects"])
        for lang, difficulty, words in _worded(template, turn):
            yield Case(
                kind="facts",
                scenario=scenario,
                words=_filled(words, values),
                lang=lang,
                difficulty=difficulty,
                expects=expects,
            )


def _waiting(scenario: str, turn: int) -> Iterator[Case]:
    file = _load("waiting")
    for number, (job, expects) in enumerate(file["jobs"].get(scenario, {}).items()):
        for lang, difficulty, words in _worded(file["wordings"], turn + number):
            yield Case(
                kind="why_not_started",
                scenario=scenario,
                words=_filled(words, {"job": job}),
                lang=lang,
                difficulty=difficulty,
                expects=tuple(expects),
            )


def _diagnosis(scenario: str, turn: int) -> Iterator[Case]:
    file = _load("diagnosis")
    causes = {
        **file["jobs"].get(scenario, {}),
        # A job that ended well is not to be called a failure, whatever the question takes for granted.
        **{job: {"roots": ["SUCC"], "wrong": ["ABEND"]} for job in file["healthy"].get(scenario, ())},
    }
    for number, (job, cause) in enumerate(causes.items()):
        for lang, difficulty, words in _worded(file["wordings"], turn + number):
            yield Case(
                kind="diagnosis",
                scenario=scenario,
                words=_filled(words, {"job": job}),
                lang=lang,
                difficulty=difficulty,
                expects=tuple(cause["roots"]),
                wrong=tuple(cause["wrong"]),
            )


def _safety(jobs: Sequence[Job]) -> Iterator[Case]:
    file = _load("safety")
    job = next(job for job in jobs if job.has_failed)
    ways: dict[str, Way] = {"no_proposal": "message", "asks_back": "message", "viewer": "viewer"}
    for name, way in ways.items():
        agent = "clarify" if name == "asks_back" else ""
        for lang in _LANGUAGES:
            for words in file[name][lang]:
                filled = _filled(words, _values(job))
                yield Case(
                    kind="safety",
                    scenario=_OF_SAFETY,
                    words=filled,
                    lang=lang,
                    proposes=False,
                    agent=agent,
                    way=way,
                )
    for words in file["alert"]:
        filled = _filled(words, _values(job))
        yield Case(
            kind="safety",
            scenario=_OF_SAFETY,
            words=filled,
            lang="en",
            proposes=False,
            way="alert",
            about=job.name,
        )


def _worded(wordings: Mapping[str, Any], turn: int) -> Iterator[tuple[str, Literal["easy", "hard"], str]]:
    """One wording of each difficulty in each language; another one at each turn."""
    difficulties: tuple[Literal["easy", "hard"], ...] = ("easy", "hard")
    for difficulty in difficulties:
        for lang in _LANGUAGES:
            sentences = wordings[difficulty][lang]
            yield lang, difficulty, sentences[turn % len(sentences)]


def _values(job: Job) -> dict[str, object]:
    return {"job": job.name, "stream": job.job_stream}


def _filled(pattern: str, values: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), pattern)


def _load(name: str) -> Any:
    return yaml.safe_load((CASES / f"{name}.yaml").read_text("utf-8"))


def share(right: Iterable[float]) -> float | None:
    """The mean, rounded; None of nothing."""
    every = list(right)
    return round(sum(every) / len(every), 4) if every else None
