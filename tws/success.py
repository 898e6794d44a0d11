"""Which return codes are a success: the conditions of job definitions, e.g. `(RC=3) OR (RC>=5 AND RC<10)`. Pure.

Source: the vendor's "User's Guide and Reference", keyword `rccondsucc`. NOT binds before AND, AND before OR.
"""

import operator
import re
from collections.abc import Callable, Mapping


class ConditionError(ValueError):
    """It is not a condition on the return code; the message says where it stops being one."""


_TOKEN = re.compile(
    r"\s*(?:RC\s*(?P<compare>!=|<>|<=|>=|=|<|>)\s*(?P<code>-?\d+)|(?P<word>AND|OR|NOT)\b|(?P<bracket>[()]))",
    re.IGNORECASE,
)
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_BINDS = {"NOT": 3, "AND": 2, "OR": 1, "(": 0}


def is_success(return_code: int, condition: str) -> bool:
    """Whether the code satisfies the condition; an empty one means `RC=0`. Raises ConditionError."""
    values: list[bool] = []
    waiting: list[str] = []
    position, needs_value = 0, True
    text = condition.rstrip() or "RC=0"
    while position < len(text):
        token = _TOKEN.match(text, position)
        word = "" if token is None else (token["word"] or token["bracket"] or "").upper()
        if token is None or needs_value == (word in {"AND", "OR", ")"}):
            raise ConditionError(f"{condition!r} cannot be read from position {position + 1} on")
        position = token.end()
        if not word:
            values.append(_COMPARE[token["compare"]](return_code, int(token["code"])))
        elif word in {"NOT", "("}:
            waiting.append(word)
            continue
        else:
            _apply(values, waiting, down_to=_BINDS.get(word, 0))
            if word == ")" and not (waiting and waiting.pop()):
                raise ConditionError(f"{condition!r} closes a bracket that is not open")
            waiting += [] if word == ")" else [word]
        needs_value = word in {"AND", "OR"}
    if not needs_value:
        _apply(values, waiting, down_to=0)
    if waiting or needs_value:
        raise ConditionError(f"{condition!r} is not complete")
    return values[0]


def _apply(values: list[bool], waiting: list[str], *, down_to: int) -> None:
    """Applies the operators that bind at least so strongly, up to the last open bracket."""
    while waiting and waiting[-1] != "(" and _BINDS[waiting[-1]] >= down_to:
        name, right = waiting.pop(), values.pop()
        if name == "NOT":
            values.append(not right)
        else:
            left = values.pop()
            values.append((left and right) if name == "AND" else (left or right))
