"""Encrypts what Resync must be able to read again, such as people's passwords for TWS.

Fernet (https://github.com/fernet/spec): AES-128-CBC with HMAC-SHA256, so what was altered is not read. Keys rotate: the
newest encrypts, all decrypt, and `reencrypt` moves a secret to the newest so that the others can be dropped.
"""

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(ValueError):
    """None of the keys reads the secret: the key was lost, or somebody altered it."""


class Vault:
    """Keys, the newest first; each any text of 32 characters or more that was made at random."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(_derive(key)) for key in keys])

    def encrypt(self, plain: str) -> str:
        """The secret as text that can be stored."""
        return self._keys.encrypt(plain.encode()).decode()

    def decrypt(self, secret: str) -> str:
        """What was encrypted. Raises `VaultError`."""
        try:
            return self._keys.decrypt(secret.encode()).decode()
        except InvalidToken as error:
            raise VaultError("no key of the vault reads this secret") from error

    def reencrypt(self, secret: str) -> str:
        """The same secret under the newest key. Raises `VaultError`."""
        return self.encrypt(self.decrypt(secret))


def _derive(key: str) -> bytes:
    """A Fernet key from text that is random already, so a plain hash does."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())
