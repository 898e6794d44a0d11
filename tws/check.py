"""What an operator wants to know of an engine before trusting Resync with it: `resync check --tws NAME`."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cryptography import x509
from yarl import URL

from .client import TwsClient
from .contents import PlanInfo
from .errors import TwsError
from .model import EngineInfo
from .objects import JobFilter, JobStreamFilter
from .operations import CHANGES, V1, V2, Call, Read
from .settings import TwsSettings
from .transport import tls_context

_T = TypeVar("_T")
_DOCUMENT = "/WA_API3_v2.json"
"""Where each master serves its own description, below `/twsd`."""
_PARAMETER = re.compile(r"\{\w+\}")
_SAMPLE = 50
"""Objects whose lists of actions are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was found; empty where it could not be asked, then `problems` says why."""

    engine: EngineInfo
    plan: PlanInfo
    permissions: Mapping[str, frozenset[str]]
    """What the account may do, by type of object as the Security file names it."""
    actions: Mapping[str, tuple[str, ...]]
    """Keys of actions that some jobs and job streams of the plan offer the account, by kind of object."""
    known: Mapping[str, tuple[str, ...]]
    """Keys of all actions that the engine knows, by type of object."""
    differences: tuple[str, ...]
    """Where the engine's description of its API differs from what Resync asks, one sentence each."""
    clock_skew: timedelta | None
    """How far the engine's clock is ahead of this machine's."""
    certificate_days: int | None
    """Whole days until the engine's certificate ends; negative after it; None without TLS."""
    problems: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What is known, a fact a line; differences and problems apart."""
        yield f"version: {self.engine.version}, time zone {self.engine.time_zone or 'unknown'}"
        yield f"plan: run {self.plan.run_number}, {self.plan.starts_at} to {self.plan.ends_at}"
        yield f"clock: {self.clock_skew} ahead of this machine's"
        if self.certificate_days is not None:
            yield f"certificate: {self.certificate_days} days left"
        yield from (f"rights on {kind}: {', '.join(sorted(may))}" for kind, may in self.permissions.items())
        yield from (f"actions on a {kind}: {', '.join(keys)}" for kind, keys in self.actions.items())
        yield from (f"actions known on {kind}: {', '.join(keys)}" for kind, keys in self.known.items())


async def check(client: TwsClient) -> CheckReport:
    """Asks the engine everything that matters and changes nothing. Never raises the errors of `tws.errors`."""
    problems: list[str] = []

    async def ask(question: Awaitable[_T], otherwise: _T) -> _T:
        try:
            return await question
        except (TwsError, OSError) as error:
            problems.append(str(error) or type(error).__name__)
            return otherwise

    return CheckReport(
        engine=await ask(client.engine_info(), EngineInfo(version="", time_zone="")),
        plan=await ask(client.plan_info(), PlanInfo(run_number=None, starts_at=None, ends_at=None)),
        permissions=await ask(client.permissions(), {}),
        actions=await ask(_offered(client), {}),
        known={
            name: tuple(one.key for one in actions)
            for name, actions in (await ask(client.objects_info(), {})).items()
        },
        differences=await ask(_compare(client), ()),
        certificate_days=await ask(_certificate_days(client.settings), None),
        clock_skew=client.clock_skew,
        problems=tuple(dict.fromkeys(problems)),
    )


async def _offered(client: TwsClient) -> Mapping[str, tuple[str, ...]]:
    jobs = (await client.query_jobs(JobFilter(limit=_SAMPLE))).jobs
    streams = await client.query_job_streams(JobStreamFilter(limit=_SAMPLE))
    return {
        "job": tuple(sorted({key for one in jobs for key in one.actions})),
        "job_stream": tuple(sorted({key for one in streams for key in one.actions})),
    }


async def _compare(client: TwsClient) -> tuple[str, ...]:
    document = await client.transport.read(Call(path=_DOCUMENT, api=V1))
    return tuple(dict.fromkeys(differences(document)))


def differences(document: object) -> Iterator[str]:
    """Operations that Resync uses and the OpenAPI document lacks, or describes otherwise; pure."""
    root: Any = document if isinstance(document, Mapping) else {}
    paths = root.get("paths", {}).items()
    known = {_PARAMETER.sub("{}", path.removeprefix(f"/twsd{V2}")): item for path, item in paths}
    wanted = [("GET", one.path, set(one.parameters), False) for one in Read]
    wanted += [(one.method, one.path, set(one.query), one.body is not None) for one in CHANGES.values()]
    for method, path, sent, has_body in wanted:
        item = known.get(_PARAMETER.sub("{}", path), {})
        operation = item.get(method.lower())
        if operation is None:
            others = ", ".join(name.upper() for name in item if name in _METHODS)
            yield f"{method} {path} is missing" + (f"; there is {others}" if others else "")
            continue
        yield from (
            f"{method} {path}: {text}" for text in _unlike(root, item, operation, sent, has_body=has_body)
        )


_METHODS = frozenset({"get", "put", "post", "patch", "delete"})


def _unlike(root: Any, item: Any, operation: Any, sent: set[str], *, has_body: bool) -> Iterator[str]:
    listed = [*item.get("parameters", ()), *operation.get("parameters", ())]
    parameters = [_resolve(root, one) for one in listed]
    declared = {one["name"] for one in parameters if one.get("in") == "query"}
    required = {one["name"] for one in parameters if one.get("required") and one.get("in") != "path"}
    for name in sorted(sent - declared):
        yield f"does not take {name}"
    for name in sorted(required - sent):
        yield f"needs {name}, which Resync does not send"
    body = _resolve(root, operation.get("requestBody", {}))
    if has_body and not body:
        yield "takes no body"
    if body.get("required") and not has_body:
        yield "needs a body, which Resync does not send"


def _resolve(root: Any, part: Any) -> Any:
    """What a `$ref` within the document stands for."""
    reference = part.get("$ref")
    if reference is None:
        return part
    for name in reference.removeprefix("#/").split("/"):
        root = root.get(name, {})
    return root


async def _certificate_days(settings: TwsSettings) -> int | None:
    url = URL(settings.url)
    if url.scheme != "https":
        return None
    context = tls_context(settings)
    if isinstance(context, bool):
        # Not verified where the settings say so; all that is read is the date.
        context = ssl.create_default_context() if context else ssl._create_unverified_context()  # noqa: S323, SLF001
    async with asyncio.timeout(settings.connect_timeout.total_seconds()):
        _, writer = await asyncio.open_connection(url.host, url.port, ssl=context)
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return (x509.load_der_x509_certificate(der).not_valid_after_utc - datetime.now(UTC)).days
