"""Logs of any length, without reading all of a long one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from observability.metrics import Metrics
from tests.support.scripted_tws import Answer, ScriptedTws, running_script, says
from tws.client import TwsClient
from tws.errors import TwsNotFoundError, TwsRejectedError
from tws.settings import TwsSettings
from tws.transport import open_session


class LongLog:
    """A log of numbered lines, made when it is read; counts the bytes that it sends."""

    def __init__(self, lines: int, *, beyond: int = 200) -> None:
        self.lines, self.beyond = lines, beyond
        self.sent = self.asked = 0
        self.special: dict[int, str] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        first = int(request.query.get("from_line", "1"))
        last = min(int(request.query.get("to_line", str(self.lines))), self.lines)
        self.asked += 1
        if first > self.lines:
            return web.Response(status=self.beyond, content_type="text/plain")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        for start in range(first, last + 1, 1000):
            stop = min(start + 1000, last + 1)
            piece = "".join(f"{self.special.get(n, f'line {n} ' + 'x' * 50)}\n" for n in range(start, stop))
            self.sent += len(piece)
            try:
                await response.write(piece.encode())
            except ConnectionError:
                break
        return response


@asynccontextmanager
async def reading(
    answer: Answer, max_log_bytes: str = "64KiB"
) -> AsyncIterator[tuple[TwsClient, ScriptedTws]]:
    async with running_script(answer) as script:
        settings = TwsSettings.model_validate(
            {"url": script.origin, "username": "resync", "read_retries": 0, "max_log_bytes": max_log_bytes}
        )
        async with open_session(settings) as session:
            yield TwsClient(settings, session, Metrics()), script


@pytest.mark.parametrize("beyond", [200, 404, 400])
async def test_a_very_long_log_gives_both_ends_and_its_telling_lines(beyond: int) -> None:
    log = LongLog(2_000_000, beyond=beyond)
    log.special = {
        30_000: "ORA-01653: unable to extend table PAY.NET",
        2_000_000: "= Exit Status           : 8",
    }
    async with reading(log.answer) as (client, _):
        read = await client.job_log("run-1")
    assert read.is_truncated
    lines = read.text.splitlines()
    assert lines[0].startswith("line 1 ")
    assert lines[-1] == "= Exit Status           : 8"
    assert lines[-2].startswith("line 1999999 ")
    assert "ORA-01653: unable to extend table PAY.NET" in lines
    assert any(line.startswith("[... more than ") for line in lines)
    assert len(read.text) < 70_000
    assert log.sent < 40_000_000, "of more than 110 MB"


async def test_an_engine_that_takes_no_windows_gives_the_beginning_at_least() -> None:
    async def whole(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        for start in range(0, 200_000, 1000):
            lines = (b"line %d %s\n" % (number, b"x" * 80) for number in range(start, start + 1000))
            await response.write(b"".join(lines))
        return response

    async with reading(whole) as (client, _):
        read = await client.job_log("run-1")
    assert read.is_truncated
    assert read.text.startswith("line 0 ")


async def test_a_window_has_the_lines_that_were_asked_for() -> None:
    log = LongLog(5000)
    async with reading(log.answer) as (client, _):
        window = await client.job_log_window("run-1", 4999, 6000)
        assert [line.split()[1] for line in window.text.splitlines()] == ["4999", "5000"]
        assert not window.is_truncated
        wide = await client.job_log_window("run-1", 1, 5000)
        assert wide.is_truncated
        assert len(wide.text) < 70_000
        assert (await client.job_log_window("run-1", 6000, 6001)).text == ""


@pytest.mark.parametrize(("first", "last"), [(0, 5), (-1, 5), (7, 6), (1, 2**31)])
async def test_lines_that_cannot_be_are_not_asked_for(first: int, last: int) -> None:
    async with reading(says("", content_type="text/plain")) as (client, script):
        with pytest.raises(TwsRejectedError, match="no lines"):
            await client.job_log_window("run-1", first, last)
        assert script.requests == []


async def test_a_window_of_an_unknown_run_is_not_found() -> None:
    async with reading(says("", status=404)) as (client, _):
        with pytest.raises(TwsNotFoundError, match="run run-1"):
            await client.job_log_window("run-1", 1, 5)


async def test_another_plan_is_named_for_logs_too() -> None:
    async with reading(says("x\n", content_type="text/plain")) as (client, script):
        await client.in_plan("2026-11-21").job_log("run-1")
        assert script.requests[0].query["plan_id"] == "2026-11-21"
