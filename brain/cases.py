"""Resolved incidents as documents: found by search, linked in the graph, weighted by feedback.

A case names roles, never people. The maker finds what was repaired here: a job that had failed, changes of it that
were confirmed, and the end that went well, as the mirror saw it.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, NamedTuple

import structlog
from pydantic import TypeAdapter
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.proposal import Item
from brain.tables import EXECUTIONS, PROPOSALS
from brain.times import span
from knowledge.documents import IngestReport, Properties
from knowledge.errors import KnowledgeError
from knowledge.ingest import Ingest
from knowledge.store import Store
from security.masking import mask_secrets
from tws.engines import Engines
from tws.errors import TwsError
from tws.joblog import read_log
from tws.mirror.plans import Plans
from tws.objects import Job, JobRun

_ROUND = timedelta(minutes=1)
_LOOKED_BACK = timedelta(days=7)
"""A repair that took longer to succeed is no case."""
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('cases'))")
_ITEM: TypeAdapter[Item] = TypeAdapter(Item)
_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "***"),
    (re.compile(r"(?<!\w)(?:\+\d{1,3}[ .-]?)?\(?\d{2,3}\)?[ .-]?\d{4,5}[ .-]\d{4}(?!\w)"), "***"),
    (re.compile(r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"), "***"),
    (
        re.compile(
            r"(?i)\b((?:user|login|logon|usu[aá]rio|operador)(?: ?name| ?id)?\s*(?:[:=]\s*[\"']?|[\"']))[\w.@\\-]+"
        ),
        r"\1***",
    ),
)
"""Mail addresses, telephone numbers, Brazilian tax numbers, names of users."""
_DOCUMENT = resources.files("brain").joinpath("case.md").read_text("utf-8")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A resolved incident."""

    id: str
    """The same incident has the same, e.g. engine and id of the run that failed."""
    subject: str
    """What failed, as conman selects it."""
    symptom: str
    """In a few words, for the title."""
    details: str
    """What was seen, such as lines of the log and message ids."""
    root: str
    fix: str
    by: str
    """Roles or teams."""
    lasted: timedelta
    resolved_at: datetime


async def record(ingest: Ingest, case: Case) -> IngestReport:
    """Makes the case a document, without personal data; the same case replaces it.

    Raises `StoreUnavailableError`.
    """
    values = {
        name: anonymous(getattr(case, name))
        for name in ("subject", "symptom", "details", "root", "fix", "by")
    }
    words = _DOCUMENT.format(**values, lasted=span(case.lasted), resolved_at=case.resolved_at.astimezone(UTC))
    properties = Properties(kind="case", valid_from=case.resolved_at.astimezone(UTC).date())
    return await ingest.ingest_bytes(
        f"case:{case.id}", words.encode(), media_type="text/markdown", properties=properties
    )


def anonymous(words: str) -> str:
    """The text without secrets, mail addresses, telephone and tax numbers, and names of users."""
    masked = str(mask_secrets(words))
    for pattern, replacement in _PERSONAL:
        masked = pattern.sub(replacement, masked)
    return masked


class _Fix(NamedTuple):
    """A confirmed change of a job that had failed, and how the job and its run were before."""

    engine: str
    job: Job
    run: JobRun
    words: str
    role: str
    at: datetime


class CaseMaker:
    """Makes cases of what was repaired; of several processes one does at a time."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        engines: Engines,
        plans: Plans,
        store: Store,
        ingest: Ingest,
        interval: timedelta = _ROUND,
    ) -> None:
        self._engine = engine
        self._engines = engines
        self._plans = plans
        self._store = store
        self._ingest = ingest
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look for repairs."""
        self._task = asyncio.create_task(self._run(), name="cases")

    async def aclose(self) -> None:
        """Stops; a case that is not written yet is written by the next process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> int:
        """Writes the cases that are not written yet and says how many; 0 while another process does.

        Raises `StoreUnavailableError` and the database's errors.
        """
        async with self._engine.begin() as connection:
            if not (await connection.execute(_LOCK)).scalar_one():
                return 0
            at = func.coalesce(EXECUTIONS.c.answered_at, EXECUTIONS.c.approved_at).label("at")
            item = PROPOSALS.c["items"][EXECUTIONS.c.position].label("item")
            query = (
                select(PROPOSALS.c.engine, PROPOSALS.c.proposer_role, item, at)
                .join_from(EXECUTIONS, PROPOSALS)
                .where(EXECUTIONS.c.state == "confirmed", at >= func.now() - _LOOKED_BACK)
                .order_by(at)
            )
            fixes: defaultdict[tuple[str, str], list[_Fix]] = defaultdict(list)
            for fix in filter(None, map(_fix, await connection.execute(query))):
                fixes[fix.engine, fix.job.id].append(fix)
            return sum([await self._make(group) for group in fixes.values()])

    async def _run(self) -> None:
        while True:
            try:
                await self.run_once()
            except (OSError, DBAPIError, KnowledgeError) as error:
                _log.warning("cases_round_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval.total_seconds())

    async def _make(self, fixes: Sequence[_Fix]) -> int:
        """The cases of one job: each is the changes before an end that went well."""
        engine, job = fixes[0].engine, fixes[0].job
        ends = [
            state.valid_from
            for state in await self._plans.history(engine, job.selection)
            if state.object_id == job.id and state.status == "SUCC"
        ]
        spells: defaultdict[datetime, list[_Fix]] = defaultdict(list)
        for fix in fixes:
            if end := min((end for end in ends if end >= fix.at), default=None):
                spells[end].append(fix)
        return sum([await self._write(spell, end) for end, spell in spells.items()])

    async def _write(self, fixes: Sequence[_Fix], resolved_at: datetime) -> bool:
        first, last = fixes[0], fixes[-1]
        case_id = f"{last.engine}:{last.run.id}"
        if await self._store.find(f"case:{case_id}"):
            return False
        log = ""
        if last.engine in self._engines.names:
            with suppress(TwsError):  # it may be gone by now
                log = (await self._engines.get(last.engine).job_log(last.run.id)).text
        findings = read_log(log, last.run.return_code)
        lines = [line.text for line in findings.decisive]
        case = Case(
            id=case_id,
            subject=last.job.selection,
            symptom=last.job.status
            + ("" if last.run.return_code is None else f", RC {last.run.return_code}"),
            details="\n".join((*findings.message_ids, *(f"    {line}" for line in lines))),
            root=lines[0] if lines else "–",
            fix=" → ".join(fix.words for fix in fixes),
            by=", ".join(dict.fromkeys(fix.role for fix in fixes)),
            lasted=max(resolved_at - (first.run.ended_at or first.at), timedelta()),
            resolved_at=resolved_at,
        )
        report = await record(self._ingest, case)
        _log.info("case_recorded", case_id=case_id, outcome=report.outcome)
        return report.outcome != "rejected"


def _fix(row: Any) -> _Fix | None:
    item = _ITEM.validate_python(row.item)
    job = item.before
    if not isinstance(job, Job) or not job.has_failed or job.last_run is None:
        return None
    arguments = (f"{name}={value}" for name, value in item.change.arguments.items())
    words = " ".join((item.change.action, *arguments))
    return _Fix(row.engine, job, job.last_run, words, row.proposer_role, row.at)
