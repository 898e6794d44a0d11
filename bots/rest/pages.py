"""The web page and its assets: plain files, revalidated by the browser on each load."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from security.headers import PAGE_HEADERS

from .endpoint import Handler

__all__ = ["Pages"]

_FOLDER: Final = Path(__file__).parent / "pages"
# Not from the mimetypes module: it reads the machine's own tables, which differ.
_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class _File(NamedTuple):
    content: bytes
    media_type: str
    etag: str


class Pages:
    """Serves `/`, `/docs` and `/assets/…` from memory."""

    def __init__(self) -> None:
        self._files = {
            path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA_TYPES
        }

    def register(self, app: web.Application) -> None:
        """Adds the routes."""
        app.router.add_get("/", self._page("index.html"))
        app.router.add_get("/docs", self._page("docs.html"))
        app.router.add_get(r"/assets/{name:[a-z0-9-]+\.(?:css|js|svg)}", self._asset)

    def _page(self, name: str) -> Handler:
        async def page(request: web.Request) -> web.StreamResponse:
            return _answer(request, self._files[name])

        return page

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return _answer(request, file)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, _MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def _answer(request: web.Request, file: _File) -> web.Response:
    known = request.if_none_match or ()
    if any(tag.value in {file.etag, "*"} for tag in known):
        response = web.Response(status=304, headers=PAGE_HEADERS)
    else:
        response = web.Response(
            body=file.content, content_type=file.media_type, charset="utf-8", headers=PAGE_HEADERS
        )
    response.etag = file.etag
    return response
