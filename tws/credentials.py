"""The account that TWS is asked with: pure."""

from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr

_NOTHING = SecretStr("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user with a password, or an API key (a JWT made in the console), which wins. Secrets never show."""

    username: str = ""
    password: SecretStr = _NOTHING
    api_key: SecretStr = _NOTHING

    def authorization(self) -> str:
        """The value of the header `Authorization`."""
        if self.api_key.get_secret_value():
            return f"Bearer {self.api_key.get_secret_value()}"
        return aiohttp.encode_basic_auth(self.username, self.password.get_secret_value())
