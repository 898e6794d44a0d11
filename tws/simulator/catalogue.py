"""The files of `plans` and others like them; an error names file, line and column."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from .definition import Loc, PlanDefinition

_T = TypeVar("_T")

FOLDER = resources.files(__package__)
"""Where the files are."""


class CatalogueError(ValueError):
    """A file is not as it should be; the message names file, line, column, key and what was expected."""


def scenario(name: str | Path) -> PlanDefinition:
    """The plan of that name in `plans`, or of a file elsewhere. Raises CatalogueError."""
    own = FOLDER / "plans" / f"{name}.yaml"
    file = own if isinstance(name, str) and own.is_file() else Path(name)
    if not file.is_file():
        raise CatalogueError(
            f"{name}: there is no such plan; expected a file or a name of {FOLDER / 'plans'}"
        )
    return load(file, PlanDefinition)


def load(file: Traversable, form: type[_T]) -> _T:
    """The content of a YAML file. Raises CatalogueError."""
    loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        found = TypeAdapter(form).validate_python(loader.construct_document(node))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise CatalogueError(f"{file.name}:{where}: {error.problem}") from None
    except ValidationError as error:
        problems = [(one["loc"], f"{one['msg']}, found {one['input']!r:.60}") for one in error.errors()]
    else:
        problems = list(found.problems()) if isinstance(found, PlanDefinition) else []
        if not problems:
            return found
    lines = (
        f"{file.name}:{_position(node, loc)}: {'.'.join(map(str, loc))}: {text}" for loc, text in problems
    )
    raise CatalogueError("\n".join(lines))


def _position(node: yaml.Node | None, loc: Loc) -> str:
    """Line and column, from 1, of the value under these keys, or of the nearest around it."""
    mark = node.start_mark if node else None
    for key in loc:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
        else:
            break
        mark = node.start_mark if node else mark
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
