"""The directory of people: who they are on each channel."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, RowMapping, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from .passwords import Passwords
from .roles import Actor, Role
from .tables import identities, refresh_tokens, users

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is on a channel."""

    channel: str
    tenant: str
    user_id: str


class DirectoryError(ValueError):
    """Nobody has that name, or the name or the channel's user is somebody else's; the message says which."""


class ActorDirectory:
    """Finds people by user name or by what a channel vouches for, never by display name.

    Disabled people are found by no method.
    """

    def __init__(self, engine: AsyncEngine, passwords: Passwords) -> None:
        self._engine = engine
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._passwords = passwords

    async def add(
        self,
        username: str,
        display_name: str,
        role: Role,
        password: str | None,
        *,
        groups: Collection[str] = (),
        replace: bool = False,
    ) -> Actor:
        """Adds a person; a password of None means that they come by channels only.

        User names are lower case: 1 to 64 of `a-z 0-9 . _ @ -`. Raises `DirectoryError` on another name, and on
        a name that exists unless `replace` is set, which also enables a disabled person again.
        """
        if not _USERNAME.fullmatch(username):
            raise DirectoryError(f"not a user name: {username!r}")
        values = {
            "display_name": display_name,
            "role": role.value,
            "groups": sorted({group.casefold() for group in groups}),
            "password_hash": None if password is None else await self._passwords.hash(password),
            "disabled": False,
        }
        statement = insert(users).values(username=username, **values)
        statement = (
            statement.on_conflict_do_update(index_elements=[users.c.username], set_=values)
            if replace
            else statement.on_conflict_do_nothing()
        )
        async with self._engine.begin() as connection:
            added = await connection.scalar(statement.returning(users.c.username))
        if added is None:
            raise DirectoryError(f"the user name {username} exists")
        return _to_actor({"username": username, **values})

    async def disable(self, actor_id: str) -> None:
        """Shuts a person out at once, on every channel. Raises `DirectoryError`."""
        async with self._engine.begin() as connection:
            changed = await connection.execute(
                update(users).where(users.c.username == actor_id).values(disabled=True)
            )
            await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.username == actor_id))
        if changed.rowcount == 0:
            raise _nobody(actor_id)

    async def authenticate(self, username: str, password: str) -> Actor | None:
        """The person with this name (in any case) and password.

        None otherwise, after the same time whether the name or the password is wrong.
        """
        row = await self._one(
            _people(users.c.password_hash).where(users.c.username == username.strip().lower())
        )
        matches = await self._passwords.verify(password, row["password_hash"] if row else None)
        return _to_actor(row) if row and matches else None

    async def get(self, actor_id: str) -> Actor | None:
        """The person with this id."""
        row = await self._one(_people().where(users.c.username == actor_id))
        return _to_actor(row) if row else None

    async def resolve(self, channel: str, tenant: str, user_id: str) -> Actor | None:
        """The person linked to the channel's user; None is an unknown sender, to be refused."""
        row = await self._one(
            _people()
            .join(identities, identities.c.username == users.c.username)
            .where(
                identities.c.channel == channel,
                identities.c.tenant == tenant,
                identities.c.user_id == user_id,
            )
        )
        return _to_actor(row) if row else None

    async def identities(self, actor_id: str) -> tuple[Identity, ...]:
        """Who the person is on all channels."""
        columns = (identities.c.channel, identities.c.tenant, identities.c.user_id)
        query = (
            select(*columns)
            .join(users, users.c.username == identities.c.username)
            .where(users.c.username == actor_id, users.c.disabled.is_(False))
            .order_by(*columns)
        )
        async with self._reads.connect() as connection:
            return tuple(Identity(*row) for row in await connection.execute(query))

    async def link(self, actor_id: str, channel: str, tenant: str, user_id: str, *, linked_by: str) -> None:
        """Makes the channel's user this person; linking the same again does nothing. Raises `DirectoryError`.

        Taking a user away from somebody else is an administrator's deliberate act, not a link.
        """
        key = {"channel": channel, "tenant": tenant, "user_id": user_id}
        try:
            async with self._engine.begin() as connection:
                await connection.execute(
                    insert(identities)
                    .values(**key, username=actor_id, linked_by=linked_by)
                    .on_conflict_do_nothing()
                )
                owner = await connection.scalar(select(identities.c.username).filter_by(**key))
        except IntegrityError as error:
            raise _nobody(actor_id) from error
        if owner != actor_id:
            raise DirectoryError(f"{channel} user {user_id} of {tenant} is already linked to somebody else")

    async def _one(self, query: Select[tuple[str, ...]]) -> RowMapping | None:
        async with self._reads.connect() as connection:
            return (await connection.execute(query)).mappings().one_or_none()


def _people(*more: Column[str]) -> Select[tuple[str, ...]]:
    columns = (users.c.username, users.c.display_name, users.c.role, users.c.groups)
    return select(*columns, *more).where(users.c.disabled.is_(False))


def _to_actor(row: RowMapping | Mapping[str, Any]) -> Actor:
    return Actor(
        actor_id=row["username"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        groups=frozenset(row["groups"]),
    )


def _nobody(actor_id: str) -> DirectoryError:
    return DirectoryError(f"there is nobody called {actor_id}")
