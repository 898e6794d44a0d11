"""`make teams-e2e`: a person at a real Teams client, from question to confirmed change, with token verification on.

`RESYNC_SCREENSHOTS=docs/images` keeps the pictures. No part of `make test`: the client comes from npm.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from pydantic import SecretStr
from sqlalchemy import select

from bots.webhook.settings import WebhookSettings, WebhookSource
from bots.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from brain.tables import PROPOSALS
from tests.browser.conftest import browser
from tests.e2e.conftest import connector
from tests.support.fake_connector import TENANT, FakeConnector
from tests.support.running import WEBHOOK_SECRET, Resync, running_resync
from tests.support.simulator import running_simulator
from tests.support.teams_activities import AAD_OBJECT_ID
from tests.teams.client import ALERTS_CHANNEL, SigningProxy, install, missing, playground, signing_proxy

__all__ = ["browser", "connector"]

pytestmark = pytest.mark.timeout(300)

_PATIENCE_MS = 30_000
_PERSONAL, _GROUP, _ALERTS = "Personal Chat", "Night shift", "Operations - Alerts"


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's program."""
    if names := missing():
        pytest.skip(f"the Teams client needs what is not here: {', '.join(names)}")
    return await install(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="module")
async def resync(
    connector: FakeConnector, postgres_dsn: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Resync]:
    """A server that believes the proxy's key alone, and posts alerts into a channel of the client."""
    source = WebhookSource(secret=SecretStr(WEBHOOK_SECRET), notify=(f"teams:{TENANT}:{ALERTS_CHANNEL}",))
    async with (
        running_simulator() as tws_url,
        running_resync(
            dsn=postgres_dsn,
            redis_url=redis_url,
            tws_url=tws_url,
            data_dir=tmp_path_factory.mktemp("resync"),
            teams=connector.settings(),
            webhook=WebhookSettings(sources={"tws": source}),
        ) as running,
    ):
        await running.services.database.actors.link(
            "operator", "teams", TENANT, AAD_OBJECT_ID, linked_by="test"
        )
        yield running


@pytest.fixture(scope="module")
async def proxy(resync: Resync, connector: FakeConnector) -> AsyncIterator[tuple[SigningProxy, str]]:
    async with signing_proxy(connector, f"{resync.address}/api/messages") as running:
        yield running


@pytest.fixture(scope="module")
async def page(
    client: Path, proxy: tuple[SigningProxy, str], browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Page]:
    """The client's page, in front of which the operator sits."""
    async with playground(client, proxy[1], tmp_path_factory.mktemp("playground")) as address:
        page = await browser.new_page(viewport={"width": 1400, "height": 1000}, locale="en-US")
        page.set_default_timeout(_PATIENCE_MS)
        await page.goto(address)
        await page.get_by_role("button", name="Hide log panel").click()
        yield page
        await page.close()


async def _open(page: Page, chat: str) -> None:
    await page.get_by_role("treeitem", name=chat).click()


async def _type(page: Page, words: str, *, mention: bool = False, send: str = "Send Message") -> None:
    box = page.get_by_role("textbox").last
    await box.click()
    if mention:
        await box.press_sequentially("@Res", delay=80)
        await page.get_by_role("listbox", name="Typeahead menu").get_by_text("Resync").click()
        words = f" {words}"
    await box.press_sequentially(words)
    await page.get_by_role("button", name=send).click()


def _cards(page: Page) -> Locator:
    return page.locator(".ac-adaptiveCard")


async def _to_top(card: Locator) -> None:
    await card.page.wait_for_timeout(500)  # the client scrolls to the end by itself
    await card.evaluate("element => element.scrollIntoView({block: 'start'})")


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("RESYNC_SCREENSHOTS")
    if folder:
        await page.mouse.move(5, 500)
        await page.wait_for_timeout(300)
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_arrival_is_greeted_with_what_this_person_may_do(page: Page) -> None:
    await expect(_cards(page).last).to_contain_text("Hello Operator")
    await _picture(page, "teams-welcome")


async def test_unsigned_request_is_refused_while_the_client_is_let_in(
    page: Page, resync: Resync, proxy: tuple[SigningProxy, str]
) -> None:
    response = await page.request.post(f"{resync.address}/api/messages", data=dict(proxy[0].activities[0]))
    assert response.status == 401
    assert proxy[0].answers
    assert set(proxy[0].answers) <= {200, 202}


async def test_question_to_card_to_approval_to_confirmed(page: Page, resync: Resync) -> None:
    before = await resync.runs_of("PAYROLL", "PAYDAILY")
    await _open(page, _PERSONAL)
    await _type(page, "why did PAYROLL fail?")
    await expect(_cards(page).last).to_contain_text("ORA-01653", timeout=_PATIENCE_MS)
    await _to_top(_cards(page).last)
    await _picture(page, "teams-answer")
    await _cards(page).last.get_by_role("button", name="Rerun", exact=True).click()
    await expect(_cards(page).last).to_contain_text("gets a new run", timeout=_PATIENCE_MS)
    await _picture(page, "teams-proposal")
    shown = await _cards(page).count()
    assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before)
    await _cards(page).last.get_by_role("button", name="Approve", exact=True).click()
    await expect(_cards(page).last).to_contain_text("Confirmed", timeout=_PATIENCE_MS)
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    assert await _cards(page).count() == shown  # in the place of the card with the buttons
    await _picture(page, "teams-confirmed")
    assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before) + 1


async def test_progress_is_shown_before_the_answer(page: Page) -> None:
    await page.get_by_role("button", name="Toggle Log Panel").click()
    await page.get_by_role("button", name="Clear logs").click()
    await _open(page, _PERSONAL)
    await _type(page, "what failed?")
    await expect(_cards(page).last).to_contain_text("ABEND", timeout=_PATIENCE_MS)
    log = await page.locator("body").aria_snapshot()
    assert " typing 2" in log  # a call of the bot and its status
    await page.get_by_role("button", name="Hide log panel").click()


async def test_decision_elsewhere_updates_the_card(page: Page, resync: Resync) -> None:
    await _open(page, _PERSONAL)
    await _type(page, "hold GERA_HOLERITE")
    await expect(_cards(page).last.get_by_role("button", name="Reject")).to_be_visible(timeout=_PATIENCE_MS)
    async with resync.client("operator") as client:
        async with resync.services.database.engine.connect() as connection:
            is_open = PROPOSALS.c.state == "open"
            proposal_id = (await connection.execute(select(PROPOSALS.c.id).where(is_open))).scalar_one()
        assert (await client.decide(proposal_id, "reject", "not tonight"))[0] == 200
    await expect(_cards(page).last).to_contain_text("Rejected", timeout=_PATIENCE_MS)
    await expect(_cards(page).last.get_by_role("button")).to_have_count(0)


async def test_group_chat_hears_mentions_alone(page: Page, proxy: tuple[SigningProxy, str]) -> None:
    await _open(page, _GROUP)
    await _type(page, "is anybody there?")
    await _type(page, "what is late?", mention=True)
    await expect(_cards(page).last).to_be_visible(timeout=_PATIENCE_MS)
    await _picture(page, "teams-group")
    texts = [activity.get("text", "") for activity in proxy[0].activities]
    assert not any("is anybody there?" in text for text in texts)
    assert any("<at>" in text for text in texts)


async def test_alert_arrives_in_the_channel_by_itself(page: Page, resync: Resync) -> None:
    await _open(page, _ALERTS)
    await _type(page, "help", mention=True, send="Post")
    await expect(_cards(page).last).to_contain_text("Hello", timeout=_PATIENCE_MS)
    alert = {
        "event": "JobStatusChanged",
        "engine": "PROD",
        "JobStreamWorkstation": "AGT_SEC01",
        "JobStreamName": "SECOPS",
        "JobName": "CERT_SYNC",
        "Workstation": "AGT_SEC01",
        "JobNumber": 4711,
        "InternalStatus": "ABEND",
        "ReturnCode": 60,
    }
    body, stamp = json.dumps(alert).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: stamp,
        SIGNATURE_HEADER: sign(WEBHOOK_SECRET, stamp, body),
    }
    taken = await page.request.post(f"{resync.address}/webhooks/tws", data=body, headers=headers)
    assert taken.status == 202
    card = _cards(page).filter(has_text="CERT_SYNC")
    await expect(card).to_contain_text("certificate", timeout=_PATIENCE_MS)
    await expect(card).to_have_count(1)  # the finding is put into the card that was posted first
    await _to_top(card)
    await _picture(page, "teams-alert")
