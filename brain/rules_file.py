"""Reads rules from a YAML file, and says exactly where it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Place: TypeAlias = tuple[int | str, ...]
"""Keys and numbers that lead to a part of the file."""
Fault: TypeAlias = tuple[Place, str]
_Rules = TypeVar("_Rules", bound=BaseModel)


class RulesError(ValueError):
    """The file cannot be used; the message gives file, line, column and what was expected there."""


def load_rules(
    path: Path,
    model: type[_Rules],
    parts: Mapping[str, type[BaseModel]],
    contradictions: Callable[[_Rules], Iterable[Fault]],
) -> _Rules:
    """The rules in the file; `parts` are the models of its sections. Raises `RulesError`, also for no file."""
    try:
        # As plain strings: YAML would make a number of 22:00 and dates of some days only.
        loader = yaml.BaseLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise RulesError(_at(path, error.problem_mark, f"{error.problem} {error.context or ''}")) from error
    for key, first in _repeated(node):
        raise RulesError(_at(path, key.start_mark, f"{key.value!r} stands already in line {first}"))
    try:
        rules = model.model_validate(data)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = _find(node, fault["loc"], is_key=fault["type"] == "extra_forbidden")
        parents = tuple(map(str, fault["loc"]))[:-1]
        owner = parts.get(parents[0], model) if parents else model
        raise RulesError(
            _at(path, where, _describe(owner, fault["loc"], fault["type"], fault["msg"]))
        ) from error
    for loc, words in contradictions(rules):
        raise RulesError(_at(path, _find(node, loc), words))
    return rules


def _describe(owner: type[BaseModel], loc: Place, kind: str, message: str) -> str:
    *parents, name = map(str, loc or ("the file",))
    if kind != "extra_forbidden":
        return f"{'.'.join([*parents, name])}: {message}"
    known = sorted(field.alias or name for name, field in owner.model_fields.items())
    return f"expected one of {', '.join(known)}, found {name!r}"


def _repeated(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, int]]:
    """Keys that stand twice in one mapping, with the line of the first: YAML would silently take the last."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.value in lines:
                yield key, lines[key.value]
            lines[key.value] = key.start_mark.line + 1
            yield from _repeated(value)


def _find(
    node: yaml.Node | None, loc: tuple[int | str, ...], *, is_key: bool = False
) -> yaml.error.Mark | None:
    """Where the deepest part of the path that exists begins."""
    mark = node.start_mark if node else None
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode) and (pair := _pair(node, part)):
            node = pair[0] if is_key and part == loc[-1] else pair[1]
        else:
            break
        mark = node.start_mark
    return mark


def _pair(node: yaml.MappingNode, key: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((name, value) for name, value in node.value if name.value == key), None)


def _at(path: Path, mark: yaml.error.Mark | None, fault: str) -> str:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return f"{path}:{line}:{column}: {fault.strip()}"
