"""`make cards`: generated replies as cards and blocks, judged by others' validators.

Each Adaptive Card must follow the official schema, stay under the limit, and be taken and shown whole by the official
JavaScript renderer, which npm installs into a temporary folder. Each Block Kit message must keep Slack's limits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.async_api import async_playwright

from bots.slack.render import to_slack
from bots.teams.render import MAX_CARD_BYTES, to_card
from tests.browser.conftest import ARGUMENTS
from tests.support.generated_replies import generated
from tests.support.slack_limits import check_blocks

_PACKAGES = ("adaptivecards@3.0.6", "ajv@6.12.6")
_SCRIPTS = ("adaptivecards/dist/adaptivecards.min.js", "ajv/dist/ajv.min.js")
_BATCH = 100
_SCHEMA = Path(os.environ.get("RESYNC_SHARED", "../shared")) / (
    "schemas/adaptive-cards/adaptive-card-1.5.0.schema.json"
)
_PAGE = Path(__file__).with_name("check.js")


def main() -> int:
    """0 when all is well or cannot be tried here, 1 after complaints, which are printed with their counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    needed = {"npm": shutil.which("npm"), "chromium": chromium, str(_SCHEMA): _SCHEMA.is_file()}
    if missing := [name for name, there in needed.items() if not there]:
        sys.stdout.write(f"skipped, for these are not here: {', '.join(missing)}" + "\n")
        return 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *_PACKAGES]
        subprocess.run(install, check=True)
        complaints = asyncio.run(
            _check(arguments.count, arguments.seed, Path(folder, "node_modules"), chromium)
        )
    for complaint, times in complaints.most_common(20):
        sys.stdout.write(f"{times:6} × {complaint}" + "\n")
    seconds = time.monotonic() - started
    sys.stdout.write(f"{arguments.count} replies, {complaints.total()} complaints, {seconds:.0f} s" + "\n")
    return 1 if complaints else 0


async def _check(count: int, seed: int, modules: Path, chromium: str) -> Counter[str]:
    schema = json.loads(_SCHEMA.read_text("utf-8-sig"))
    del schema["$schema"]
    complaints: Counter[str] = Counter()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page()
        for script in _SCRIPTS:
            await page.add_script_tag(path=modules / script)
        await page.evaluate(
            """schema => {
                const options = { schemaId: "auto", meta: false, validateSchema: false, unknownFormats: "ignore" };
                window.followsSchema = new Ajv(options).compile(schema);
            }""",
            schema,
        )
        one = _PAGE.read_text("utf-8").partition("\n")[2].rstrip()
        replies = list(generated(count, seed))
        for start in range(0, count, _BATCH):
            cards = []
            for reply, locale in replies[start : start + _BATCH]:
                card = to_card(reply, locale)
                cards.append(card)
                size = len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode())
                complaints.update(["too large"] * (size > MAX_CARD_BYTES))
                complaints.update(f"Slack: {problem}" for problem in check_blocks(to_slack(reply).blocks))
            complaints.update(await page.evaluate(f"cards => cards.flatMap({one})", cards))
        await browser.close()
    return complaints


if __name__ == "__main__":
    raise SystemExit(main())
