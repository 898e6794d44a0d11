"""Reads web pages of allowed hosts, never from an internal address, whatever a name resolves to."""

from __future__ import annotations

import socket
from collections.abc import Collection
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import aiohttp
from yarl import URL

from .errors import DocumentRejectedError, PageGoneError

_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_MOST_REDIRECTS = 5
_PIECE = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_OK, _GONE = 200, (404, 410)
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("2002::/16"), ip_network("2001::/32"))
"""IPv6 addresses that stand for an IPv4 one, which may be internal."""


class _InternalAddressError(OSError):
    """The name leads to where pages are not read from."""


class PageReader:
    """Reads pages of these hosts."""

    def __init__(
        self, *, hosts: Collection[str], max_bytes: int, networks: Collection[IPv4Network | IPv6Network] = ()
    ) -> None:
        """`networks` are internal ones that may be read from all the same."""
        self._hosts = tuple(host.lower() for host in hosts)
        self._max_bytes = max_bytes
        self._networks = tuple(networks)

    async def read(self, address: str) -> tuple[bytes, str]:
        """The page and its media type, at most 5 redirects away.

        Raises `PageGoneError` where there is none any more, `DocumentRejectedError` for what is not allowed, too
        large or not to be had.
        """
        connector = aiohttp.TCPConnector(socket_factory=self._connect, use_dns_cache=False)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session:
                url = URL(address)
                for _ in range(_MOST_REDIRECTS + 1):
                    found = await self._get(session, self._allowed(url))
                    if not isinstance(found, URL):
                        return found
                    url = found
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            internal = isinstance(getattr(error, "os_error", None), _InternalAddressError)
            reason = (
                "leads to an internal address" if internal else f"cannot be read ({type(error).__name__})"
            )
            raise DocumentRejectedError(reason) from error
        raise DocumentRejectedError(f"more than {_MOST_REDIRECTS} redirects")

    async def _get(self, session: aiohttp.ClientSession, url: URL) -> tuple[bytes, str] | URL:
        async with session.get(url, allow_redirects=False) as response:
            if response.status in _REDIRECTS and "Location" in response.headers:
                return url.join(URL(response.headers["Location"]))
            if response.status in _GONE:
                raise PageGoneError(f"the server answered {response.status}")
            if response.status != _OK:
                raise DocumentRejectedError(f"the server answered {response.status}")
            data = bytearray()
            async for piece in response.content.iter_chunked(_PIECE):
                data += piece
                if len(data) > self._max_bytes:
                    raise DocumentRejectedError(f"larger than {self._max_bytes} bytes")
            return bytes(data), response.content_type

    def _allowed(self, url: URL) -> URL:
        if url.scheme not in {"http", "https"} or url.host is None:
            raise DocumentRejectedError("not an address of a web page")
        if url.user is not None or url.password is not None:
            raise DocumentRejectedError("has credentials in its address")
        if not any(fnmatchcase(url.host.lower(), host) for host in self._hosts):
            raise DocumentRejectedError(f"its host {url.host} is not among the allowed ones")
        return url

    def _connect(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket to an address as resolved: what is checked here is what is connected to."""
        family, kind, protocol, _, place = address
        found = ip_address(place[0].partition("%")[0])
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        is_public = (
            found.is_global and not found.is_multicast and not any(found in net for net in _TRANSLATED)
        )
        if not is_public and not any(found in network for network in self._networks):
            raise _InternalAddressError("internal address")
        return socket.socket(family, kind, protocol)
