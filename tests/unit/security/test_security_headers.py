from __future__ import annotations

from collections.abc import Mapping

import pytest

from security.headers import API_HEADERS, PAGE_HEADERS


def _directives(headers: Mapping[str, str]) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def test_a_page_runs_and_loads_only_what_is_ours() -> None:
    directives = _directives(PAGE_HEADERS)
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == ["'self'"]
    assert {source for sources in directives.values() for source in sources} == {"'none'", "'self'", "data:"}


def test_data_runs_and_loads_nothing() -> None:
    assert _directives(API_HEADERS) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
    assert API_HEADERS["Cache-Control"] == "no-store"


@pytest.mark.parametrize("headers", [API_HEADERS, PAGE_HEADERS])
def test_no_answer_is_framed_sniffed_or_told_to_others(headers: Mapping[str, str]) -> None:
    assert _directives(headers)["frame-ancestors"] == ["'none'"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
