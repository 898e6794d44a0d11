"""`make pictures`: what people see in Slack and Teams, in light and dark, as pictures in `docs/images`.

The product answers real requests; what it sends to the two platforms is drawn by the official renderer of Adaptive
Cards and by a renderer of Block Kit, both from npm and no part of the project.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page, async_playwright
from pydantic import SecretStr

from bots.slack.settings import SlackSettings
from bots.webhook.settings import WebhookSettings, WebhookSource
from bots.webhook.signature import sign
from embedded import embedded_postgres, embedded_valkey
from migrations import upgrade
from tests.browser.conftest import ARGUMENTS
from tests.support import slack_driver, teams_activities
from tests.support.fake_connector import TENANT, FakeConnector
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.running import WEBHOOK_SECRET, Resync, running_resync
from tests.support.simulator import running_simulator
from tests.support.slack_driver import SlackDriver

_PACKAGES = (
    "adaptivecards@3.0.6",
    "slack-blocks-to-jsx@1.1.1",
    "react@18.3.1",
    "react-dom@18.3.1",
    "esbuild@0.25.0",
)
_FOLDER = Path(__file__).parents[2] / "docs" / "images"
_PAGE = Path(__file__).parent / "pictures"
_QUESTIONS = {
    "help": "help",
    "answer": "why did PAYROLL fail?",
    "approval": "rerun PAYROLL",
    "approvals": "approvals",
    "error": "why did PAYROL fail?",
}
_PATIENCE = 20.0
"""Seconds."""
_INCIDENTS = "19:alerts@thread.tacv2"

_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """A server between fakes of both platforms."""

    resync: Resync
    slack: FakeSlack
    connector: FakeConnector
    session: aiohttp.ClientSession

    async def in_slack(self, words: str, channel: str, person: str = slack_driver.PERSON) -> Sequence[_Json]:
        """The blocks of the answer."""
        driver = SlackDriver(self.session, f"{self.resync.address}/slack/events")
        await driver.send_event(slack_driver.message(words, channel=channel, user=person))
        return await self.shown_in_slack(channel)

    async def shown_in_slack(self, channel: str) -> Sequence[_Json]:
        def found() -> Sequence[_Json]:
            shown = [one for (place, _), one in self.slack.messages.items() if place == channel]
            return shown[-1]["blocks"] if shown else ()  # type: ignore[no-any-return]  # JSON

        return await _settled(found)

    async def home(self, person: str = slack_driver.PERSON) -> Sequence[_Json]:
        """The blocks of the app's page."""
        driver = SlackDriver(self.session, f"{self.resync.address}/slack/events")
        await driver.send_event(slack_driver.event("app_home_opened", channel="DHOME", tab="home"))
        return await _settled(lambda: self.slack.views.get(person, {}).get("blocks", ()))

    async def in_teams(self, words: str, conversation: str) -> Sequence[_Json]:
        """The card of the answer, alone."""
        return await self._told_teams(
            teams_activities.message(self.connector.service_url, words), conversation
        )

    async def added_to_teams(self, conversation: str) -> Sequence[_Json]:
        """The card that greets whoever adds the app."""
        return await self._told_teams(teams_activities.bot_added(self.connector.service_url), conversation)

    async def _told_teams(self, activity: dict[str, Any], conversation: str) -> Sequence[_Json]:
        activity["conversation"] = activity["conversation"] | {"id": conversation}
        headers = {"Authorization": self.connector.sign()}
        async with self.session.post(
            f"{self.resync.address}/api/messages", json=activity, headers=headers
        ) as answer:
            assert answer.status in {200, 202}
        return await self.shown_in_teams(conversation)

    async def shown_in_teams(self, conversation: str) -> Sequence[_Json]:
        def found() -> Sequence[_Json]:
            sent = [one for one in self.connector.messages if one.conversation_id == conversation]
            return [one.card for one in sent if one.activity.get("attachments")][-1:]

        return await _settled(found)


async def _settled(find: Callable[[], Sequence[_Json]]) -> Sequence[_Json]:
    """What is found once it has not changed for a second."""
    deadline, last = time.monotonic() + _PATIENCE, find()
    while time.monotonic() < deadline:
        await asyncio.sleep(1.5)
        now = find()
        if now and now == last and "hourglass" not in json.dumps(now):
            return now
        last = now
    raise AssertionError(f"nothing came that stayed: {json.dumps(last)[:500]}")


@asynccontextmanager
async def _product(folder: Path) -> AsyncIterator[Product]:
    async with (
        embedded_postgres(folder) as dsn,
        embedded_valkey(folder) as redis_url,
        FakeSlack() as slack,
        FakeConnector() as connector,
        running_simulator() as tws_url,
        aiohttp.ClientSession() as session,
    ):
        await upgrade(dsn)
        notify = ("slack:T1:CNIGHT", f"teams:{TENANT}:{_INCIDENTS}")
        source = WebhookSource(secret=SecretStr(WEBHOOK_SECRET), notify=notify)
        async with running_resync(
            dsn=dsn,
            redis_url=redis_url,
            tws_url=tws_url,
            data_dir=folder / "data",
            slack=SlackSettings(
                bot_token=SecretStr(TOKEN),
                signing_secret=SecretStr(slack_driver.SECRET),
                api_url=slack.api_url,
            ),
            teams=connector.settings(),
            webhook=WebhookSettings(sources={"tws": source}),
        ) as resync:
            actors = resync.services.database.actors
            await actors.link("operator", "slack", "T1", slack_driver.PERSON, linked_by="pictures")
            await actors.link(
                "operator", "teams", TENANT, teams_activities.AAD_OBJECT_ID, linked_by="pictures"
            )
            yield Product(resync, slack, connector, session)


async def _alert(product: Product) -> None:
    """A job's failure, reported by the scheduler; Teams must have met the channel before."""
    await product.in_teams("help", _INCIDENTS)
    alert = {
        "event": "JobStatusChanged",
        "JobStreamWorkstation": "AGT_SEC01",
        "JobStreamName": "SECOPS",
        "JobName": "CERT_SYNC",
        "InternalStatus": "ABEND",
        "JobNumber": 4711,
    }
    body, stamp = json.dumps(alert).encode(), str(int(time.time()))
    headers = {"X-Resync-Timestamp": stamp, "X-Resync-Signature": sign(WEBHOOK_SECRET, stamp, body)}
    url = f"{product.resync.address}/webhooks/tws"
    async with product.session.post(
        url, data=body, headers=headers | {"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 202


async def _shown(product: Product) -> dict[str, tuple[Sequence[_Json], Sequence[_Json]]]:
    """By kind, what Slack and what Teams shows."""
    shown = {
        kind: (await product.in_slack(words, f"D{kind}"), await product.in_teams(words, f"a:{kind}"))
        for kind, words in _QUESTIONS.items()
    }
    shown["onboarding"] = (await product.home(), await product.added_to_teams("a:onboarding"))
    await _alert(product)
    shown["incident"] = (
        await product.shown_in_slack("CNIGHT"),
        await product.shown_in_teams(_INCIDENTS),
    )
    return shown


async def _draw(page: Page, name: str, payload: Sequence[_Json]) -> None:
    """Light beside dark."""
    await page.evaluate("([kind, payload]) => show(kind, payload)", [name.partition("-")[0], payload])
    await page.wait_for_timeout(300)
    await page.locator("#both").screenshot(path=_FOLDER / f"{name}.png")


def _bundle(folder: Path) -> Path:
    """The page's script with its renderers, made by npm's packages."""
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *_PACKAGES]
    subprocess.run(install, check=True)
    shutil.copytree(_PAGE, folder / "src")
    command = [
        str(folder / "node_modules/.bin/esbuild"),
        str(folder / "src" / "pictures.js"),
        "--bundle",
        "--jsx=automatic",
        '--define:process.env.NODE_ENV="production"',
        f"--outfile={folder / 'out' / 'pictures.js'}",
        "--log-level=error",
    ]
    subprocess.run(command, check=True)
    return folder / "out"


async def _main(wanted: Sequence[str]) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    if missing := [
        name for name, there in {"npm": shutil.which("npm"), "chromium": chromium}.items() if not there
    ]:
        sys.stdout.write(f"skipped, for these are not here: {', '.join(missing)}\n")
        return
    with tempfile.TemporaryDirectory(prefix="rs", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with _product(folder) as product:
            shown = await _shown(product)
        out = _bundle(folder / "npm")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = await browser.new_page(viewport={"width": 1400, "height": 900})
            await page.set_content("<body></body>")
            await page.add_style_tag(path=out / "pictures.css")
            await page.add_script_tag(path=out / "pictures.js")
            for kind, (blocks, cards) in shown.items():
                if not wanted or kind in wanted:
                    await _draw(page, f"slack-{kind}", blocks)
                    await _draw(page, f"teams-{kind}-card", cards)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
