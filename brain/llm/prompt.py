"""The system prompts that ship with Resync: Markdown with front matter, one file each."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt and where it stands in its history."""

    name: str
    version: int
    """Goes into traces, so that answers can be compared by it."""
    languages: tuple[str, ...]
    """The languages that it was reviewed for."""
    text: str


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt `prompts/{name}.md`, read once. Raises `FileNotFoundError` for any other name."""
    source = resources.files(__package__).joinpath("prompts", f"{name}.md").read_text("utf-8")
    _, front_matter, text = source.split("---\n", 2)
    fields = yaml.safe_load(front_matter)
    return Prompt(
        name=fields["name"],
        version=fields["version"],
        languages=tuple(fields["languages"]),
        text=text.strip(),
    )


def fixed_chars(system: str) -> int:
    """How many characters at the beginning of a system text are a prompt of ours; 0 if none is."""
    return max((len(text) for text in _texts() if system.startswith(text)), default=0)


@cache
def _texts() -> tuple[str, ...]:
    files = resources.files(__package__).joinpath("prompts").iterdir()
    return tuple(load_prompt(file.name.removesuffix(".md")).text for file in files)
