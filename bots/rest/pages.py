"""The web page and its assets: plain files, served from memory and revalidated by the browser on each load."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

from security.headers import PAGE_HEADERS

from .endpoint import Handler

_FOLDER: Final = Path(__file__).parent / "pages"
_PAGES: Final = {
    "index.html": "/",
    "docs.html": "/docs",
    "handover.html": "/handover",
    "board.html": "/board",
}
# Not from the mimetypes module: it reads the machine's own tables, which differ.
_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def register_pages(app: web.Application) -> None:
    """Adds a route for each file: `/`, `/docs`, `/handover`, `/board` and `/assets/…`."""
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _MEDIA_TYPES:
            app.router.add_get(_PAGES.get(path.name, f"/assets/{path.name}"), _serve(path))


def _serve(path: Path) -> Handler:
    content, media_type = path.read_bytes(), _MEDIA_TYPES[path.suffix]
    etag = hashlib.sha256(content).hexdigest()[:32]

    async def serve(request: web.Request) -> web.Response:
        if any(tag.value in {etag, "*"} for tag in request.if_none_match or ()):
            response = web.Response(status=304, headers=PAGE_HEADERS)
        else:
            response = web.Response(
                body=content, content_type=media_type, charset="utf-8", headers=PAGE_HEADERS
            )
        response.etag = etag
        return response

    return serve
