"""Fail-over to a backup master, and changes for the acting master alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from observability.metrics import Metrics
from tests.support.scripted_tws import ScriptedTws, hangs_up, running_script
from tws.actions import Action, Change, ObjectKind
from tws.client import Justification, TwsClient
from tws.errors import TwsNotMasterError, TwsRejectedError, TwsUnreachableError
from tws.settings import TwsSettings
from tws.transport import open_session

HOLD = Change(action=Action.HOLD, kind=ObjectKind.JOB, object_id="job-1", selection="A#S.J")
WHY = Justification(reason="late")
NOT_MASTER = {"messages": ["AWSJPL004E This host is not the master."]}


class Host:
    """A master or backup that can be told how it feels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.v1: dict[str, Any] | None = {"synphonyBatchManStatus": "ENGINE_STATUS_LIVES"}
        self.is_master = True
        self.is_up = True
        self.change_is_lost = False
        self.refusal: dict[str, Any] = NOT_MASTER

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if not self.is_up or (request.method == "PUT" and self.change_is_lost):
            return await hangs_up(request)
        if "/api/v2" not in request.path:
            return web.Response(status=404) if self.v1 is None else web.json_response(self.v1)
        if request.method == "PUT" and not self.is_master:
            return web.json_response(self.refusal, status=500)
        return web.json_response({"id": self.name, "displayVersion": self.name})


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[TwsClient, Host, Host, ScriptedTws, ScriptedTws]]:
    first, second = Host("first"), Host("second")
    async with running_script(first.answer) as one, running_script(second.answer) as two:
        settings = TwsSettings.model_validate(
            {
                "url": one.origin,
                "fallback_urls": [two.origin],
                "username": "resync",
                "write": True,
                "read_retries": 0,
            }
        )
        async with open_session(settings) as session:
            yield TwsClient(settings, session, Metrics()), first, second, one, two


def changes(script: ScriptedTws) -> int:
    return sum(request.method == "PUT" for request in script.requests)


async def test_reads_go_to_the_backup_while_the_master_is_away_and_stay_there() -> None:
    async with pair() as (client, first, _, one, _two):
        assert (await client.engine_info()).version == "first"
        first.is_up = False
        assert (await client.engine_info()).version == "second"
        asked = len(one.requests)
        assert (await client.engine_info()).version == "second"
        assert len(one.requests) == asked, "the one that answered last is asked first"


async def test_reads_come_back_when_the_backup_goes() -> None:
    async with pair() as (client, first, second, _one, _two):
        first.is_up = False
        await client.engine_info()
        first.is_up, second.is_up = True, False
        assert (await client.engine_info()).version == "first"


async def test_when_no_host_answers_the_engine_is_unreachable() -> None:
    async with pair() as (client, first, second, _one, _two):
        first.is_up = second.is_up = False
        with pytest.raises(TwsUnreachableError):
            await client.engine_info()


async def test_a_change_goes_to_the_acting_master() -> None:
    async with pair() as (client, first, second, one, two):
        assert await client.carry_out(HOLD, WHY) == "first"
        first.is_master, first.v1 = False, {"synphonyBatchManStatus": "ENGINE_STATUS_STOPPED"}
        assert await client.carry_out(HOLD, WHY) == "second"
        assert second.is_master
        assert (changes(one), changes(two)) == (1, 1)


@pytest.mark.parametrize("refusal", [NOT_MASTER, {"exceptionName": "EngineNotMaster", "messages": ["no"]}])
async def test_a_host_that_refuses_as_not_the_master_did_nothing_so_the_next_is_asked(refusal: Any) -> None:
    async with pair() as (client, first, _second, one, two):
        first.is_master, first.v1, first.refusal = False, None, refusal
        assert await client.carry_out(HOLD, WHY) == "second"
        assert (changes(one), changes(two)) == (1, 1)


async def test_a_host_that_is_away_is_passed_over_before_anything_is_sent() -> None:
    async with pair() as (client, first, _second, one, two):
        first.is_up = False
        assert await client.carry_out(HOLD, WHY) == "second"
        assert (changes(one), changes(two)) == (0, 1)


async def test_a_change_whose_answer_is_lost_is_sent_to_no_other_host() -> None:
    async with pair() as (client, first, _second, one, two):
        first.change_is_lost = True
        with pytest.raises(TwsUnreachableError) as lost:
            await client.carry_out(HOLD, WHY)
        assert lost.value.was_sent
        assert (changes(one), changes(two)) == (1, 0)


async def test_without_an_acting_master_nothing_is_changed() -> None:
    async with pair() as (client, first, second, _one, _two):
        first.is_master = second.is_master = False
        with pytest.raises(TwsNotMasterError):
            await client.carry_out(HOLD, WHY)
        first.is_up = second.is_up = False
        with pytest.raises(TwsUnreachableError) as away:
            await client.carry_out(HOLD, WHY)
        assert not away.value.was_sent


async def test_any_other_refusal_is_final() -> None:
    async with pair() as (client, first, _second, one, two):
        first.is_master = False
        first.refusal = {"messages": ["AWSBIN076E wrong state"]}
        with pytest.raises(TwsRejectedError) as refused:
            await client.carry_out(HOLD, WHY)
        assert json.dumps(refused.value.message_ids) == '["AWSBIN076E"]'
        assert (changes(one), changes(two)) == (1, 0)
