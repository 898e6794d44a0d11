"""The web page as a person uses it; `RESYNC_SCREENSHOTS=docs/images` keeps the pictures."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.support.running import Resync
from tests.support.simulator import PASSWORD

_PATIENCE_MS = 30_000


@asynccontextmanager
async def _signed_in(browser: Browser, resync: Resync, user: str, **context: Any) -> AsyncIterator[Page]:
    """A fresh browser profile in which somebody has signed in; fails on any error the page reports."""
    options: dict[str, Any] = {"viewport": {"width": 1180, "height": 900}, "locale": "en-US"} | context
    profile = await browser.new_context(**options)
    page = await profile.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    await page.goto(resync.address)
    await page.get_by_test_id("login-username").fill(user)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-password").press("Enter")
    await expect(page.get_by_test_id("chat-input")).to_be_visible()
    yield page
    assert errors == []
    await profile.close()


async def _ask(page: Page, question: str) -> None:
    await page.get_by_test_id("chat-input").fill(question)
    await page.get_by_test_id("chat-input").press("Enter")


async def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("RESYNC_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_question_to_card_to_approval_to_confirmed(browser: Browser, resync: Resync) -> None:
    before = await resync.runs_of("PAYROLL", "PAYDAILY")
    async with _signed_in(browser, resync, "operator") as page:
        await _ask(page, "why did PAYROLL fail?")
        await expect(page.get_by_test_id("citation").first).to_be_visible(timeout=_PATIENCE_MS)
        await expect(page.get_by_test_id("message").last).to_contain_text("ORA-01653")
        await _picture(page, "web-answer")
        await page.get_by_test_id("citation").nth(1).click()
        await expect(page.get_by_test_id("passage")).to_contain_text("PAY_DATA")
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("passage")).to_be_hidden()
        await page.get_by_role("button", name="Rerun", exact=True).first.click()
        await expect(page.get_by_test_id("proposal")).to_contain_text("gets a new run")
        await _picture(page, "web-proposal")
        assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before)
        await page.get_by_test_id("approve").click()
        outcome = page.get_by_test_id("outcome")
        await expect(outcome).to_have_attribute("data-state", "confirmed", timeout=_PATIENCE_MS)
        await expect(page.get_by_test_id("approve")).to_have_count(0)
        await _picture(page, "web-confirmed")
    assert len(await resync.runs_of("PAYROLL", "PAYDAILY")) == len(before) + 1


async def test_portuguese_dark_and_narrow(browser: Browser, resync: Resync) -> None:
    looks = {"locale": "pt-BR", "color_scheme": "dark", "viewport": {"width": 420, "height": 860}}
    async with _signed_in(browser, resync, "viewer", **looks) as page:
        await _ask(page, "por que o FECHAMENTO não começou?")
        await expect(page.get_by_test_id("message").last).to_contain_text("APURACAO", timeout=_PATIENCE_MS)
        await expect(page.get_by_role("button", name="Reexecutar", exact=True)).to_have_count(0)
        widths = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1]
        await _picture(page, "web-portuguese-dark")


async def test_a_chat_is_linked_by_a_code_from_the_page(browser: Browser, resync: Resync) -> None:
    async with _signed_in(browser, resync, "viewer") as page:
        await page.get_by_test_id("link-chat").click()
        shown = page.get_by_test_id("link-code")
        await expect(shown).to_have_text(re.compile(r"^link [A-Z2-9]{5}-[A-Z2-9]{5}$"))
        await _picture(page, "web-link")
        await page.get_by_role("button", name="Close").click()
        await expect(shown).to_be_hidden()


async def test_the_page_loads_nothing_from_elsewhere(browser: Browser, resync: Resync) -> None:
    profile = await browser.new_context()
    page = await profile.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(resync.address)
    await page.goto(f"{resync.address}/docs")
    await expect(page.get_by_text("/api/v1/chat").first).to_be_visible(timeout=_PATIENCE_MS)
    await profile.close()
    assert asked
    assert [url for url in asked if not url.startswith(resync.address)] == []


async def test_an_answer_is_judged_and_corrected(browser: Browser, resync: Resync) -> None:
    async with _signed_in(browser, resync, "viewer", locale="pt-BR") as page:
        await _ask(page, "o que significa ORA-01653?")
        await page.get_by_test_id("feedback-bad").click()
        await page.get_by_test_id("feedback-correction").fill("É o tablespace PAY_DATA.")
        await page.get_by_test_id("feedback-send").click()
        await expect(page.get_by_test_id("feedback")).to_contain_text("Correção enviada.")
        await page.reload()
        await expect(page.get_by_test_id("feedback-bad")).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_test_id("feedback-correction")).to_have_value("É o tablespace PAY_DATA.")
        await page.get_by_test_id("feedback-good").click()
        await expect(page.get_by_test_id("feedback-correction")).to_have_count(0)


async def test_a_request_of_several_parts_shows_its_steps(browser: Browser, resync: Resync) -> None:
    async with _signed_in(browser, resync, "operator", viewport={"width": 1180, "height": 1250}) as page:
        await _ask(page, "what failed and why, and which prompts are waiting?")
        steps = page.locator('details[data-kind="steps"]')
        await expect(steps).to_be_visible(timeout=_PATIENCE_MS)
        await expect(steps.locator(".step").first).to_be_hidden()
        await steps.locator("summary").click()
        await expect(steps.locator(".step", has_text="AGT_FIN01#CONTABIL.APURACAO")).to_be_visible()
        await expect(steps.locator(".tone-danger")).to_have_count(0)
        depths = await steps.locator("li > ul > li > ul > li").count()
        assert depths >= 8
        await _picture(page, "web-steps")


async def test_the_board_shows_what_is_wrong_while_it_happens(browser: Browser, resync: Resync) -> None:
    async with _signed_in(browser, resync, "operator", viewport={"width": 1400, "height": 1000}) as page:
        await page.get_by_role("link", name="Board").click()
        await expect(page.get_by_test_id("live")).to_have_text("Live", timeout=_PATIENCE_MS)
        await expect(page.locator(".plan .counts").first).to_contain_text("SUCC")
        found = page.locator("[data-incident]", has_text="POS_SETTLE")
        await expect(found).to_be_visible(timeout=_PATIENCE_MS)
        await found.locator(".title").click()
        await expect(found.locator(".timeline")).to_contain_text("opened")
        await found.get_by_role("button", name="Acknowledge").click()
        # By the stream alone: nothing is loaded anew.
        await expect(found.locator(".state")).to_have_text("acknowledged · operator")
        await expect(page.locator("#figures tbody tr").first).to_contain_text("All")
        await page.get_by_test_id("board").evaluate("element => element.scrollTo(0, 0)")
        await _picture(page, "web-board")
        await page.emulate_media(color_scheme="dark")
        await page.set_viewport_size({"width": 400, "height": 900})
        await page.get_by_test_id("language").click()
        await expect(page.get_by_role("heading", name="Incidentes")).to_be_visible()
        main = page.get_by_test_id("board")
        widths = await main.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert widths[0] <= widths[1]
        await _picture(page, "web-board-dark")


async def test_a_shift_is_handed_over_as_a_document(browser: Browser, resync: Resync) -> None:
    async with _signed_in(browser, resync, "operator") as page:
        await _ask(page, "which incidents are open?")
        await expect(page.get_by_text("CERT_SYNC failed").first).to_be_visible(timeout=_PATIENCE_MS)
        await page.get_by_role("button", name=re.compile("^Acknowledge")).first.click()
        await expect(page.get_by_text("is acknowledged").first).to_be_visible(timeout=_PATIENCE_MS)
        await page.get_by_role("link", name="Handover").click()
        taken = page.locator('[data-section="done"] li', has_text="taken").first
        await expect(taken.locator(".by")).to_have_text("operator")
        await taken.get_by_role("button").click()
        await expect(taken.locator("pre")).to_contain_text('"kind": "acknowledge"')
        await _picture(page, "web-handover")
        await taken.get_by_role("button").click()
        await page.emulate_media(media="print")
        await expect(page.locator(".bar")).to_be_hidden()
        await _picture(page, "web-handover-print")
        await page.emulate_media(media="screen", color_scheme="dark")
        await page.set_viewport_size({"width": 400, "height": 800})
        await page.get_by_test_id("language").click()
        await expect(page.get_by_role("heading", name="Passagem de turno")).to_be_visible()
        await expect(page.locator('[data-section="done"]')).to_contain_text("assumido")
        main = page.get_by_test_id("handover")
        widths = await main.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert widths[0] <= widths[1]
        await _picture(page, "web-handover-dark")
