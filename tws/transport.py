"""HTTP to one engine: hosts, retries of reads, limits, and errors in the words of `tws.errors`.

Retries are a loop of our own: what tenacity would bring (waits, stops, predicates) is five of its lines here, and it
knows neither `Retry-After` nor that a change must never be sent twice.
"""

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import structlog
from yarl import URL

from .credentials import Credentials
from .errors import TwsError, TwsHeldBackError, TwsNotMasterError, TwsProtocolError, TwsUnreachableError
from .link import Link, read_date
from .log_window import LogWindow
from .operations import V1, V2, Call
from .settings import TwsSettings
from .wire import read_error

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

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
    """A session with the certificates and time limits of the settings; the caller closes it.

    It knows no account: each request brings one. No cookies are kept, so that no session of the engine outlives a
    change of the account.
    """
    if settings.allow_unverified_tls:
        _log.warning("tws_tls_not_verified", url=settings.url)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(settings), limit=0),
        timeout=aiohttp.ClientTimeout(
            total=settings.read_timeout.total_seconds(),
            sock_connect=settings.connect_timeout.total_seconds(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def tls_context(settings: TwsSettings) -> ssl.SSLContext | bool:
    """How certificates are checked, as aiohttp takes it."""
    if settings.allow_unverified_tls:
        return False
    return True if settings.ca_bundle is None else ssl.create_default_context(cafile=settings.ca_bundle)


class Transport:
    """Sends requests to one engine for one account."""

    def __init__(self, link: Link, credentials: Credentials) -> None:
        self.link = link
        self._authorization = credentials.authorization()

    def acting_as(self, credentials: Credentials) -> "Transport":
        """The same engine, with all that is known of it, for another account."""
        return Transport(self.link, credentials)

    async def read(self, call: Call) -> object:
        """The JSON at the path, an object or a list; tried again, at each host, when the engine does not answer."""

        async def attempt(url: str) -> object:
            async with self._send(url, call) as response:
                return await _read_json(response, call.api)

        return await self._retrying(attempt)

    async def read_log(self, call: Call, max_bytes: int, most_streamed: int) -> tuple[LogWindow, bool]:
        """The text at the path, cut to `max_bytes` while it streams in; tried again like other reads.

        Also whether the text ended before `most_streamed` bytes, after which the rest is not read.
        """

        async def attempt(url: str) -> tuple[LogWindow, bool]:
            window = LogWindow(max_bytes)
            async with self._send(url, replace(call, accept="text/plain")) as response:
                async for chunk in response.content.iter_any():
                    window.feed(chunk)
                    if window.size > most_streamed:
                        # Closed, or the connection would read the rest before it is used again.
                        response.close()
                        return window, False
            return window, True

        return await self._retrying(attempt)

    async def change(self, call: Call) -> object:
        """The answer to a change that is sent once, to the acting master.

        With several hosts each is asked whether it is that, beginning with the one that answered last; the next one
        is tried only where nothing was sent, or the host said that it is not the master.
        Raises `TwsProtocolError` when something else than the engine accepted it.
        """
        urls = self.link.urls
        error: TwsError | None = None
        async with self._admitted():
            for url in urls:
                try:
                    if len(urls) > 1:
                        await self._assert_acting_master(url)
                    async with self._send(url, call) as response:
                        answer = await _read_json(response, call.api)
                except TwsNotMasterError as refusal:
                    error = error or refusal
                except TwsUnreachableError as outage:
                    if outage.was_sent:
                        raise
                    error = outage
                else:
                    self.link.prefer(url)
                    return answer
        assert error is not None, "there is at least one host"
        raise error

    async def _assert_acting_master(self, url: str) -> None:
        """Raises unless the host may be sent a change; nothing was sent then.

        V1 tells whether a host's own engine is alive. Where V1 is switched off nothing is known, and the engine's own
        refusal of changes by hosts that are not the master decides.
        """
        try:
            async with self._send(url, Call(path="/engine/info", api=V1, what="V1")) as response:
                answer = await _read_json(response, V1)
        except (TwsNotMasterError, TwsHeldBackError):
            raise
        except TwsUnreachableError as outage:
            raise TwsUnreachableError(url, outage.reason, was_sent=False) from outage
        except TwsError:
            return
        status = answer.get("synphonyBatchManStatus") if isinstance(answer, Mapping) else None
        if isinstance(status, str) and status != "ENGINE_STATUS_LIVES":
            raise TwsNotMasterError(f"{url} is not the acting master: {status}")

    async def _retrying(self, attempt: Callable[[str], Awaitable[_T]]) -> _T:
        retries = self.link.settings.read_retries
        for number in range(retries):
            try:
                return await self._at_each_host(attempt)
            except TwsHeldBackError:
                raise
            except TwsUnreachableError as error:
                most = min(_BACKOFF_SECONDS * 2**number, _MAX_BACKOFF_SECONDS)
                wish = error.retry_after or 0.0
                if wish > self.link.settings.read_timeout.total_seconds():
                    raise
                _log.info("tws_read_retried", reason=str(error), attempt=number + 1)
            # Full jitter: clients that failed together do not come back together.
            await asyncio.sleep(wish + random.uniform(0, most))  # noqa: S311 - a pause, not a secret
        return await self._at_each_host(attempt)

    async def _at_each_host(self, attempt: Callable[[str], Awaitable[_T]]) -> _T:
        outage = None
        async with self._admitted():
            for url in self.link.urls:
                try:
                    answer = await attempt(url)
                except TwsUnreachableError as error:
                    outage = outage or error
                else:
                    self.link.prefer(url)
                    return answer
            assert outage is not None, "there is at least one host"
            raise outage

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        async with self.link.bulkhead.slot():
            with self.link.breaker.guard():
                yield

    @asynccontextmanager
    async def _send(self, url: str, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """A 2xx answer; everything else, also what happens while it is read, is an error of `tws.errors`."""
        content = {} if call.body is None else {"Content-Type": "application/json"}
        account = {"Authorization": self._authorization, "Accept": call.accept}
        with self._timed(call.method):
            try:
                async with self.link.session.request(
                    call.method,
                    URL(f"{url.removesuffix(V2)}{call.api}{call.path}", encoded=True),
                    params=call.query,
                    json=call.body,
                    headers={**account, **content, **call.headers},
                    # Of its own, aiohttp calls even an empty body an octet-stream, which strict servers refuse.
                    skip_auto_headers=("Content-Type",),
                    allow_redirects=False,
                    middlewares=(_send_once,),
                ) as response:
                    self.link.note_clock(response)
                    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                        raise await _refusal(response, url, call.what)
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
            self.link.metrics.tws_requested(
                method=method, outcome=outcome, seconds=time.perf_counter() - started
            )


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


async def _refusal(response: aiohttp.ClientResponse, url: str, what: str | None) -> TwsError:
    text = (await _read_up_to(_MAX_ERROR_BYTES, response)).decode(errors="replace")
    error = read_error(response.status, text, url=url, what=what)
    if isinstance(error, TwsUnreachableError):
        error.retry_after = _read_retry_after(response.headers.get("Retry-After", ""))
    return error


def _read_retry_after(text: str) -> float | None:
    """Seconds, given as such or as a date."""
    if text.isascii() and text.isdigit():
        return float(text)
    date = read_date(text)
    return None if date is None else max(0.0, (date - datetime.now(UTC)).total_seconds())


async def _read_json(response: aiohttp.ClientResponse, api: str) -> object:
    where = response.url.path
    body = await _read_up_to(_MAX_ANSWER_BYTES, response)
    if len(body) > _MAX_ANSWER_BYTES:
        raise TwsProtocolError(f"TWS answered {where} with more than {_MAX_ANSWER_BYTES} bytes")
    try:
        payload: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TwsProtocolError(f"TWS answered {where} with something that is not JSON") from error
    if not isinstance(payload, Mapping) and not (api == V1 and isinstance(payload, list)):
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
