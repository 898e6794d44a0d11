"""The figures of an evaluation, from the outcome of each case. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brain.llm.calls import DayUsage

from .case import Case
from .judge import Verdict

Json = dict[str, Any]

FIGURES: Mapping[str, Callable[[Case], bool]] = {
    "facts": lambda case: case.kind == "facts",
    "why_not_started": lambda case: case.kind == "why_not_started",
    "routing_pt": lambda case: case.kind == "routing" and case.lang == "pt",
    "routing_en": lambda case: case.kind == "routing" and case.lang == "en",
    "diagnosis_strict": lambda case: case.kind == "diagnosis",
    "safety": lambda case: case.kind == "safety",
}
"""The shares that a report always has, and the cases that each is of."""
_GROUPS: Mapping[str, Callable[[Case], str]] = {
    "kind": lambda case: case.kind,
    "difficulty": lambda case: case.level,
    "lang": lambda case: case.lang.value,
    "evidence": lambda case: case.group.evidence,
}
_T_95: Mapping[int, float] = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
}
"""Student's t for 95 %, by degrees of freedom."""
_SHOWN = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case, asked once."""

    case: Case
    run: int
    """From 0."""
    verdict: Verdict
    said: str
    seconds: tuple[float, ...] = ()


def report(outcomes: Sequence[Outcome], usage: Sequence[DayUsage]) -> Json:
    """Counts, shares from 0 to 1 (None where no case was run) and failures. Raises ValueError where nothing was run."""
    if not outcomes:
        raise ValueError("no case was run: an empty report says nothing")
    runs = sorted({one.run for one in outcomes})
    seconds = [second for one in outcomes for second in one.seconds]
    return {
        "cases": len({one.case.id for one in outcomes}),
        **{name: _share(_of(outcomes, is_in)) for name, is_in in FIGURES.items()},
        "runs": len(runs),
        "intervals": {name: _interval(outcomes, is_in, runs) for name, is_in in FIGURES.items()},
        "by": {name: _shares(outcomes, key) for name, key in _GROUPS.items()},
        "calls": {"turns": len(seconds), "model": sum(day.calls for day in usage)},
        "cost": {
            "input_tokens": sum(day.input_tokens for day in usage),
            "output_tokens": sum(day.output_tokens for day in usage),
            "money": float(sum(day.cost for day in usage)),
        },
        "latency": _latency(seconds),
        "failures": [_failure(one) for one in outcomes if one.verdict.score < 1],
    }


def table(figures: Json) -> str:
    """The figures as Markdown, and each failure in a line."""
    lines = ["| figure | share | 95 % interval |", "|---|---|---|"]
    for name in FIGURES:
        low, high = figures["intervals"][name] or (None, None)
        lines.append(f"| {name} | {_percent(figures[name])} | {_percent(low)} to {_percent(high)} |")
    lines += ["", "| part | cases | share |", "|---|---|---|"]
    for group, shares in figures["by"].items():
        lines += [
            f"| {group} {one} | {of['cases']} | {_percent(of['share'])} |" for one, of in shares.items()
        ]
    latency, cost, calls = figures["latency"], figures["cost"], figures["calls"]
    effort = (
        f"{figures['cases']} cases, {calls['turns']} answers, {calls['model']} calls of a model "
        f"({cost['input_tokens']} tokens in, {cost['output_tokens']} out, {cost['money']:.2f} by llm.prices); "
        f"half of the answers within {latency['p50_ms']} ms, 95 % within {latency['p95_ms']} ms."
    )
    lines += ["", effort, ""]
    lines += [f"- {one['id']} “{one['said']}”: {'; '.join(one['problems'])}" for one in figures["failures"]]
    return "\n".join(lines)


def _of(outcomes: Iterable[Outcome], is_in: Callable[[Case], bool]) -> list[Outcome]:
    return [one for one in outcomes if is_in(one.case)]


def _share(outcomes: Sequence[Outcome]) -> float | None:
    return round(statistics.fmean(one.verdict.score for one in outcomes), 4) if outcomes else None


def _shares(outcomes: Sequence[Outcome], key: Callable[[Case], str]) -> Json:
    shares = {}
    for value in sorted({key(one.case) for one in outcomes}):
        found = [one for one in outcomes if key(one.case) == value]
        shares[value] = {"cases": len({one.case.id for one in found}), "share": _share(found)}
    return shares


def _interval(
    outcomes: Sequence[Outcome], is_in: Callable[[Case], bool], runs: Sequence[int]
) -> tuple[float, float] | None:
    """95 % interval of the mean over the runs; None of a single run."""
    found = _of(outcomes, is_in)
    means = [statistics.fmean(one.verdict.score for one in found if one.run == run) for run in runs if found]
    if len(means) < 2:  # noqa: PLR2004  # one run has no spread
        return None
    half = _T_95.get(len(means) - 1, 1.96) * statistics.stdev(means) / len(means) ** 0.5
    mean = statistics.fmean(means)
    return round(max(0.0, mean - half), 4), round(min(1.0, mean + half), 4)


def _latency(seconds: Sequence[float]) -> Json:
    in_order = sorted(seconds) or [0.0]
    return {
        f"p{share}_ms": round(1000 * in_order[min(len(in_order) - 1, len(in_order) * share // 100)])
        for share in (50, 95)
    }


def _failure(outcome: Outcome) -> Json:
    case = outcome.case
    return {
        "id": case.id,
        "run": outcome.run,
        "scenario": case.scenario,
        "difficulty": case.level,
        "lang": case.lang.value,
        "said": " ⏎ ".join(case.messages),
        "score": round(outcome.verdict.score, 4),
        "problems": list(outcome.verdict.problems),
        "answer": outcome.said[:_SHOWN],
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
