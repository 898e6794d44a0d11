"""How a connection that only listens is lost."""

from typing import Final

import asyncpg

CONNECTION_LOST: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asyncpg raises where a connection breaks; the last, while it is being made."""
