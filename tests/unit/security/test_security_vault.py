"""Secrets that can be read again: only with a key of the vault, and only as they were."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.vault import Vault, VaultError

_OLD, _NEW = "old-" + "k" * 40, "new-" + "k" * 40


@given(st.text())
def test_what_was_encrypted_is_read_again_and_not_there_to_see(plain: str) -> None:
    vault = Vault([_OLD])
    secret = vault.encrypt(plain)
    assert vault.decrypt(secret) == plain
    assert secret.isascii()
    assert secret != vault.encrypt(plain)


def test_all_keys_read_and_the_newest_encrypts() -> None:
    secret = Vault([_OLD]).encrypt("password")
    rotated = Vault([_NEW, _OLD])
    assert rotated.decrypt(secret) == "password"
    with pytest.raises(VaultError):
        Vault([_NEW]).decrypt(secret)
    moved = rotated.reencrypt(secret)
    assert Vault([_NEW]).decrypt(moved) == "password"
    with pytest.raises(VaultError):
        Vault([_OLD]).decrypt(moved)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_what_was_altered_is_not_read(place: int, flips: int) -> None:
    vault = Vault([_OLD])
    altered = bytearray(base64.urlsafe_b64decode(vault.encrypt("password")))
    altered[place % len(altered)] ^= flips
    with pytest.raises(VaultError):
        vault.decrypt(base64.urlsafe_b64encode(altered).decode())


@pytest.mark.parametrize("secret", ["", "x", "gAAAAA==", "é"])
def test_what_never_was_a_secret_is_not_read(secret: str) -> None:
    with pytest.raises(VaultError):
        Vault([_OLD, _NEW]).decrypt(secret)
