"""What is known of each language, and telling one from another by a few words and letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from brain.message import Locale

T = TypeVar("T")

Words: TypeAlias = Annotated[
    frozenset[str], BeforeValidator(lambda text: text.split() if isinstance(text, str) else text)
]
"""Words in lower case without accents; in the file one text with spaces between them."""

_LETTERS_WEIGHT = 2
"""An accent says more than a short word: English job names and words have none."""

_WORD = re.compile(r"\w+")
_PART = re.compile(r"\{(\w+)\}")


class Language(BaseModel):
    """One file `grammar/{locale}.yaml`; en.yaml tells what each key is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    telling: Words
    letters: str = ""
    negations: Words
    harmless: Words = frozenset()
    """Negations of other languages that mean something else in this one."""
    retractions: Words
    links: Words
    pronouns: Words
    all_words: Words
    short: Mapping[str, str] = {}
    others: Words
    parts: Mapping[str, str]
    """By name, the parts of sentences in the language of `grammar.patterns`; empty where it has no such part."""

    @property
    def words(self) -> frozenset[str]:
        """All words that are listed, beside those of the parts."""
        lists = (self.negations, self.retractions, self.links, self.pronouns, self.all_words, self.others)
        return frozenset().union(*lists)


def load(file: Traversable, form: type[T]) -> T:
    """The content of a YAML file. Raises ValueError that names the file and what is wrong in it."""
    try:
        # The C loader, as the files are read on import.
        content = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return TypeAdapter(form).validate_python(content)
    except (yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{file.name}: {error}") from None


def check_parts(languages: Mapping[Locale, Language]) -> None:
    """Raises ValueError where a language lacks a part that another has, or names a part that none has."""
    names = frozenset[str]().union(*(language.parts for language in languages.values()))
    for locale, language in languages.items():
        if missing := names - language.parts.keys():
            raise ValueError(f"{locale}.yaml: parts: missing {', '.join(sorted(missing))}")
        for name, pattern in language.parts.items():
            if unknown := set(_PART.findall(pattern)) - names:
                raise ValueError(
                    f"{locale}.yaml: parts.{name}: there is no part {', '.join(sorted(unknown))}"
                )


GRAMMAR = resources.files("brain.agents") / "grammar"
"""The folder of the languages' files."""

LANGUAGES = {locale: load(GRAMMAR / f"{locale}.yaml", Language) for locale in Locale}
check_parts(LANGUAGES)


def fold(text: str) -> str:
    """The text in lower case and without accents, character for character as long as before."""
    return "".join(_fold_character(character) for character in text)


def detect_locale(text: str, hint: Locale | None) -> Locale | None:
    """The language of the text; the hint where it says nothing or several equally."""
    words = [fold(word) for word in _WORD.findall(text) if not word.isupper() or text.isupper()]
    scores = {
        locale: sum(word in language.telling for word in words)
        + _LETTERS_WEIGHT * (not set(language.letters).isdisjoint(text.lower()))
        for locale, language in LANGUAGES.items()
    }
    best = max(scores.values())
    likeliest = [locale for locale, score in scores.items() if score == best]
    return likeliest[0] if len(likeliest) == 1 else hint


def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character
