"""What both providers' SDKs raise, told as one error.

The SDKs' own messages quote response bodies, which may quote the request, so none of them is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx2

from .model import ModelUnavailableError

__all__ = ["read_arguments", "told_as_unavailable"]

_TRANSPORT_ERRORS = (httpx2.HTTPError, anyio.EndOfStream, OSError)
"""Escape from the anthropic SDK while a stream is read; the openai SDK wraps them."""


@contextmanager
def told_as_unavailable(sdk_error: type[Exception]) -> Iterator[None]:
    """Turns the SDK's errors, broken connections and malformed JSON into `ModelUnavailableError`."""
    try:
        yield
    except (sdk_error, *_TRANSPORT_ERRORS, ValueError) as error:
        raise _translate(error) from None


def read_arguments(text: str) -> dict[str, Any]:
    """A tool call's arguments; no text at all means none. Raises `ModelUnavailableError`."""
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ModelUnavailableError("malformed tool arguments", retryable=True)
    return arguments


def _translate(error: Exception) -> ModelUnavailableError:
    response: httpx2.Response | None = getattr(error, "response", None)
    if response is None:
        # The SDKs' own timeout errors have the transport's as their cause.
        if isinstance(error, httpx2.TimeoutException) or isinstance(error.__cause__, httpx2.TimeoutException):
            return ModelUnavailableError("no answer in time", retryable=True)
        if isinstance(error, ValueError):
            return ModelUnavailableError("malformed stream", retryable=True)
        return ModelUnavailableError("connection failed or stream broken", retryable=True)
    status = response.status_code
    if status < httpx2.codes.BAD_REQUEST:
        # An error event inside a stream that had begun well.
        return ModelUnavailableError("provider failed while answering", retryable=True)
    return ModelUnavailableError(
        f"HTTP {status}",
        retryable=status in {408, 409, 429} or httpx2.codes.is_server_error(status),
        retry_after_seconds=_retry_after(response),
    )


def _retry_after(response: httpx2.Response) -> float:
    """The header in seconds; 0 where it is absent or a date, which neither provider sends."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
