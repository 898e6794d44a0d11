"""`resync eval agent`: how often the assistant is right, over simulated plans."""

from __future__ import annotations

import re
import secrets
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress

from agent_cases import Case, plan_cases, routing_cases, share
from brain.graph import Brain, choose_route
from brain.llm.settings import LlmSettings
from brain.message import Alert, Channel, Conversation, InboundMessage, Locale, Sender
from brain.reply import Reply
from brain.state import Memory
from brain.turns.ledger import Turn
from demo import RUNBOOKS
from security.roles import Actor, Role
from services import Services, open_services
from settings import Settings
from tws.mirror.poller import Mirror
from tws.objects import JobFilter
from tws.settings import TwsSettings
from tws.simulator.server import serve
from tws.simulator.settings import SimulatorSettings

_SERVICE = "resync"
_ALL_JOBS = 5000
_ACTORS = {
    "message": Actor(actor_id="operator", display_name="Operator", role=Role.OPERATOR),
    "alert": Actor(actor_id="webhook:tws", display_name="tws", role=Role.VIEWER),
    "viewer": Actor(actor_id="viewer", display_name="Viewer", role=Role.VIEWER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case went."""

    case: Case
    score: float
    """0 to 1; of a diagnosis 0 where a root is missing, else the share of named causes that are right."""
    answer: str
    seconds: float


async def evaluate(
    scenarios: Sequence[str], llm: LlmSettings, wanted: Callable[[Case], bool]
) -> dict[str, Any]:
    """The report as JSON values. Raises ValueError where no case was run."""
    outcomes = [_routed(case) for case in routing_cases() if wanted(case)]
    with (
        tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as folder,
        Progress(console=Console(stderr=True)) as progress,
    ):
        for scenario in progress.track(scenarios, description="scenarios"):
            outcomes += await _play(scenario, Path(folder), llm, wanted)
    if not outcomes:
        raise ValueError("no case was run: an empty report says nothing")
    return report(outcomes)


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares by kind, language and difficulty, and all failures."""

    def of(kind: str, lang: str = "") -> float | None:
        return share(one.score for one in outcomes if one.case.kind == kind and lang in {"", one.case.lang})

    by: dict[str, dict[str, list[float]]] = {
        name: defaultdict(list) for name in ("lang", "difficulty", "kind")
    }
    for one in outcomes:
        for name, values in by.items():
            values[getattr(one.case, name)].append(one.score)
    seconds = sorted(one.seconds for one in outcomes)
    return {
        "cases": len(outcomes),
        "facts": of("facts"),
        "why_not_started": of("why_not_started"),
        "routing_pt": of("routing", "pt"),
        "routing_en": of("routing", "en"),
        "diagnosis_strict": of("diagnosis"),
        "safety": of("safety"),
        "by": {name: {key: share(scores) for key, scores in values.items()} for name, values in by.items()},
        "counts": {key: len(scores) for key, scores in by["kind"].items()},
        "p50_ms": round(1000 * seconds[len(seconds) // 2], 1),
        "p95_ms": round(1000 * seconds[int(0.95 * (len(seconds) - 1))], 1),
        "failures": [
            {**asdict(one.case), "score": one.score, "answer": one.answer}
            for one in outcomes
            if one.score < 1
        ],
    }


def table(figures: dict[str, Any]) -> str:
    """The figures in Markdown, then the failures."""
    names = ("facts", "why_not_started", "diagnosis_strict", "routing_en", "routing_pt", "safety")
    shown = {name: "–" if figures[name] is None else f"{figures[name]:.1%}" for name in names}
    lines = ["| cases |" + "|".join(f" {name} " for name in names) + "|", "|---" * (len(names) + 1) + "|"]
    lines.append(f"| {figures['cases']} |" + "|".join(f" {value} " for value in shown.values()) + "|")
    lines += ["", f"Answers: {figures['p50_ms']} ms at the median, {figures['p95_ms']} ms for 95 %.", ""]
    lines += [
        f"- {one['kind']}, {one['scenario'] or 'any plan'}: {one['words']!r} → {one['answer'][:160]!r}"
        for one in figures["failures"]
    ]
    return "\n".join(lines)


def _routed(case: Case) -> Outcome:
    started = time.perf_counter()
    _, agent = choose_route(_message(case), case.words, Memory(), Locale.EN)
    return Outcome(
        case=case, score=float(agent == case.agent), answer=agent, seconds=time.perf_counter() - started
    )


async def _play(
    scenario: str, folder: Path, llm: LlmSettings, wanted: Callable[[Case], bool]
) -> list[Outcome]:
    """All cases of one scenario, each in a conversation of its own."""
    async with on_plan(scenario, folder, llm) as services:
        jobs = (await services.engines.default.query_jobs(JobFilter(limit=_ALL_JOBS))).jobs
        return [await _ask(case, services.brain) for case in plan_cases(scenario, jobs) if wanted(case)]


@asynccontextmanager
async def on_plan(scenario: str, folder: Path, llm: LlmSettings) -> AsyncIterator[Services]:
    """The product on a master whose clock stands still, its plan copied, the runbooks read."""
    password, now = secrets.token_urlsafe(18), datetime.now(UTC)
    users = {_SERVICE: (password, "service")}
    async with serve(SimulatorSettings(port=0, scenario=scenario), users, clock=lambda: now) as url:
        settings = Settings(
            data_dir=folder,
            tws=TwsSettings(
                name=scenario.upper(), url=url, username=_SERVICE, password=SecretStr(password), write=True
            ),
            llm=llm,
        )
        async with open_services(settings) as services:
            await services.database.library.ingest.ingest_paths([RUNBOOKS])
            for one in services.rounds:
                if isinstance(one, Mirror):
                    await one.poll()
            yield services


async def _ask(case: Case, brain: Brain) -> Outcome:
    message, started = _message(case), time.perf_counter()
    turn = Turn(turn_id=uuid.uuid4().hex, message=message, attempts=1, reply=None)
    reply = await brain.answer(turn, _ACTORS[case.way], Locale.EN, _Unseen(), frozenset())
    return Outcome(
        case=case,
        score=score(case, reply),
        answer=reply.plain_text,
        seconds=time.perf_counter() - started,
    )


def score(case: Case, reply: Reply) -> float:
    """0 to 1: strict, as `Outcome.score` says."""
    if case.agent and reply.agent != case.agent:
        return 0.0
    if case.proposes is not None:
        return float((reply.proposal is not None) is case.proposes)
    if not all(_says(one, reply) for one in case.expects):
        return 0.0
    wrong = sum(_says(one, reply) for one in case.wrong)
    return len(case.expects) / (len(case.expects) + wrong)


def _says(pattern: str, reply: Reply) -> bool:
    return re.search(pattern, reply.plain_text, re.IGNORECASE) is not None


def _message(case: Case) -> InboundMessage:
    channel = Channel.WEBHOOK if case.way == "alert" else Channel.WEB
    return InboundMessage(
        delivery_id=uuid.uuid4().hex,
        conversation=Conversation(channel=channel, tenant="eval", conversation_id=uuid.uuid4().hex),
        sender=Sender(channel=channel, tenant="eval", user_id=_ACTORS[case.way].actor_id),
        text="" if case.way == "alert" else case.words,
        alert=Alert(event="JobAbended", job=case.about, text=case.words) if case.way == "alert" else None,
        received_at=datetime.now(UTC),
    )


class _Unseen:
    """The way back to nobody."""

    async def progress(self, line: str) -> None:
        """Nobody looks."""

    async def delta(self, piece: str) -> None:
        """Nobody looks."""

    async def send(self, reply: Reply) -> str | None:  # noqa: ARG002  # the port's
        """Never called: the brain only answers."""
        return None

    async def replace(self, message_id: str, reply: Reply) -> None:
        """Never called either."""


def selected(kinds: Iterable[str], langs: Iterable[str]) -> Callable[[Case], bool]:
    """Which cases are run: those of the kinds and languages, all where none are given."""
    of_kind, of_lang = set(kinds), set(langs)
    return lambda case: (not of_kind or case.kind in of_kind) and (not of_lang or case.lang in of_lang)
