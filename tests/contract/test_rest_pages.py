"""The web page's files: complete, cached by content, and within the content security policy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import bots.rest.pages
from bots.problems import problem_middleware
from bots.rest.pages import register_pages

FOLDER = Path(bots.rest.pages.__file__).parent / "pages"
FILES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application(middlewares=[problem_middleware])
    register_pages(app)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(server.make_url("/")) as session:
        yield session
    await server.close()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/handover", "text/html"),
        ("/board", "text/html"),
        ("/assets/app.css", "text/css"),
        ("/assets/main.js", "text/javascript"),
        ("/assets/icon.svg", "image/svg+xml"),
    ],
)
async def test_files_are_revalidated_by_their_content(
    client: aiohttp.ClientSession, path: str, media_type: str
) -> None:
    async with client.get(path) as response:
        assert response.status == 200
        assert response.content_type == media_type
        assert response.headers["Cache-Control"] == "no-cache"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        tag = response.headers["ETag"]
    async with client.get(path, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
        assert response.headers["ETag"] == tag
    async with client.get(path, headers={"If-None-Match": '"other"'}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/assets/index.html", "/assets/..%2Fpages.py", "/assets/"]
)
async def test_what_is_no_asset_is_not_found(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == 404


async def test_every_file_that_the_pages_name_is_there(client: aiohttp.ClientSession) -> None:
    named = set()
    for name in FILES:
        content = (FOLDER / name).read_text()
        named |= set(re.findall(r'"/assets/([^"]+)"', content))
        named |= set(re.findall(r'from "\./([^"]+)"', content))
    assert "main.js" in named
    for name in named:
        async with client.get(f"/assets/{name}") as response:
            assert response.status == 200, name


@pytest.mark.parametrize("name", FILES)
def test_nothing_comes_from_elsewhere_runs_inline_or_is_parsed_from_data(name: str) -> None:
    content = (FOLDER / name).read_text()
    addresses = set(re.findall(r"https?://[\w./-]+", content))
    allowed = {"http://www.w3.org/2000/svg"}
    code = re.sub(r"^\s*//.*$", "", content, flags=re.MULTILINE)
    assert not {address for address in addresses if address in code} - allowed
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "javascript:",
        " style=",
    ):
        assert forbidden not in code
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=\"|<style", code)


def test_both_languages_have_the_same_words() -> None:
    content = (FOLDER / "i18n.js").read_text()
    languages = re.search(r"\n  en: {\n(.*?)\n  },\n  pt: {\n(.*?)\n  },\n};", content, re.DOTALL)
    assert languages
    english, portuguese = (
        re.findall(r"(?:^ +|[{,] )(\w+): [\"\[{]", part, re.MULTILINE) for part in languages.groups()
    )
    assert english == portuguese
    assert len(english) > 60


def test_every_word_that_the_page_asks_for_exists() -> None:
    content = (FOLDER / "i18n.js").read_text()
    asked = set(re.findall(r'data-i18n="(\w+)"', (FOLDER / "index.html").read_text()))
    for path in FOLDER.glob("*.js"):
        asked |= set(re.findall(r'words\("(\w+)"', path.read_text()))
    assert len(asked) > 30
    for name in asked:
        assert re.search(rf"^    {name}: ", content, re.MULTILINE), name
