"""Personal data as it stands in texts: what it looks like, and check digits where it has some. Pure.

What operators live by has the same letters and digits, so a form alone is enough only where nothing of a scheduler
has it: names of jobs, message ids, return codes, times and numbers of runs stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data."""

    name: str
    """Capital letters, digits and underscores."""
    pattern: re.Pattern[str]
    is_real: Callable[[str], bool] = bool
    """Whether a text of that form is one, by its check digits."""


def _has_cpf_digits(text: str) -> bool:
    return _has_check_digits(text, weights=10)


def _has_cnpj_digits(text: str) -> bool:
    return _has_check_digits(text, weights=8)


def _has_check_digits(text: str, *, weights: int) -> bool:
    """Two digits modulo 11, as Receita Federal defines them; letters count as their place after `0` in ASCII."""
    values = [ord(char) - ord("0") for char in text if char.isalnum()]
    return len(set(values)) > 1 and all(
        sum(value * (2 + place % weights) for place, value in enumerate(reversed(values[:end])))
        * 10
        % 11
        % 10
        == values[end]
        for end in (-2, -1)
    )


def _has_luhn_digit(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2]) % 10


def _has_iban_digits(text: str) -> bool:
    """ISO 13616, remainder 1 modulo 97."""
    plain = text.replace(" ", "")
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


_IBAN_CHARS = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH CR HR LI LV",
    22: "BG DE GB GE IE ME RS", 23: "AE GI IL", 24: "AD CZ ES MD RO SA SE SK TN", 25: "PT", 26: "IS TR",
    27: "FR GR IT MC SM", 28: "AL AZ CY DO HU LB PL", 29: "BR QA UA", 30: "JO KW", 31: "MT",
}  # fmt: skip
"""Countries by the length of their account numbers, from the registry of SWIFT."""
_IBAN = "|".join(
    rf"(?:{countries.replace(' ', '|')})[0-9]{{2}}(?: ?[A-Z0-9]){{{length - 4}}}"
    for length, countries in _IBAN_CHARS.items()
)
_TIMESTAMP = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"
_PHONES = (
    # +55 11 98765-4321, but not the offset of a time zone
    r"\+(?!1[0-4]\d\d\b)[1-9](?:[ .()-]{0,2}\d){9,14}",
    # (11) 98765-4321, (11) 3456-7890, 11 98765-4321
    r"\([1-9]\d\) ?9?\d{4}[ -]?\d{4}",
    r"[1-9]\d ?9\d{4}-\d{4}",
    # (212) 555-0123, 212-555-0123
    r"\([2-9]\d\d\) ?\d{3}-\d{4}",
    r"[2-9]\d\d-\d{3}-\d{4}",
)


def _alone(pattern: str) -> re.Pattern[str]:
    """The pattern where it is no part of a longer word or number."""
    return re.compile(rf"(?<![a-zA-Z0-9+])(?<!\d[.-])(?:{pattern})(?![a-zA-Z0-9]|[.-]\d)", re.ASCII)


PERSONAL_DATA = (
    # A `#` before it makes it the job stream of a workstation.
    Kind("EMAIL", re.compile(r"(?<![\w.%+#-])[\w.%+-]{1,64}@(?:[a-zA-Z0-9-]{1,63}\.){1,8}[a-zA-Z]{2,24}\b")),
    Kind("IBAN", _alone(_IBAN), _has_iban_digits),
    Kind(
        "CNPJ",
        _alone(rf"[A-Z0-9]{{2}}\.[A-Z0-9]{{3}}\.[A-Z0-9]{{3}}/[A-Z0-9]{{4}}-\d\d|(?!{_TIMESTAMP})\d{{14}}"),
        _has_cnpj_digits,
    ),
    Kind("CPF", _alone(r"\d{3}\.\d{3}\.\d{3}-\d\d|\d{9}-?\d\d"), _has_cpf_digits),
    Kind(
        "CARD",
        _alone(r"(?=[3-6]|2[2-7])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5})"),
        _has_luhn_digit,
    ),
    Kind("PHONE", _alone("|".join(_PHONES))),
)
"""In the order in which they are looked for."""
