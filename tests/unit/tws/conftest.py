"""Nights that tests only look at."""

from __future__ import annotations

import pytest

from tests.support.night import night
from tws.simulator.engine import Engine


@pytest.fixture(scope="session", params=range(12))
def each_night(request: pytest.FixtureRequest) -> Engine:
    """For tests that only look."""
    return night(request.param)


@pytest.fixture(scope="session")
def seen_night() -> Engine:
    """For tests that only look."""
    return night()
