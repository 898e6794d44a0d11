"""Addresses that a secret is sent to: https, or this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator
from yarl import URL


def parse_url(text: str) -> URL | None:
    """The address as aiohttp would call it; None where it would not.

    Checking with the parser that later connects leaves no room for two readings of one address.
    """
    try:
        url = URL(text)
    except ValueError:
        return None
    return url if url.host else None


def is_loopback(url: URL) -> bool:
    """Whether the host is this machine, by name `localhost` or by address."""
    try:
        return url.host == "localhost" or ip_address(url.host or "").is_loopback
    except ValueError:
        return False


def require_safe(text: str) -> str:
    """The text, if it is https, or http on this machine. Raises ValueError otherwise."""
    url = parse_url(text)
    if url and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url))):
        return text
    raise ValueError("must be https, or http on this machine")


SafeUrl = Annotated[str, AfterValidator(require_safe)]
"""For settings."""
