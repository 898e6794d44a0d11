"""Password hashes: bcrypt over a keyed digest, off the event loop."""

import asyncio
import base64
import hmac
import unicodedata

import bcrypt

_DIGEST_CONTEXT = b"resync password v1"
"""Keys the digest, so that plain SHA-256 digests leaked elsewhere are no shortcut to a match."""
_NO_DIGEST = b"." * 31
"""The digest part of a bcrypt hash that no password is known to have."""


class Passwords:
    """Hashes and checks passwords of any length.

    bcrypt reads 72 bytes and stops at NUL. Refusing longer ones would turn away pass phrases, so bcrypt is
    given the 44 Base64 characters of an HMAC-SHA-256 of the password, after NFKC (NIST SP 800-63B, 3.1.1.2):
    `ç` is the same password whichever way a keyboard composes it.
    """

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._decoy = bcrypt.gensalt(rounds) + _NO_DIGEST

    async def hash(self, password: str) -> str:
        """The hash to store."""
        salt = bcrypt.gensalt(self._rounds)
        return (await asyncio.to_thread(bcrypt.hashpw, _digest(password), salt)).decode()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password.

        None (nobody has that name) is False after the same work, so the time tells no names.
        """
        stored = password_hash.encode() if password_hash else self._decoy
        matches = await asyncio.to_thread(bcrypt.checkpw, _digest(password), stored)
        return matches and password_hash is not None


def _digest(password: str) -> bytes:
    normal = unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
    return base64.b64encode(hmac.digest(_DIGEST_CONTEXT, normal, "sha256"))
