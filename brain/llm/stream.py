"""What both providers' streams have in common: parts that must be checked, and failures, told as one error.

The SDKs' own messages quote response bodies, which may quote the request, so none of them is kept.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

import anyio
import httpx2
from pydantic import BaseModel, BeforeValidator, ConfigDict

from .model import ContextTooLongError, ModelUnavailableError, StopReason

_TRANSPORT_ERRORS = (httpx2.HTTPError, anyio.EndOfStream, OSError)
"""Escape from the anthropic SDK while a stream is read; the openai SDK wraps them."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length"  # OpenAI, vLLM
    r"|prompt is too long|exceed context limit"  # Anthropic
    r"|exceed_context_size|exceeds the available context size"  # llama.cpp
)
"""Codes and words of errors that mean that the messages do not fit."""

Text: TypeAlias = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""The SDKs make None of what a compatible server leaves out."""


class Part(BaseModel):
    """What matters here of an event. The SDKs do not check types, these models do."""

    model_config = ConfigDict(from_attributes=True)


def read_stop_reason(told: str | None, known: Mapping[str, StopReason]) -> StopReason:
    """The reason in our words. Raises `ModelUnavailableError` when the stream ended without or with another."""
    if told is None:
        raise ModelUnavailableError("stream ended early", retryable=True)
    if told not in known:
        raise ModelUnavailableError("unknown stop reason", retryable=False)
    return known[told]


def read_arguments(text: str) -> dict[str, Any]:
    """A tool call's arguments; no text at all means none. Raises `ModelUnavailableError`."""
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ModelUnavailableError("malformed tool arguments", retryable=True)
    return arguments


@contextmanager
def told_as_unavailable(sdk_error: type[Exception]) -> Iterator[None]:
    """Turns the SDK's errors, broken connections and malformed JSON into `ModelUnavailableError`."""
    try:
        yield
    except (sdk_error, *_TRANSPORT_ERRORS, ValueError) as error:
        raise _translate(error) from None


def _translate(error: Exception) -> ModelUnavailableError:
    if _TOO_LONG.search(str(getattr(error, "body", ""))):
        return ContextTooLongError()
    response: httpx2.Response | None = getattr(error, "response", None)
    if response is None:
        # The SDKs' own timeout errors have the transport's as their cause.
        if isinstance(error, httpx2.TimeoutException) or isinstance(error.__cause__, httpx2.TimeoutException):
            return ModelUnavailableError("no answer in time", retryable=True)
        if isinstance(error, ValueError):
            return ModelUnavailableError("malformed stream", retryable=True)
        return ModelUnavailableError("connection failed or stream broken", retryable=True)
    status = response.status_code
    if status == httpx2.codes.CONTENT_TOO_LARGE:
        return ContextTooLongError()
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
