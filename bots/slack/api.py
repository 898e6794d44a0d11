"""One call of Slack's Web API, with what goes wrong told as `OutboxError`.

Protocol: https://docs.slack.dev/apis/web-api#responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from brain.turns.outbox import OutboxError

__all__ = ["SlackRefusedError", "call", "is_transient_status"]

_TRANSIENT = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"}
)


class SlackRefusedError(OutboxError):
    """Slack answered, but not with success; `code` is its word for it, empty where it gave none."""

    def __init__(self, method: str, error: SlackApiError) -> None:
        # The SDK hands over its own response, or aiohttp's where the body was no JSON.
        response: Any = error.response
        status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
        data = getattr(response, "data", None)
        self.code = str(data.get("error", "")) if isinstance(data, dict) else ""
        super().__init__(
            f"Slack refused {method}: {self.code or f'HTTP {status}'}",
            retryable=self.code in _TRANSIENT or is_transient_status(status),
        )


def is_transient_status(status: int) -> bool:
    """Whether the HTTP status asks to come back later."""
    return status == 429 or status >= 500  # noqa: PLR2004 the two kinds HTTP knows


async def call(client: AsyncWebClient, method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
    """The method's answer. Raises `SlackRefusedError`, or `OutboxError` where Slack did not answer."""
    try:
        response = await client.api_call(method, json=arguments)
    except SlackApiError as error:
        raise SlackRefusedError(method, error) from error
    except (aiohttp.ClientError, OSError) as error:
        raise OutboxError(f"Slack did not answer {method}: {type(error).__name__}", retryable=True) from error
    # Only a method that exports a file answers in bytes.
    assert isinstance(response.data, dict)
    return response.data
