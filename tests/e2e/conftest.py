"""One server for all end-to-end tests that do not break it; each test uses a job of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.running import Resync, running_resync
from tests.support.simulator import running_simulator


@pytest.fixture(scope="session")
async def resync(
    postgres_dsn: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Resync]:
    folder: Path = tmp_path_factory.mktemp("resync")
    async with (
        running_simulator() as tws_url,
        running_resync(dsn=postgres_dsn, redis_url=redis_url, tws_url=tws_url, data_dir=folder) as running,
    ):
        yield running
