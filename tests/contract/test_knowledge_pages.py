"""Web pages from a server on loopback, which only a test may allow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from knowledge.errors import DocumentRejectedError, PageGoneError
from knowledge.pages import PageReader

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


async def _answer(request: web.Request) -> web.StreamResponse:
    match request.match_info["page"]:
        case "guide":
            return web.Response(text="<h1>Guide</h1>text", content_type="text/html")
        case "hop":
            left = int(request.query["left"])
            raise web.HTTPFound(f"/hop?left={left - 1}" if left else "/guide")
        case "elsewhere":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        case "large":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(b"x" * 1000)
            return response
        case "gone":
            raise web.HTTPGone
        case "broken":
            raise web.HTTPInternalServerError
    raise web.HTTPNotFound


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{page}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def _reader(**changes: Any) -> PageReader:
    given = {"hosts": ["localhost", "127.0.0.1"], "max_bytes": 50_000, "networks": _LOOPBACK}
    return PageReader(**(given | changes))


async def test_a_page_comes_with_its_type(port: int) -> None:
    assert await _reader().read(f"http://localhost:{port}/guide") == (b"<h1>Guide</h1>text", "text/html")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254", "0.0.0.1"]
)
async def test_internal_addresses_are_refused_whatever_names_them(port: int, host: str) -> None:
    reader = _reader(hosts=["*"], networks=())
    with pytest.raises(DocumentRejectedError, match="internal address"):
        await reader.read(f"http://{host}:{port}/guide")


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::1]",
    ],
)
async def test_no_private_or_translated_address_is_connected_to(address: str) -> None:
    with pytest.raises(DocumentRejectedError, match="internal address"):
        await _reader(hosts=["*"]).read(f"http://{address}/")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://other.example/guide", "not among the allowed"),
        ("http://localhost.evil.example/", "not among the allowed"),
        ("http://user:secret@localhost/guide", "credentials"),
        ("ftp://localhost/guide", "not an address"),
        ("http:///guide", "not an address"),
    ],
)
async def test_what_is_not_allowed_is_not_asked_for(address: str, reason: str) -> None:
    with pytest.raises(DocumentRejectedError, match=reason):
        await _reader().read(address)


async def test_hosts_below_a_name_are_allowed_with_a_star(port: int) -> None:
    with pytest.raises(DocumentRejectedError, match="not among"):
        await _reader(hosts=["*.localhost"]).read(f"http://localhost:{port}/guide")
    with pytest.raises(DocumentRejectedError, match="cannot be read"):
        await _reader(hosts=["*.Invalid"]).read(f"http://wiki.invalid:{port}/guide")


async def test_five_redirects_are_followed_and_no_more(port: int) -> None:
    assert (await _reader().read(f"http://localhost:{port}/hop?left=4"))[1] == "text/html"
    with pytest.raises(DocumentRejectedError, match="more than 5 redirects"):
        await _reader().read(f"http://localhost:{port}/hop?left=5")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://other.example/", "not among the allowed"),
        ("http://x:y@localhost/", "credentials"),
        ("file:///etc/passwd", "not an address"),
        ("http://169.254.169.254/latest/meta-data", "not among the allowed"),
        ("http://[::1/", "cannot be read"),
    ],
)
async def test_redirects_are_checked_like_the_first_address(port: int, target: str, reason: str) -> None:
    start = URL(f"http://localhost:{port}/elsewhere").with_query(to=target)
    with pytest.raises(DocumentRejectedError, match=reason):
        await _reader().read(str(start))


async def test_more_than_allowed_is_not_read_to_the_end(port: int) -> None:
    with pytest.raises(DocumentRejectedError, match="larger than 50000 bytes"):
        await _reader().read(f"http://localhost:{port}/large")


async def test_a_page_that_is_gone_differs_from_one_that_fails(port: int) -> None:
    for page in ("gone", "missing"):
        with pytest.raises(PageGoneError):
            await _reader().read(f"http://localhost:{port}/{page}")
    with pytest.raises(DocumentRejectedError, match="answered 500") as failed:
        await _reader().read(f"http://localhost:{port}/broken")
    assert not isinstance(failed.value, PageGoneError)
