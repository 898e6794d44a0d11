"""Objects of the plan as JSON: single ones, and lists with filters, order and groups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from .engine import Engine
from .filters import Query
from .kinds import KINDS, NODES
from .orders import Kind, Verb
from .plan import Opens
from .runs import Node
from .wire import dependencies_json

_Json = dict[str, Any]
_KEPT = 8
"""Queries whose results are kept."""
_NEW = -1, (False, None)
_STATUS = {Kind.JOB: "lastRunCommonStatus", Kind.JOB_STREAM: "commonStatus"}


class Listing:
    """The objects of one engine for callers with the same rights. Jobs and streams are made again only when changed."""

    def __init__(self, engine: Engine, may: Callable[[Kind, Verb], bool]) -> None:
        self.engine = engine
        self._may = may
        self._made: dict[str, tuple[int, str]] = {}
        self._judged: dict[tuple[Kind, str], dict[str, tuple[int, tuple[bool, Any]]]] = {}
        """By query: what came of each object, at which version. Callers come back for page after page."""

    def row(self, kind: Kind, one: Any) -> _Json:
        """One object; of a job or stream without the dependencies."""
        found: _Json = json.loads(self.text(kind, one))
        return found

    def text(self, kind: Kind, one: Any, *, is_full: bool = False) -> str:
        """One object as JSON text; a full job or stream with its dependencies."""
        shown = partial(KINDS[kind].to_json, self.engine, one, may=self._may)
        if kind not in NODES:
            return _dump(shown())
        version, text = self._made.get(one.plan.id, (-1, ""))
        if version != one.version:
            text = _dump(shown())
            self._made[one.plan.id] = (one.version, text)
        return (
            f'{text[:-1]},"dependencies":{_dump(dependencies_json(self.engine, one))}}}' if is_full else text
        )

    def find(self, kind: Kind, query: Query) -> Sequence[Any]:
        """The objects that match, in the query's order or else in the plan's."""
        objects = KINDS[kind].objects(self.engine)
        if query.is_everything:
            return list(objects.values())
        if query.needs_dependencies or kind not in NODES:
            texts = (self.text(kind, one, is_full=True) for one in objects.values())
            return [objects[row["id"]] for row in query.select(map(json.loads, texts))]
        if (kind, query.text) not in self._judged:
            self._judged = dict([*self._judged.items()][1 - _KEPT :]) | {(kind, query.text): {}}
        known = self._judged[kind, query.text]
        for object_id, one in objects.items():
            if known.get(object_id, _NEW)[0] != one.version:
                known[object_id] = one.version, query.judge(self.row(kind, one))
        return query.arrange((one, known[object_id][1]) for object_id, one in objects.items())

    def count(self, kind: Kind, query: Query, group_by: Sequence[str]) -> _Json:
        """`GroupedCountResponse`; groups are named by their values, joined with commas. Raises KeyError."""
        known = {"workstation": "workstation", "status": _STATUS[kind], "folder": "folder"}
        fields = [known[field] for field in group_by]
        found = self.find(kind, query)
        if not fields:
            return {"count": len(found)}
        groups = (",".join(map(self.row(kind, one).__getitem__, fields)) for one in found)
        return {"count": len(found), "groupedCount": Counter(groups)}

    def files(self) -> dict[str, _Json]:
        """`FileInPlanV2` by id: a file of a workstation that several wait for is there once."""
        engine = self.engine
        nodes: Iterable[Node] = (*engine.streams.values(), *engine.jobs.values())
        waiting = (node for node in nodes if any(isinstance(one, Opens) for one in node.plan.dependencies))
        found = (one["file"] for node in waiting for one in dependencies_json(engine, node) if "file" in one)
        return {file["id"]: file for file in found}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
