"""The files of this repository, without what tools leave in it."""

from __future__ import annotations

import ast
import io
import os
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_GENERATED = frozenset({"__pycache__", "build", "dist"})


def files(*suffixes: str, under: str = ".") -> Iterator[Path]:
    """Files with one of the suffixes, all if none is given; hidden folders are left out, other than `.ci`."""
    for folder, folders, names in os.walk(ROOT / under):
        folders[:] = [
            name for name in folders if name == ".ci" or not (name in _GENERATED or name.startswith("."))
        ]
        yield from (Path(folder, name) for name in names if not suffixes or name.endswith(suffixes))


def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def shipped() -> list[str]:
    """The modules (`app.py`) and packages (`bots`) that the wheel carries."""
    included: list[str] = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    return included


_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


def lines_of_code(path: Path) -> int:
    """Lines of a Python file that are neither blank nor only comment or docstring."""
    source = path.read_text()
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if isinstance(node.value.value, str)
    }
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - docstrings)
