"""The command of the event rules, as the TWS host runs it, against the real route."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.problems import problem_middleware
from bots.webhook.routes import WebhookRoutes
from bots.webhook.settings import WebhookSettings, WebhookSource
from brain.incidents.alerts import Alerts, StoredAlert, waiting
from observability.metrics import Metrics
from tests.support.repository import ROOT

_FOLDER = ROOT / "manifests" / "tws"
_SECRET = "a secret of thirty-two characters"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "openssl"))), reason="the script needs sh, curl and openssl"
)


class Host:
    """A machine with the script on it, which sends to a port where Resync may be or not."""

    def __init__(self, engine: AsyncEngine, folder: Path) -> None:
        self.engine, self.folder, self.port = engine, folder, unused_port()
        (folder / "secret").write_text(_SECRET)

    @property
    def spooled(self) -> list[Path]:
        return sorted((self.folder / "spool").glob("*.json"))

    async def notify(self, *arguments: str) -> int:
        settings = {
            "RESYNC_WEBHOOK_URL": f"http://127.0.0.1:{self.port}/webhooks/night",
            "RESYNC_SECRET_FILE": str(self.folder / "secret"),
            "RESYNC_SPOOL": str(self.folder / "spool"),
            "RESYNC_NOTIFY_CONF": "/nowhere",
            "PATH": "/usr/bin:/bin",
        }
        process = await asyncio.create_subprocess_exec(
            "sh", str(_FOLDER / "notify-resync.sh"), *arguments, env=settings, stderr=asyncio.subprocess.PIPE
        )
        await process.communicate()
        assert process.returncode is not None
        return process.returncode

    @asynccontextmanager
    async def resync(self) -> AsyncIterator[None]:
        app = web.Application(middlewares=[problem_middleware])
        settings = WebhookSettings(sources={"night": WebhookSource(secret=_SECRET)})
        WebhookRoutes(settings, Alerts(self.engine), Metrics()).register(app)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        yield
        await runner.cleanup()

    async def alerts(self) -> list[StoredAlert]:
        async with self.engine.connect() as connection:
            return await waiting(connection, limit=100, read_at=datetime.now(UTC))


@pytest.fixture
def host(engine: AsyncEngine, tmp_path: Path) -> Host:
    return Host(engine, tmp_path)


async def test_an_event_arrives_as_it_happened_whatever_its_texts_have(host: Host) -> None:
    message = 'he said "no"\\n\tC:\\temp $(rm -rf /) `id` ção\nsecond line\x07'
    async with host.resync():
        status = await host.notify(
            "event=JobStatusChanged",
            "JobStreamName=DWH",
            "JobName=LOAD",
            "ReturnCode=8",
            "InternalStatus=ABEND",
            "TimeStamp=2026-03-02T01:13:07Z",
            f"ErrorMessage={message}",
        )
    (stored,) = await host.alerts()
    assert status == 0
    assert (stored.alert.job_stream, stored.alert.job, stored.alert.return_code) == ("DWH", "LOAD", 8)
    assert stored.alert.happened_at == datetime(2026, 3, 2, 1, 13, 7, tzinfo=UTC)
    assert stored.alert.text == message.removesuffix("\x07")
    assert host.spooled == []


async def test_what_cannot_be_sent_waits_and_arrives_once(host: Host) -> None:
    for number in (1, 2):
        assert await host.notify("event=JobStatusChanged", "JobName=LOAD", f"JobNumber={number}") == 1
    assert len(host.spooled) == 2
    async with host.resync():
        assert await host.notify("event=JobStatusChanged", "JobName=LOAD", "JobNumber=3") == 0
        assert await host.notify() == 0
        assert host.spooled == []
    stored = await host.alerts()
    assert [one.times for one in stored] == [1, 1, 1]


async def test_calls_at_once_lose_nothing(host: Host) -> None:
    async with host.resync():
        await asyncio.gather(
            *(
                host.notify("event=JobStatusChanged", "JobName=LOAD", f"JobNumber={number}")
                for number in range(8)
            )
        )
        await host.notify()
    assert len(await host.alerts()) == 8
    assert host.spooled == []


async def test_what_is_refused_for_good_does_not_stop_the_rest(host: Host) -> None:
    async with host.resync():
        assert await host.notify("other=nothing that Resync knows") == 0
        assert await host.notify("event=JobLate", "JobName=LOAD") == 0
    assert len(await host.alerts()) == 1
    assert len(list((host.folder / "spool" / "refused").iterdir())) == 1


def test_the_rules_fill_attributes_that_resync_reads() -> None:
    tree = ET.parse(_FOLDER / "event-rules.xml")  # noqa: S314  # our own file
    space = "{http://www.ibm.com/xmlns/prod/tws/1.0/event-management/rules}"
    rules = tree.getroot().findall(f"{space}eventRule")
    known = {
        "event",
        "LinkStatus",
        *re.findall(r'alias="(\w+)"', (ROOT / "bots/webhook/inbound.py").read_text()),
    }
    assert len(rules) == 3
    for rule in rules:
        name = rule.attrib["name"]
        assert len(name) <= 40
        assert rule.attrib["isDraft"] == "yes"
        condition = rule.find(f"{space}eventCondition")
        assert condition is not None
        commands = [
            value.text or "" for value in rule.iter(f"{space}value") if "notify-resync" in (value.text or "")
        ]
        (command,) = commands
        for attribute, variable, source in re.findall(r'"(\w+)=\$\{(\w+)\.(\w+)\}"', command):
            assert attribute in known, name
            assert (variable, source) == (condition.attrib["name"], attribute)
