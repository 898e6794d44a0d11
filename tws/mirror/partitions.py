"""One partition of `tws_changes` for each day (UTC), made ahead and dropped after the retention."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_AHEAD = 3
"""Days for which there are partitions already: how long the poller may be away from this work."""
_PREFIX = "tws_changes_"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('tws_changes'))")
"""The pollers of several engines take turns."""
_EXISTING = text("""
    SELECT child.relname FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'tws_changes'::regclass ORDER BY child.relname
""")


async def tend(connection: AsyncConnection, now: datetime, keep: timedelta) -> None:
    """Brings the partitions up to date in the connection's transaction; states that ended before `now - keep` go."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today + timedelta(days=number) for number in range(-1, _AHEAD + 1)]
    wanted = {_name(day): day for day in days}
    await connection.execute(_LOCK)
    existing = set((await connection.execute(_EXISTING)).scalars())
    for name in wanted.keys() - existing:
        start, end = wanted[name].isoformat(), (wanted[name] + timedelta(days=1)).isoformat()
        await connection.execute(
            text(f"CREATE TABLE {name} PARTITION OF tws_changes FOR VALUES FROM ('{start}') TO ('{end}')")
        )
    for name in existing - wanted.keys():
        if name < _name(today - keep):
            await connection.execute(text(f"DROP TABLE {name}"))


def _name(day: datetime) -> str:
    """Sorts like the day."""
    return f"{_PREFIX}{day:%Y%m%d}"
