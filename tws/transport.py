"""HTTP to one engine: the session, retries of reads, and errors in the words of `tws.errors`."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import structlog
from yarl import URL

from observability.metrics import Metrics

from .errors import TwsError, TwsProtocolError, TwsUnreachableError
from .joblog import LogWindow
from .settings import TwsSettings
from .wire import read_error

__all__ = ["Transport", "open_session"]

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_CONNECT_SECONDS = 5.0
"""Longest wait for a connection: two lost packets of its handshake."""
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Largest JSON answer that is read; a page of jobs has about 3 MB."""
_MAX_ERROR_BYTES = 64 * 1024
"""How much of an error answer is read."""
_MAX_REASON_CHARS = 200
"""How much of aiohttp's own words goes into an error."""
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Errors from before there was a connection."""
_BACKOFF_SECONDS = 0.2
"""Upper bound of the first pause before a read is tried again; each next one is twice as long."""
_MAX_BACKOFF_SECONDS = 3.0
"""Upper bound of every pause: an operator is waiting."""


def open_session(settings: TwsSettings) -> aiohttp.ClientSession:
    """A session with the account, certificates and time limits of the settings; the caller closes it.

    No cookies are kept, so that no session of the engine outlives a change of the account.
    """
    if settings.allow_unverified_tls:
        _log.warning("tws_tls_not_verified", url=settings.url)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=_build_tls(settings)),
        timeout=aiohttp.ClientTimeout(
            total=settings.read_timeout.total_seconds(), sock_connect=_CONNECT_SECONDS
        ),
        headers={"Authorization": _build_authorization(settings)},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _build_authorization(settings: TwsSettings) -> str:
    if settings.api_key:
        return f"Bearer {settings.api_key.get_secret_value()}"
    password = settings.password.get_secret_value() if settings.password else ""
    return aiohttp.encode_basic_auth(settings.username, password)


def _build_tls(settings: TwsSettings) -> ssl.SSLContext | bool:
    if settings.allow_unverified_tls:
        return False
    return True if settings.ca_bundle is None else ssl.create_default_context(cafile=settings.ca_bundle)


class Transport:
    """Sends requests to one engine; paths are relative to its base address and percent-encoded already.

    `what` names the object that a path asks for, for the sentence of a `TwsNotFoundError`.
    """

    def __init__(self, settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> None:
        self._settings = settings
        self._base = URL(settings.url)
        self._session = session
        self._metrics = metrics

    async def read(
        self, path: str, query: Mapping[str, str] | None = None, *, what: str | None = None
    ) -> object:
        """The JSON object at the path; tried again when the engine does not answer."""

        async def attempt() -> object:
            async with self._send("GET", path, what=what, query=query) as response:
                return await _read_json(response)

        return await self._retrying(attempt)

    async def read_log(self, path: str, *, what: str) -> LogWindow:
        """The text at the path, cut to the size limit while it streams in; tried again like other reads."""

        async def attempt() -> LogWindow:
            window = LogWindow(self._settings.max_log_bytes)
            async with self._send("GET", path, what=what, accept="text/plain") as response:
                async for chunk in response.content.iter_any():
                    window.feed(chunk)
            return window

        return await self._retrying(attempt)

    async def change(
        self, path: str, headers: Mapping[str, str], *, what: str, body: Mapping[str, str] | None = None
    ) -> None:
        """One PUT, never sent twice. Raises `TwsProtocolError` when something else than the engine accepted it."""
        async with self._send("PUT", path, what=what, headers=headers, body=body) as response:
            await _read_json(response)

    async def _retrying(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        for number in range(self._settings.read_retries):
            try:
                return await attempt()
            except TwsUnreachableError as error:
                most = min(_BACKOFF_SECONDS * 2**number, _MAX_BACKOFF_SECONDS)
                _log.info("tws_read_retried", reason=str(error), attempt=number + 1)
            # Full jitter: clients that failed together do not come back together.
            await asyncio.sleep(random.uniform(0, most))  # noqa: S311 - a pause, not a secret
        return await attempt()

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        *,
        what: str | None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
        body: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A 2xx answer; everything else, also what happens while it is read, is an error of `tws.errors`."""
        url = self._settings.url
        content = {} if body is None else {"Content-Type": "application/json"}
        with self._timed(method):
            try:
                async with self._session.request(
                    method,
                    URL(f"{self._base}{path}", encoded=True),
                    params=query,
                    json=body,
                    headers={"Accept": accept, **content, **(headers or {})},
                    # Of its own, aiohttp calls even an empty body an octet-stream, which strict servers refuse.
                    skip_auto_headers=("Content-Type",),
                    allow_redirects=False,
                    middlewares=(_send_once,),
                ) as response:
                    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                        text = (await _read_up_to(_MAX_ERROR_BYTES, response)).decode(errors="replace")
                        raise read_error(response.status, text, url=url, what=what)
                    yield response
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reason = f"{type(error).__name__} {error}".strip()[:_MAX_REASON_CHARS]
                raise TwsUnreachableError(url, reason, was_sent=not isinstance(error, _NOT_SENT)) from error

    @contextmanager
    def _timed(self, method: str) -> Iterator[None]:
        started, outcome = time.perf_counter(), "interrupted"
        try:
            yield
            outcome = "ok"
        except TwsError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.tws_requested(method=method, outcome=outcome, seconds=time.perf_counter() - started)


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keeps aiohttp from sending a request again by itself when the connection drops.

    It does that for every method that RFC 9110 calls idempotent, PUT among them, but a rerun in TWS is a PUT and
    a second one starts the job twice. An error of another type stops it, and says the same to the caller.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


async def _read_json(response: aiohttp.ClientResponse) -> object:
    where = response.url.path
    body = await _read_up_to(_MAX_ANSWER_BYTES, response)
    if len(body) > _MAX_ANSWER_BYTES:
        raise TwsProtocolError(f"TWS answered {where} with more than {_MAX_ANSWER_BYTES} bytes")
    try:
        payload: object = json.loads(body)
    except ValueError as error:
        raise TwsProtocolError(f"TWS answered {where} with something that is not JSON") from error
    if not isinstance(payload, Mapping):
        raise TwsProtocolError(f"TWS answered {where} with JSON that is not an object")
    return payload


async def _read_up_to(most_bytes: int, response: aiohttp.ClientResponse) -> bytearray:
    """The body; of one that is longer, its beginning with a few bytes more than `most_bytes`."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            break
    return body
