"""Tells Portuguese from English by a few words and letters. Pure."""

from __future__ import annotations

import re
import unicodedata

from brain.message import Locale

__all__ = ["detect_locale", "fold"]

_WORDS = {
    Locale.PT: frozenset(
        "agora ainda ajuda ao aos as atrasado atrasados bom boa cade como da das de dia dos duvida e ela ele em "
        "entao erro esse essa esta estao estou este eu falhou falharam favor fazer faco foi ha hoje houve isso ja "
        "jobs mais mas me meu minha muito na nao nas noite nos nossa o oi ola onde ontem os ou para pelo pela pode "
        "poderia por porque posso pq pra qual quais quando que quem quero rodar rodou rodando se sem ser seu sobre "
        "so sua tem ter terminou uma um vai voce agente estacao malha fluxo liberar libere segurar segure cancelar "
        "cancele reprocessar reexecutar motivo significa resumo situacao obrigado obrigada tudo bem".split()
    )
    - {"jobs", "me", "as"},
    Locale.EN: frozenset(
        "about after again all an and any are because been before but by can could did does doing done every failed "
        "for from get give had happened has have hello help hey hi how i if in is it job's last late let like list "
        "many mean my need not now of off on or our please rerun run running show since so some start started stop "
        "tell thanks that the their them then there these they this tonight to today until us was we were what when "
        "where which while who why will with would yes yesterday you your release hold status"
        " waiting stuck".split()
    )
    - {"so", "status"},
}
"""Frequent in one language and absent from the other; words of both, such as `do`, `no` and `a`, are left out."""

_PORTUGUESE_LETTERS = frozenset("ãõçáàâéêíóôú")
_LETTERS_WEIGHT = 2
"""An accent says more than a short word: English job names and words have none."""

_WORD = re.compile(r"[^\W\d_]+")


def fold(text: str) -> str:
    """The text in lower case and without accents, character for character as long as before."""
    return "".join(_fold_character(character) for character in text)


def detect_locale(text: str, hint: Locale | None) -> Locale | None:
    """The language of the text; the hint where it says nothing or both equally."""
    words = [word for word in _WORD.findall(text) if not word.isupper() or text.isupper()]
    scores = {locale: sum(fold(word) in known for word in words) for locale, known in _WORDS.items()}
    if _PORTUGUESE_LETTERS.intersection(text.lower()):
        scores[Locale.PT] += _LETTERS_WEIGHT
    if scores[Locale.PT] == scores[Locale.EN]:
        return hint
    return max(scores, key=scores.__getitem__)


def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character
