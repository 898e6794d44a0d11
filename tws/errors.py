"""What can go wrong with TWS, by what the caller can do about it.

TwsError
├── TwsUnreachableError   no answer, or an answer of an engine that is not up: reads may be tried again
│   └── TwsHeldBackError    Resync itself did not ask: the engine was away a moment ago, or is asked enough already
├── TwsDeniedError        401 or 403: credentials or rights
├── TwsNotFoundError      404: no such object in this plan
├── TwsRejectedError      the engine understood and refused; carries message ids
│   └── TwsNotMasterError   this host is not the acting master: nothing was done
└── TwsProtocolError      an answer this client cannot read
    └── TwsUnsupportedError the engine does not know the operation
"""

import re
from typing import ClassVar

_MESSAGE_ID = re.compile(r"\b(?:AWS|AWK|EQQ|EEW)[A-Z]{0,4}\d{3,4}[IWEST]\b")
"""Product and component letters, number, severity. Source: the vendor's message catalogue."""


class TwsError(Exception):
    """Root of all TWS errors. Messages never contain credentials."""

    code: ClassVar[str] = "tws"


class TwsUnreachableError(TwsError):
    """The engine did not answer, or answered that it is not up."""

    code = "tws_unreachable"

    def __init__(self, url: str, reason: str, *, was_sent: bool, retry_after: float | None = None) -> None:
        super().__init__(f"TWS at {url} did not answer: {reason}")
        self.url, self.reason = url, reason
        self.was_sent = was_sent
        """Whether the request may have reached the engine: then a change may have been made."""
        self.retry_after = retry_after
        """Seconds that the engine asked to be left alone; None where it did not."""


class TwsHeldBackError(TwsUnreachableError):
    """Nothing was sent: the engine failed a moment ago, or enough requests are under way already."""

    code = "tws_held_back"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason, was_sent=False)


class TwsDeniedError(TwsError):
    """The engine refused the credentials (401) or the right (403)."""

    code = "tws_denied"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class TwsNotFoundError(TwsError):
    """The object is not in the plan."""

    code = "tws_not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not in the plan")


class TwsRejectedError(TwsError):
    """The request was refused, e.g. an action that is illegal in the object's state.

    The engine says so with HTTP 400, 409 or 500 and a text such as `AWSJSY404E … AWSBIN076E …`. Without message ids
    it was refused before it left: an argument is missing or makes no sense.
    """

    code = "tws_rejected"

    def __init__(self, message: str, *, message_ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message_ids = message_ids
        """In the engine's order: the first one wraps, the last one is the cause."""


class TwsNotMasterError(TwsRejectedError):
    """The host belongs to the engine but is not its acting master, which alone makes changes."""

    code = "tws_not_master"


class TwsProtocolError(TwsError):
    """The answer is not what the published API says."""

    code = "tws_protocol"


class TwsUnsupportedError(TwsProtocolError):
    """The engine has no such operation: its release is older, or the address is not that of an engine."""

    code = "tws_unsupported"


def find_message_ids(text: str) -> tuple[str, ...]:
    """The ids of the product's messages in the text, e.g. `AWSBIN076E`, in order of appearance, each once."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text)))
