"""Checks the installed wheel: its top-level names belong to it alone, and its data files came along.

Run by the Python of an environment that holds the lock file and the wheel, and nothing else.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import files, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Exits with a message on the first thing that is wrong."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    owners = packages_distributions()
    modules = [name.removesuffix(".py") for name in included if _is_importable(ROOT / name)]
    shared = {name: owners.get(name) for name in modules if owners.get(name) != ["resync"]}
    if shared:
        sys.exit(f"top-level names that are not resync's alone: {shared}")
    missing = _sources(included) - {str(file) for file in files("resync") or ()}
    if missing:
        sys.exit(f"files that the wheel lacks: {sorted(missing)}")
    sys.stdout.write(f"{len(modules)} top-level names belong to resync alone; no file is missing\n")


def _is_importable(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").exists()


def _sources(included: list[str]) -> set[str]:
    """Every file of the included modules and packages, but for what Python writes."""
    found = {path for name in included for path in [ROOT / name, *(ROOT / name).rglob("*")]}
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }


if __name__ == "__main__":
    main()
