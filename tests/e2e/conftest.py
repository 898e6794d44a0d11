"""One server with all channels for all end-to-end tests that do not break it; each test has a job of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.slack.settings import SlackSettings
from bots.webhook.settings import WebhookSettings, WebhookSource
from tests.support import slack_driver, teams_activities
from tests.support.fake_connector import TENANT, FakeConnector
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.running import WEBHOOK_SECRET, Resync, running_resync
from tests.support.simulator import running_simulator


@pytest.fixture(scope="session")
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest.fixture(scope="session")
async def connector() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as fake:
        yield fake


@pytest.fixture(scope="session")
async def resync(
    slack: FakeSlack,
    connector: FakeConnector,
    postgres_dsn: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Resync]:
    """A server whose Slack, Microsoft and TWS are on loopback."""
    folder: Path = tmp_path_factory.mktemp("resync")
    source = WebhookSource(secret=SecretStr(WEBHOOK_SECRET), notify=("slack:T1:C9",))
    async with (
        running_simulator() as tws_url,
        running_resync(
            dsn=postgres_dsn,
            redis_url=redis_url,
            tws_url=tws_url,
            data_dir=folder,
            slack=SlackSettings(
                bot_token=SecretStr(TOKEN),
                signing_secret=SecretStr(slack_driver.SECRET),
                api_url=slack.api_url,
            ),
            teams=connector.settings(),
            webhook=WebhookSettings(sources={"tws": source}),
        ) as running,
    ):
        actors = running.services.database.actors
        await actors.link("operator", "slack", "T1", slack_driver.PERSON, linked_by="test")
        await actors.link("operator", "teams", TENANT, teams_activities.AAD_OBJECT_ID, linked_by="test")
        yield running
