"""How a sender of alerts proves who it is; pure.

`X-Resync-Timestamp` is the time in Unix seconds, `X-Resync-Signature` is `v1=` and the HMAC-SHA256 of
`timestamp.body` in lower-case hex. In a shell:

    printf '%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -hmac "$secret" -r
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

TIMESTAMP_HEADER = "X-Resync-Timestamp"
SIGNATURE_HEADER = "X-Resync-Signature"

_WINDOW = timedelta(minutes=5)
"""How far a request's time stamp may be from this server's clock, to both sides: what Slack allows too."""
_UNIX_SECONDS = re.compile(r"[0-9]{1,11}")
"""Eleven digits reach the year 5138 and stay within what `datetime` can hold."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def is_valid(secret: str, timestamp: str, body: bytes, signature: str, *, now: datetime) -> bool:
    """Whether the signature is right and its time within five minutes, before or after.

    Fails closed on headers that are missing or malformed. The comparison takes constant time.
    """
    if not _UNIX_SECONDS.fullmatch(timestamp):
        return False
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > _WINDOW:
        return False
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode(errors="replace"))
