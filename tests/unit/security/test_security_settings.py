from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from security.settings import SecuritySettings

_GOOD = "q7T-vW2xK9_mB4nZ8rL1sD6fH3jP5aYc0eUg"


def test_a_long_random_secret_is_safe() -> None:
    assert SecuritySettings(jwt_secret=SecretStr(_GOOD)).unsafe() == []


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (None, "is not set"),
        (_GOOD[:31], "fewer than 32"),
        (f"ChangeMe{_GOOD}", "well-known default"),
        ("0" * 48, "not random"),
    ],
)
def test_unsafe_secrets_are_named_by_their_setting(secret: str | None, problem: str) -> None:
    settings = SecuritySettings(jwt_secret=SecretStr(secret) if secret else None)
    (found,) = settings.unsafe()
    assert found.startswith("RESYNC_SECURITY__JWT_SECRET ")
    assert problem in found
    assert secret is None or secret not in found


def test_each_vault_key_is_held_to_the_same() -> None:
    keys = [SecretStr(_GOOD), SecretStr("0" * 48), SecretStr(_GOOD[:31])]
    found = SecuritySettings(jwt_secret=SecretStr(_GOOD), vault_keys=keys).unsafe()
    assert [sentence.partition(" ")[0] for sentence in found] == ["RESYNC_SECURITY__VAULT_KEYS"] * 2


def test_the_defaults_are_themselves_valid() -> None:
    defaults = SecuritySettings()
    assert SecuritySettings.model_validate(defaults.model_dump()) == defaults


@pytest.mark.parametrize("rate", ["", "often", "10/fortnight"])
def test_a_rate_that_cannot_be_read_is_refused(rate: str) -> None:
    with pytest.raises(ValidationError):
        SecuritySettings(person_rate=rate)


def test_a_mistyped_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        SecuritySettings.model_validate({"jwt_secrets": _GOOD})
