"""A client of a server that answers as it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from observability.metrics import Metrics
from tests.support.scripted_tws import Answer, ScriptedTws, running_script, says
from tws.client import Justification, TwsClient
from tws.settings import TwsSettings
from tws.transport import open_session

WHY = Justification(reason="payroll is late", category="incident", ticket="INC-7")
INFO = says('{"displayVersion": "10.2.8", "timezone": "UTC"}')
ACCEPTED = says('{"id": "x"}')
ILLEGAL = says('{"messages": ["AWSJSY404E wraps", "AWSBIN076E is in an incorrect state"]}', status=500)


@asynccontextmanager
async def connected(url: str, *, metrics: Metrics | None = None, **values: Any) -> AsyncIterator[TwsClient]:
    settings = TwsSettings.model_validate(
        {"url": url, "username": "resync", "password": "hunter2", "write": True, **values}
    )
    async with open_session(settings) as session:
        yield TwsClient(settings, session, metrics or Metrics())


@asynccontextmanager
async def scripted(*answers: Answer, **values: Any) -> AsyncIterator[tuple[TwsClient, ScriptedTws]]:
    async with running_script(*answers) as script, connected(script.origin, **values) as client:
        yield client, script


def page(*names: str, count: int, following: str | None = None) -> Answer:
    jobs = [{"id": f"id-{name}", "name": name} for name in names]
    return says(json.dumps({"count": count, "results": jobs, "next": following}))
