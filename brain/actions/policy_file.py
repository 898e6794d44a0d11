"""Reads the policy from its YAML file, and says exactly where it is wrong."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from brain.actions.policy import Policy, Rule, Window
from tws.actions import ACTIONS_OF

DEFAULT_POLICY = Path(str(resources.files(__package__))) / "policy.yaml"
"""What holds unless a file is named."""

_MODELS: dict[str, type[BaseModel]] = {"rules": Rule, "windows": Window}


class PolicyError(ValueError):
    """The file cannot be used; the message gives file, line, column and what was expected there."""


def load_policy(path: Path) -> Policy:
    """The policy in the YAML file. Raises `PolicyError`, also when the file cannot be read."""
    try:
        # As plain strings: YAML would make a number of 22:00 and dates of some days only.
        loader = yaml.BaseLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise PolicyError(_at(path, error.problem_mark, f"{error.problem} {error.context or ''}")) from error
    for key, first in _repeated(node):
        raise PolicyError(_at(path, key.start_mark, f"{key.value!r} stands already in line {first}"))
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = _find(node, fault["loc"], is_key=fault["type"] == "extra_forbidden")
        raise PolicyError(_at(path, where, _describe(fault["loc"], fault["type"], fault["msg"]))) from error
    for loc, fault_text in _contradictions(policy):
        raise PolicyError(_at(path, _find(node, loc), fault_text))
    return policy


def _describe(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    *parents, name = map(str, loc or ("the policy",))
    if kind != "extra_forbidden":
        return f"{'.'.join([*parents, name])}: {message}"
    model = _MODELS.get(parents[0], Policy) if parents else Policy
    known = sorted(field.alias or name for name, field in model.model_fields.items())
    return f"expected one of {', '.join(known)}, found {name!r}"


def _contradictions(policy: Policy) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for number, rule in enumerate(policy.rules):
        for name in rule.window:
            if name not in policy.windows:
                known = ", ".join(policy.windows) or "none"
                yield ("rules", number, "window"), f"expected the name of a window ({known}), found {name!r}"
        if not any(action in ACTIONS_OF[kind] for kind in rule.kinds for action in rule.actions):
            yield ("rules", number, "actions"), "expected an action that one of the kinds knows"


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
