"""Two replicas whose shift has just ended, and one channel."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bots.slack.settings import SlackSettings
from brain.incidents.settings import IncidentSettings
from tests.support import slack_driver
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.postgres import fresh_database
from tests.support.running import running_resync
from tests.support.simulator import running_simulator
from tests.support.waiting import eventually


async def test_the_handover_is_in_the_channel_once(postgres_dsn: str, redis_url: str, tmp_path: Path) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=1)
    incidents = IncidentSettings(notify=("slack:T1:C7",), handover_at=(f"{ended:%H:%M}",))
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack())
        tws_url = await stack.enter_async_context(running_simulator())
        dsn = await stack.enter_async_context(fresh_database(postgres_dsn))
        for _ in range(2):
            server = running_resync(
                dsn=dsn,
                redis_url=redis_url,
                tws_url=tws_url,
                data_dir=tmp_path,
                slack=SlackSettings(
                    bot_token=SecretStr(TOKEN),
                    signing_secret=SecretStr(slack_driver.SECRET),
                    api_url=slack.api_url,
                ),
                incidents=incidents,
            )
            resync = await stack.enter_async_context(server)

        async def posted() -> list[str]:
            shown = [json.dumps(one) for (channel, _), one in slack.messages.items() if channel == "C7"]
            return [one for one in shown if "Shift handover" in one]

        await eventually(posted)
        # Longer than a round of either.
        await asyncio.sleep(6)
        (card,) = await posted()
        assert f"{ended:%H:%M} UTC" in card
        async with resync.client("viewer") as viewer:
            status, now = await viewer.get("/api/v1/handover?hours=1")
        assert status == 200
        assert {line["section"] for line in now["lines"]} == {"failed", "open", "risk"}


@pytest.mark.parametrize("at", ["6:00", "24:00", "06:00Z", ""])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ValidationError):
        IncidentSettings(handover_at=(at,))
