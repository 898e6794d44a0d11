"""The SQL of the graph by name, from `graph.sql`."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import TextClause, text

_SQL = Path(__file__).with_name("graph.sql").read_text(encoding="utf-8")
_PARTS = re.split(r"^-- name: (\w+)$", _SQL, flags=re.MULTILINE)[1:]


def statements(name: str) -> tuple[TextClause, ...]:
    """The statements of that part, in order."""
    part = _PARTS[_PARTS.index(name) + 1]
    return tuple(text(one) for one in part.split(";") if one.strip())
