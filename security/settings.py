"""What an operator of Resync sets about identity, tokens and rates."""

import re
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

_MIN_SECRET_CHARS = 32
"""RFC 7518, section 3.2: an HS256 key has at least the 256 bits of the hash."""
_MIN_DIFFERENT_CHARS = 10
"""A random secret of 32 characters has more; a repeated word or `0000…` has fewer."""
_KNOWN_DEFAULT = re.compile(r"change[-_]?me|your[-_]secret|supersecret|example", re.IGNORECASE)
"""Words that sample configurations put where a secret belongs."""


def _checked_rate(value: str) -> str:
    parse(value)
    return value


Rate = Annotated[str, AfterValidator(_checked_rate)]
"""`count/period` as the `limits` library reads it, e.g. `30/minute` or `5 per 10 seconds`."""


class SecuritySettings(BaseModel):
    """The section `security`; environment variables begin with `RESYNC_SECURITY__`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    jwt_secret: SecretStr | None = None
    """Signs access and refresh tokens. At least 32 random characters, e.g. `openssl rand -base64 48`."""
    vault_keys: list[SecretStr] = Field(default_factory=list)
    """Encrypt people's TWS passwords, the newest key first, as a JSON list; at least 32 random characters each.
    Unset, a key is made in the data folder."""
    access_token_minutes: int = Field(default=30, ge=1, le=24 * 60)
    """How long an access token is valid, in minutes."""
    login_hours: int = Field(default=12, ge=1, le=30 * 24)
    """How long a login lasts before the password is asked again, in hours."""
    person_rate: Rate = "30/minute"
    """Messages one person may send, over all channels."""
    login_rate: Rate = "10/minute"
    """Login attempts from one address."""
    bcrypt_rounds: int = Field(default=12, ge=10, le=16)
    """Cost of a password hash; each step doubles the time (12 is about 0.2 s)."""

    def unsafe(self) -> list[str]:
        """Why this must not serve real people: a sentence for each problem, beginning with the setting's name."""
        jwt = "RESYNC_SECURITY__JWT_SECRET"
        problems = [f"{jwt} is not set"] if self.jwt_secret is None else _weaknesses(jwt, self.jwt_secret)
        for key in self.vault_keys:
            problems += _weaknesses("RESYNC_SECURITY__VAULT_KEYS", key)
        return problems


def _weaknesses(name: str, value: SecretStr) -> list[str]:
    secret = value.get_secret_value()
    problems = []
    if len(secret) < _MIN_SECRET_CHARS:
        problems.append(f"{name} has fewer than {_MIN_SECRET_CHARS} characters")
    if _KNOWN_DEFAULT.search(secret):
        problems.append(f"{name} contains a well-known default")
    if len(set(secret)) < _MIN_DIFFERENT_CHARS:
        problems.append(f"{name} is not random")
    return problems
