"""What a right answer has in it, worked out from the master's plan. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

import yaml

from .case import Case
from .observed import Json, Observed

_CAUSES: Mapping[str, str] = yaml.safe_load(
    resources.files(__package__).joinpath("causes.yaml").read_text("utf-8")
)
"""How people of both languages say a cause, as regular expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Regular expressions over the answer."""

    named: tuple[str, ...] = ()
    """All must be found."""
    wrong: tuple[str, ...] = ()
    """None should be."""


def expected(case: Case, seen: Observed) -> Expected:
    """What the case's check finds in the plan, with what its group names. Raises KeyError for an unknown subject."""
    group = case.group
    named, wrong = group.named, group.wrong
    if group.check:
        checked = _CHECKS[group.check](seen, case.subject)
        named, wrong = (*named, *checked.named), (*wrong, *checked.wrong)
    if case.kind == "diagnosis":
        # Whatever else failed is a herring, unless it was asked about.
        asked = {case.subject, *(one for one in seen.status("ERROR") if _is_meant(one, named))}
        failed = (one.rpartition(".")[2] for one in seen.status("ERROR") if one not in asked)
        wrong = (*wrong, *map(word, failed))
    return Expected(named=named, wrong=tuple(dict.fromkeys(wrong)))


def word(text: object) -> str:
    """An expression for the text that is no part of a longer word, number or time."""
    return rf"(?<!\w)(?<!\d:){re.escape(str(text))}(?!\w|:\d)"


def found(pattern: str, text: str) -> bool:
    """Whether the expression is anywhere in the text, in whatever case."""
    return re.search(pattern, text, re.IGNORECASE) is not None


def _is_meant(selection: str, named: Iterable[str]) -> bool:
    return any(found(pattern, selection.rpartition(".")[2]) for pattern in named)


def _of_job(read: Callable[[Json], object]) -> Callable[[Observed, str], Expected]:
    def check(seen: Observed, subject: str) -> Expected:
        name = subject.rpartition(".")[2]
        return Expected(named=(word(name), word(read(seen.jobs[subject]))))

    return check


def _of_station(read: Callable[[Json], object]) -> Callable[[Observed, str], Expected]:
    def check(seen: Observed, subject: str) -> Expected:
        return Expected(named=(word(subject), word(read(seen.workstations[subject]))))

    return check


def _jobs_in(*common: str) -> Callable[[Observed, str], Expected]:
    """How many jobs have one of the statuses, which, and none that has ended well."""

    def check(seen: Observed, subject: str) -> Expected:
        streams = {subject} if subject else seen.job_streams.keys()
        those = [one for one in seen.status(*common) if one.partition(".")[0] in streams]
        names = {one.rpartition(".")[2] for one in those}
        others = {one.rpartition(".")[2] for one in seen.status("SUCCESSFUL")} - names
        count = word(len(those)) if those else r"\b(no|none|nothing|nenhum\w*|nada|0)\b"
        shown = names if len(names) <= _SHOWN else ()
        return Expected(named=(count, *map(word, shown)), wrong=tuple(map(word, others)))

    return check


_SHOWN = 20
"""Of longer lists nobody wants each name."""


def _waits_for(seen: Observed, subject: str) -> Expected:
    """What the job still waits for, by name."""
    return Expected(named=tuple(word(one) for one in _targets(_open(seen.jobs[subject]))))


def _why(seen: Observed, subject: str) -> Expected:
    """Each cause that the engine names, and whom or what it is about."""
    job, named = seen.jobs[subject], []
    stream = seen.job_streams[job["jobStreamName"]]
    station = job["workstation"].strip("/")
    for reason in seen.reasons[subject]:
        cause, owner = reason["cause"], job if reason["owner"] == "job" else stream
        named.append(_CAUSES[cause])
        if cause.startswith(("workstation_", "fence")):
            named.append(word(station))
        elif cause in {"time", "stream_time"}:
            named.append(word(_clock(owner["timeRestrictions"].get("startTime") or owner["schedTime"])))
        else:
            named += map(word, _targets(one for one in _open(owner) if _belongs(one, cause)))
    return Expected(named=tuple(dict.fromkeys(named)))


def _belongs(dependency: Json, cause: str) -> bool:
    kind = dependency["dependencyType"]
    return (
        kind.lower() in cause if kind in {"FILE", "RESOURCE", "PROMPT"} else cause.startswith("predecessor")
    )


def _open(owner: Json) -> Iterator[Json]:
    return (one for one in owner.get("dependencies", ()) if not one["satisfied"])


def _targets(dependencies: Iterable[Json]) -> Iterator[str]:
    """The names of what is waited for; a prompt without a name has a number."""
    for one in dependencies:
        known = one | {"path": one.get("file", {}).get("name"), "joined": one.get("joinName")}
        keys = ("jobName", "jobStreamName", "path", "name", "promptName", "number", "joined", "dependency")
        yield str(next(known[key] for key in keys if known.get(key)))


def _clock(instant: str) -> str:
    return datetime.fromisoformat(instant).strftime("%H:%M")


def _share(counts: Json) -> str:
    return rf"\b{counts['numberOfSuccessfullJob']} ?(/|of|de) ?{counts['numberOfJob']}\b"


def _run(job: Json) -> Json:
    run: Json = job["jobruns"][-1]
    return run


_CHECKS: Mapping[str, Callable[[Observed, str], Expected]] = {
    "status": _of_job(lambda job: job["lastRunCompositeStatus"]["status"]),
    "return_code": _of_job(lambda job: _run(job)["returnCode"]),
    "started": _of_job(lambda job: _clock(_run(job)["timeInfo"]["actualStartTime"])),
    "ended": _of_job(lambda job: _clock(_run(job)["timeInfo"]["actualEndTime"])),
    "workstation": _of_job(lambda job: job["workstation"].strip("/")),
    "priority": _of_job(lambda job: job["priority"]),
    "limit": _of_station(lambda one: one["limit"]),
    "fence": _of_station(lambda one: one["fence"]),
    "failed": _jobs_in("ERROR"),
    "running": _jobs_in("RUNNING"),
    "waiting": _jobs_in("WAITING", "READY"),
    "waiting_count": lambda seen, _: Expected(named=(word(len(seen.status("WAITING", "READY"))),)),
    "held": _jobs_in("HELD"),
    "waits_for": _waits_for,
    "why": _why,
    "successors": lambda seen, subject: Expected(named=tuple(map(word, seen.successors[subject]))),
    "same_name": lambda seen, subject: Expected(
        named=tuple(word(one) for one in seen.jobs if one.endswith(f".{subject}"))
    ),
    "down": lambda seen, _: Expected(
        named=tuple(
            word(name) for name, one in seen.workstations.items() if "LINKED" not in one["activeStates"]
        )
    ),
    "free": lambda seen, subject: Expected(
        named=(word(subject), word(seen.resources[subject]["quantityAvailable"]))
    ),
    "prompts": lambda seen, _: Expected(
        named=tuple(
            f"{word(one.get('name') or one['number'])}|{word(one['number'])}"
            for one in seen.prompts
            if one["status"] == "ASKED"
        )
    ),
    "late": lambda seen, _: Expected(
        named=tuple(
            word(name) for name, one in seen.job_streams.items() if one["jsStatusFlags"]["lateJobStream"]
        )
    ),
    "progress": lambda seen, subject: Expected(
        named=(word(subject), _share(seen.job_streams[subject]["jobStreamStats"]))
    ),
}
