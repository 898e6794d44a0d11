"""Every language says everything, with the same values."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from brain import phrases
from brain.message import Locale
from brain.reply import Span, code, strong

_FOLDER = Path(phrases.__file__).parent
_SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for package in (_FOLDER.parent, _FOLDER.parents[1] / "bots")
    for path in package.rglob("*.py")
    if path.parent != _FOLDER
)


def _sentences(locale: Locale) -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((_FOLDER / f"{locale}.yaml").read_text(encoding="utf-8"))
    return loaded


def test_all_languages_have_the_same_keys() -> None:
    assert phrases.keys(Locale.PT) == phrases.keys(Locale.EN)


@pytest.mark.parametrize("locale", Locale)
def test_no_sentence_stands_twice(locale: Locale) -> None:
    lines = (_FOLDER / f"{locale}.yaml").read_text(encoding="utf-8")
    assert [
        key for key, count in Counter(re.findall(r"^(\w+):", lines, re.MULTILINE)).items() if count > 1
    ] == []


@pytest.mark.parametrize("key", sorted(phrases.keys(Locale.EN)))
def test_a_sentence_names_the_same_values_in_all_languages(key: str) -> None:
    names = [set(re.findall(r"\{(\w+)\}", _sentences(locale)[key])) for locale in Locale]
    assert names[0] == names[1]


def test_no_sentence_is_unused() -> None:
    made_up = re.findall(r'f"([a-z_]+_)\{', _SOURCES)
    unused = {
        key
        for key in phrases.keys(Locale.EN)
        if f'"{key}"' not in _SOURCES and not any(key.startswith(prefix) for prefix in made_up)
    }
    assert unused == set()


def test_values_stay_literal_and_keep_their_style() -> None:
    paragraph = phrases.phrase(Locale.EN, "unknown_job", name=code("{job} **x**"))
    assert paragraph.spans[1] == Span("{job} **x**", "code")
    assert phrases.phrase(Locale.EN, "summary", total=strong("3"), failed="1").spans[0] == Span("3", "strong")


def test_a_missing_value_is_an_error_not_a_gap() -> None:
    with pytest.raises(KeyError):
        phrases.say(Locale.EN, "which_of", count=2)
