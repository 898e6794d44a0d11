"""What can go wrong between Teams and Resync, by what the other side can do about it.

TeamsError
├── InboundError                   a request that is not let in; carries the HTTP status of the answer
│   ├── TokenRejectedError         401: no proof of who calls; 403: proven, but not for this tenant or address
│   ├── MalformedActivityError     400: not an activity that can be answered
│   ├── BodyRejectedError          413 or 415: too large, or not JSON
│   └── KeysUnavailableError       503: nothing to check a token against (retryable)
└── DeliveryError                  a message that did not reach Teams
    ├── ConnectorUnavailableError  no answer, or told to wait longer than it makes sense to (retryable)
    ├── ConnectorRefusedError      understood and refused: blocked, removed, too large
    ├── ActivityGoneError          the message to replace is not there any more
    ├── CredentialsRejectedError   Entra refuses the app id or its secret
    └── ServiceUrlRefusedError     the way back leads to a host that is not Teams
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ActivityGoneError",
    "BodyRejectedError",
    "ConnectorRefusedError",
    "ConnectorUnavailableError",
    "CredentialsRejectedError",
    "DeliveryError",
    "InboundError",
    "KeysUnavailableError",
    "MalformedActivityError",
    "ServiceUrlRefusedError",
    "TeamsError",
    "TokenRejectedError",
]


class TeamsError(Exception):
    """Root of all errors of this channel. Messages never contain tokens, secrets or message texts."""

    retryable: ClassVar[bool] = False


class InboundError(TeamsError):
    """A request that is answered with `status` and `code`; the message is shown to the caller."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class TokenRejectedError(InboundError):
    """The token is missing or proves nothing (401), or proves somebody who may not call (403)."""


class MalformedActivityError(InboundError):
    """The body is not an activity that can be answered."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, "malformed_activity", detail)


class BodyRejectedError(InboundError):
    """The body is too large (413) or not JSON (415)."""


class KeysUnavailableError(InboundError):
    """The channel's signing keys were never read, so no token can be checked."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(503, "signing_keys_unavailable", "The channel's signing keys cannot be read now.")


class DeliveryError(TeamsError):
    """A message that did not reach Teams."""


class ConnectorUnavailableError(DeliveryError):
    """The Bot Connector or the token service gave no usable answer; a later try may succeed."""

    retryable = True


class ConnectorRefusedError(DeliveryError):
    """The Bot Connector refused the message for good."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the Bot Connector answered {status} {code}".rstrip())
        self.status = status
        self.code = code
        """The connector's own word, such as `MessageSizeTooBig`; may be empty."""


class ActivityGoneError(DeliveryError):
    """The message to replace is not there any more."""


class CredentialsRejectedError(DeliveryError):
    """The token service refuses the app id or its secret: an operator has to act."""


class ServiceUrlRefusedError(DeliveryError):
    """The service URL is not one of the hosts the bot's token may be sent to."""
