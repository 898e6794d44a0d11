"""All words of the vocabulary: what is in it is no name, what is nearly in it is a slip of the fingers. Pure."""

from __future__ import annotations

from itertools import chain

from .patterns import correct, words_of
from .rules import RULES
from .tokens import Token
from .vocabulary import (
    ASKING,
    CONDITIONAL,
    HYPOTHETICAL,
    MENTIONS,
    PARTS,
    REASONS,
    ROLES,
)
from .wordlists import ALL_WORDS, NEGATIONS, OTHER_WORDS, PRONOUNS, RETRACTIONS

__all__ = ["KNOWN_WORDS", "corrected"]

KNOWN_WORDS = (
    words_of(
        chain(
            (rule.pattern for rule in RULES),
            PARTS.values(),
            MENTIONS.values(),
            ROLES.values(),
            (ASKING, CONDITIONAL, HYPOTHETICAL, REASONS),
        ),
        PARTS,
    )
    | OTHER_WORDS
    | ALL_WORDS
    | NEGATIONS
    | RETRACTIONS
    | PRONOUNS
)

_BY_LETTER = {
    letter: frozenset(word for word in KNOWN_WORDS if word[0] == letter)
    for letter in {word[0] for word in KNOWN_WORDS}
}


def corrected(token: Token) -> str:
    """The token's word, with one slip of the fingers put right."""
    return correct(token.word, _BY_LETTER) if token.kind == "word" else token.word
