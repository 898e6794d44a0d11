from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.webhook.signature import is_valid, sign

NOW = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRET = "correct horse battery"


def accepts(
    *,
    secret: str = SECRET,
    stamp: str = STAMP,
    body: bytes = b"{}",
    signature: str | None = None,
    shift: int = 0,
) -> bool:
    given_signature = sign(SECRET, STAMP, b"{}") if signature is None else signature
    now = NOW + timedelta(seconds=shift)
    return is_valid(secret, stamp, body, given_signature, now=now)


@given(st.text(min_size=1), st.binary(), st.integers(-300, 300))
def test_what_is_signed_is_valid_within_the_window(secret: str, body: bytes, shift: int) -> None:
    secret = secret.encode(errors="replace").decode()

    assert accepts(secret=secret, body=body, signature=sign(secret, STAMP, body), shift=shift)


@pytest.mark.parametrize("shift", [-301, 301, 86_400])
def test_window_is_closed_on_both_sides(shift: int) -> None:
    assert not accepts(shift=shift)


def test_any_change_breaks_the_signature() -> None:
    later = str(int(STAMP) + 1)

    assert accepts()
    assert not accepts(body=b"{} ")
    assert not accepts(stamp=later)
    assert not accepts(secret="another secret")
    assert not accepts(signature=sign(SECRET, STAMP, b"{}").removeprefix("v1="))
    assert not accepts(signature=sign(SECRET, STAMP, b"{}").replace("v1=", "v2="))


@given(st.text(max_size=80))
def test_no_other_signature_is_valid(signature: str) -> None:
    assert not accepts(signature=signature)


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1.5", f" {STAMP}", "9" * 12, "9" * 400, "١٧٧٢٤١٤١٠٠"])
def test_malformed_time_stamps_are_refused_even_when_signed(stamp: str) -> None:
    assert not accepts(stamp=stamp, signature=sign(SECRET, stamp, b"{}"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_shell_recipe_makes_the_same_signature() -> None:
    recipe = 'printf \'%s.%s\' "$1" "$2" | openssl dgst -sha256 -hmac "$3" -r'
    body = '{"event":"JobStatusChanged"}'

    made = subprocess.run(
        ["/bin/sh", "-c", recipe, "sh", STAMP, body, SECRET], capture_output=True, check=True, text=True
    )

    assert sign(SECRET, STAMP, body.encode()) == f"v1={made.stdout.split()[0]}"
