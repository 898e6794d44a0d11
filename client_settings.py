"""Settings of the commands that need no server of their own."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClientSettings(BaseSettings):
    """Passwords that would otherwise be typed or made up."""

    model_config = SettingsConfigDict(env_prefix="RESYNC_", extra="ignore")

    password: SecretStr | None = Field(default=None, description="Password for `resync ask`.")
    demo_password: SecretStr | None = Field(
        default=None, description="Password of the demo users, in Resync and in the simulator."
    )
