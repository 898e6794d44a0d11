"""The SQL of the mirror by name, from `mirror.sql`."""

import re
from pathlib import Path

from sqlalchemy import TextClause, text

_SQL = Path(__file__).with_name("mirror.sql").read_text(encoding="utf-8")
_PARTS = re.split(r"^-- name: (\w+)$", _SQL, flags=re.MULTILINE)[1:]


def _statements(name: str) -> tuple[TextClause, ...]:
    part = _PARTS[_PARTS.index(name) + 1]
    return tuple(text(one) for one in part.split(";") if one.strip())


STAGE, PREPARE, PRUNE = map(_statements, ("stage", "prepare", "prune"))
(PLAN,), (REMOVE,), (SIEVE,), (REMEMBER,), (WRITE,) = map(
    _statements, ("plan", "remove", "sieve", "remember", "write")
)
(RUNS,), (STATISTICS,), (STORE_PLAN,), (RECOVER,), (NODES,), (EDGES,) = map(
    _statements, ("runs", "statistics", "store_plan", "recover", "nodes", "edges")
)
