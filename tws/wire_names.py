"""Names with and without folders, as the engine and people write them: pure."""

from __future__ import annotations

__all__ = ["without_root"]


def without_root(name: str) -> str:
    """`/AGENT07` as `AGENT07`: conman omits the root folder too; names in other folders stay whole."""
    return name[1:] if name.startswith("/") and name.count("/") == 1 else name
