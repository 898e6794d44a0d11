"""The channel's keys are kept, renewed and looked for without hammering Microsoft."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bots.problems import ProblemError
from bots.teams.verifier import SigningKeys
from tests.support.fake_connector import FakeConnector, private_key


class Clock:
    """Monotonic seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def teams() -> AsyncIterator[FakeConnector]:
    async with FakeConnector() as connector:
        yield connector


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(teams: FakeConnector, clock: Clock) -> AsyncIterator[SigningKeys]:
    async with aiohttp.ClientSession() as session:
        yield SigningKeys(
            session,
            teams.settings().open_id_metadata_url,
            clock=clock,
        )


async def test_keys_are_read_once_for_many(keys: SigningKeys, teams: FakeConnector) -> None:
    found = await asyncio.gather(*(keys.find("k1") for _ in range(20)))
    assert {frozenset({"msteams"})} == {key.endorsements for key in found if key}
    assert teams.metadata_reads == 1


async def test_rotated_key_is_found(keys: SigningKeys, teams: FakeConnector, clock: Clock) -> None:
    await keys.find("k1")
    teams.published["k2"] = (private_key("second"), ["msteams"])
    clock.seconds += 301
    assert await keys.find("k2") is not None
    assert teams.metadata_reads == 2


async def test_made_up_key_ids_cause_one_request_in_five_minutes(
    keys: SigningKeys, teams: FakeConnector, clock: Clock
) -> None:
    await keys.find("k1")
    clock.seconds += 301
    for number in range(20):
        clock.seconds += 10
        assert await keys.find(f"made-up-{number}") is None
    assert teams.metadata_reads == 2


async def test_known_key_does_not_wait_for_a_day_to_be_renewed(
    keys: SigningKeys, teams: FakeConnector, clock: Clock
) -> None:
    await keys.find("k1")
    clock.seconds += 24 * 3600 - 1
    await keys.find("k1")
    assert teams.metadata_reads == 1
    clock.seconds += 1
    await keys.find("k1")
    assert teams.metadata_reads == 2


async def test_withdrawn_key_is_forgotten_after_a_day(
    keys: SigningKeys, teams: FakeConnector, clock: Clock
) -> None:
    await keys.find("k1")
    teams.published = {"k2": (private_key("second"), ["msteams"])}
    clock.seconds += 24 * 3600
    assert await keys.find("k1") is None


async def test_old_keys_stay_when_the_metadata_is_down(
    keys: SigningKeys, teams: FakeConnector, clock: Clock
) -> None:
    await keys.find("k1")
    teams.is_metadata_down = True
    for _ in range(5):
        clock.seconds += 24 * 3600
        assert await keys.find("k1") is not None
    assert teams.metadata_reads == 6


async def test_empty_key_list_replaces_nothing(keys: SigningKeys, teams: FakeConnector, clock: Clock) -> None:
    await keys.find("k1")
    teams.published = {}
    clock.seconds += 24 * 3600
    assert await keys.find("k1") is not None


async def test_bot_recovers_within_seconds_after_a_start_without_metadata(
    keys: SigningKeys, teams: FakeConnector, clock: Clock
) -> None:
    teams.is_metadata_down = True
    for _ in range(3):
        with pytest.raises(ProblemError, match="cannot be read now"):
            await keys.find("k1")
    assert teams.metadata_reads == 1
    teams.is_metadata_down = False
    clock.seconds += 5
    assert await keys.find("k1") is not None


async def test_caller_that_gives_up_leaves_the_others_unharmed(keys: SigningKeys) -> None:
    first = asyncio.create_task(keys.find("k1"))
    others = [asyncio.create_task(keys.find("k1")) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert all(await asyncio.gather(*others))
