"""Which addresses may see the bot's token: an allow-list of hosts."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from yarl import URL

__all__ = ["ServiceUrls", "is_loopback", "parse_url"]


def parse_url(text: str) -> URL | None:
    """The address as aiohttp would call it; None where it would not.

    Checking with the parser that later connects leaves no room for two readings of one address.
    """
    try:
        url = URL(text)
    except ValueError:
        return None
    return url if url.host else None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by name `localhost` or by address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUrls:
    """The allow-list."""

    hosts: frozenset[str]
    """Host names, matched whole; https on the usual port only."""
    allow_loopback: bool
    """Whether this machine may stand in for Teams."""

    def permits(self, text: str) -> bool:
        """Whether the bot may send its token there."""
        url = parse_url(text)
        if url is None or url.host is None or url.user or url.password or url.query_string or url.fragment:
            return False
        if url.scheme == "https" and url.port == 443 and url.host in self.hosts:  # noqa: PLR2004 https
            return True
        return self.allow_loopback and url.scheme in {"http", "https"} and is_loopback(url.host)
