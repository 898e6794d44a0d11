"""Security headers of everything Resync answers, as data.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["API_HEADERS", "PAGE_HEADERS"]

_EVERYWHERE = {
    # Browsers ignore it over plain HTTP, so it needs no switch for local use.
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

API_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **_EVERYWHERE,
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
)
"""For answers that are data: nothing in them may run, be framed or be kept."""

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **_EVERYWHERE,
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Cache-Control": "no-cache",
    }
)
"""For pages and their assets: own files only, no inline script or style; revalidated on each load."""
