"""What can go wrong with TWS, by what the caller can do about it.

TwsError
├── TwsUnreachableError   no answer, or an answer of an engine that is not up (retryable for reads)
├── TwsDeniedError        401 or 403: credentials or rights
├── TwsNotFoundError      404: no such object in this plan
├── TwsRejectedError      the engine understood and refused; carries its message id
└── TwsProtocolError      an answer this client cannot read
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "TwsDeniedError",
    "TwsError",
    "TwsNotFoundError",
    "TwsProtocolError",
    "TwsRejectedError",
    "TwsUnreachableError",
]


class TwsError(Exception):
    """Root of all TWS errors. Messages never contain credentials."""

    code: ClassVar[str] = "tws"
    retryable: ClassVar[bool] = False


class TwsUnreachableError(TwsError):
    """The engine did not answer, or answered that it is not up."""

    code = "tws_unreachable"
    retryable = True

    def __init__(self, url: str, reason: str, *, was_sent: bool) -> None:
        super().__init__(f"TWS at {url} did not answer: {reason}")
        self.was_sent = was_sent
        """Whether the request may have reached the engine: then a change may have been made."""


class TwsDeniedError(TwsError):
    """The engine refused the credentials (401) or the right (403)."""

    code = "tws_denied"

    def __init__(self, status: int, message: str, *, message_id: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message_id = message_id


class TwsNotFoundError(TwsError):
    """The object is not in the plan."""

    code = "tws_not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not in the plan")
        self.what = what


class TwsRejectedError(TwsError):
    """The engine refused the request, e.g. an action that is illegal in the object's state.

    The engine says so with HTTP 400, 409 or 500 and a text such as
    `AWSJSY404E … AWSBIN076E …`: the first id wraps, the last is the cause.
    """

    code = "tws_rejected"

    def __init__(self, status: int, message: str, *, message_ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message_ids = message_ids

    @property
    def cause_id(self) -> str | None:
        """The innermost message id, None where the engine named none."""
        return self.message_ids[-1] if self.message_ids else None


class TwsProtocolError(TwsError):
    """The answer is not what the published API says."""

    code = "tws_protocol"
