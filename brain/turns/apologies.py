"""Failures in words: what the person reads when a turn could not do its work."""

from brain.message import Locale
from brain.phrases import say
from brain.reply import Notice, Reply


def apology(
    key: str,
    locale: Locale,
    *,
    degraded: frozenset[str] = frozenset(),
    is_private: bool = False,
    **values: object,
) -> Reply:
    """A reply of one sentence from the phrases."""
    sentence = say(locale, key, **values)
    return Reply(
        blocks=(Notice(text=sentence, level="warning"),),
        plain_text=sentence,
        agent="apology",
        degraded=tuple(sorted(degraded)),
        is_private=is_private,
    )
