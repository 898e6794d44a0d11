from __future__ import annotations

import time
import unicodedata

import pytest

from security.passwords import Passwords

_ROUNDS = 4


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(_ROUNDS)


async def test_only_the_right_password_matches(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", stored)
    assert not await passwords.verify("correct horsf", stored)
    assert not await passwords.verify("", stored)


async def test_characters_after_the_72nd_byte_and_after_nul_count(passwords: Passwords) -> None:
    long = "é" * 60
    assert not await passwords.verify(long + "b", await passwords.hash(long + "a"))
    assert not await passwords.verify("pass\0b", await passwords.hash("pass\0a"))


async def test_the_way_an_accent_was_typed_does_not_matter(passwords: Passwords) -> None:
    stored = await passwords.hash(unicodedata.normalize("NFC", "opção"))
    assert await passwords.verify(unicodedata.normalize("NFD", "opção"), stored)


async def test_any_text_is_a_password(passwords: Passwords) -> None:
    assert await passwords.verify("\ud800", await passwords.hash("\ud800"))


async def test_the_same_password_has_different_hashes(passwords: Passwords) -> None:
    assert await passwords.hash("same") != await passwords.hash("same")


async def test_nobody_costs_as_much_as_somebody() -> None:
    passwords = Passwords(10)
    stored = await passwords.hash("right")
    somebody = await _seconds(passwords, stored)
    nobody = await _seconds(passwords, None)
    assert 0.5 < nobody / somebody < 2


async def _seconds(passwords: Passwords, stored: str | None) -> float:
    start = time.process_time()  # of all threads, so that a busy machine does not matter
    for _ in range(3):
        assert not await passwords.verify("wrong", stored)
    return time.process_time() - start
