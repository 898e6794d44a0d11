"""People's own accounts in TWS: linked in private, checked against the engine, kept encrypted."""

import json
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

import structlog
from pydantic import SecretStr
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from brain.tables import TWS_IDENTITIES
from security.audit import AuditEntry, AuditLog
from security.vault import Vault, VaultError
from tws.credentials import Credentials
from tws.engines import Engines

_log = structlog.get_logger(__name__)

_API_KEY = "API key"
"""Shown as the account of somebody who linked a key: whose it is only the engine knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What may be shown of a linked identity."""

    engine: str
    account: str
    """The user name, or that it is an API key."""
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Identities:
    """Stores one identity for each person and engine; a secret is bound to both and read nowhere else."""

    engine: AsyncEngine
    _: KW_ONLY
    vault: Vault
    engines: Engines
    audit: AuditLog

    async def link(self, actor_id: str, engine: str, credentials: Credentials) -> Account:
        """Stores the credentials once the engine took them. Raises the errors of `tws.errors`, then nothing is stored."""
        await self.engines.get(engine).acting_as(credentials).engine_info()
        values = {
            "account": credentials.username or _API_KEY,
            "secret": self.vault.encrypt(_write(actor_id, engine, credentials)),
            "linked_at": func.now(),
        }
        store = (
            insert(TWS_IDENTITIES)
            .values(actor_id=actor_id, engine=engine, **values)
            .on_conflict_do_update(index_elements=["actor_id", "engine"], set_=values)
            .returning(TWS_IDENTITIES.c.linked_at)
        )
        async with self.engine.begin() as connection:
            linked_at = (await connection.execute(store)).scalar_one()
            await self._record(connection, actor_id, engine, "link_tws_identity")
        return Account(engine=engine, account=str(values["account"]), linked_at=linked_at)

    async def account(self, actor_id: str, engine: str) -> Account | None:
        """What is linked, without the secret."""
        table = TWS_IDENTITIES.c
        query = select(table.engine, table.account, table.linked_at).where(_key(actor_id, engine))
        async with self.engine.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Account(**row)

    async def credentials(self, actor_id: str, engine: str) -> Credentials | None:
        """The secret itself, for a call in the person's name; None without one that can be read."""
        query = select(TWS_IDENTITIES.c.secret).where(_key(actor_id, engine))
        async with self.engine.connect() as connection:
            secret = (await connection.execute(query)).scalar()
        if secret is None:
            return None
        try:
            return _read(actor_id, engine, self.vault.decrypt(secret))
        except VaultError as error:
            _log.warning("tws_identity_unreadable", actor_id=actor_id, engine=engine, reason=str(error))
            return None

    async def unlink(self, actor_id: str, engine: str) -> bool:
        """Forgets the identity; whether there was one."""
        async with self.engine.begin() as connection:
            gone = await connection.execute(delete(TWS_IDENTITIES).where(_key(actor_id, engine)))
            if gone.rowcount:
                await self._record(connection, actor_id, engine, "unlink_tws_identity")
        return gone.rowcount == 1

    async def _record(self, connection: AsyncConnection, actor_id: str, engine: str, action: str) -> None:
        entry = AuditEntry(actor_id=actor_id, channel="web", action=action, target=engine, phase="other")
        await self.audit.append(connection, entry)


async def reencrypt(engine: AsyncEngine, vault: Vault) -> int:
    """Puts every secret under the newest key of the vault; how many there are. Raises `VaultError`."""
    async with engine.begin() as connection:
        rows = (await connection.execute(select(TWS_IDENTITIES).with_for_update())).all()
        for row in rows:
            renew = update(TWS_IDENTITIES).where(_key(row.actor_id, row.engine))
            await connection.execute(renew.values(secret=vault.reencrypt(row.secret)))
    return len(rows)


def _key(actor_id: str, engine: str) -> ColumnElement[bool]:
    return and_(TWS_IDENTITIES.c.actor_id == actor_id, TWS_IDENTITIES.c.engine == engine)


def _write(actor_id: str, engine: str, credentials: Credentials) -> str:
    secrets = (credentials.password.get_secret_value(), credentials.api_key.get_secret_value())
    return json.dumps([actor_id, engine, credentials.username, *secrets])


def _read(actor_id: str, engine: str, plain: str) -> Credentials:
    owner, of_engine, username, password, key = json.loads(plain)
    if (owner, of_engine) != (actor_id, engine):
        raise VaultError("the secret belongs to somebody else")
    return Credentials(username=username, password=SecretStr(password), api_key=SecretStr(key))
