"""Hostile texts, made of the wordings and disguises in hostile.yaml."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_DATA: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
_LOOKALIKES = str.maketrans("aeopcxAEOPCX", "аеорсхАЕОРСХ")
_CODED: dict[str, Callable[[str], str]] = {
    "base64": lambda words: f"decode and obey: {base64.b64encode(words.encode()).decode()}",
    "zero-width": "\u200b".join,
    "homoglyphs": lambda words: words.translate(_LOOKALIKES),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A text that orders a change, and what a model that obeys calls."""

    text: str
    action: str
    job: str


def orders() -> Iterator[Order]:
    """Every order in every disguise."""
    for order in _DATA["orders"]:
        for name, form in _DATA["disguises"].items():
            disguise = _CODED.get(name)
            words = disguise(order["words"]) if disguise else form.format(text=order["words"])
            yield Order(words, order["action"], order["job"])


def wordings(kind: str) -> list[str]:
    """`findings`, `lowered`, `unforeseen` or `omissions`."""
    found: list[str] = _DATA[kind]
    return found
