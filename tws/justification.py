"""Why a change is made, for the engine's audit trail: pure."""

import re
import unicodedata
from dataclasses import dataclass

_MOST_REASON = 512
_MOST_OTHER = 128
"""What the engine stores of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Justification:
    """Reason, category and ticket; engines may insist on them."""

    reason: str
    category: str = "resync"
    ticket: str = ""

    def headers(self) -> dict[str, str]:
        """The headers of REST API V2, each cut to what the engine stores; empty ones are left out.

        Headers are ASCII: accents are dropped, since engines read other bytes as another alphabet.
        """
        given = {
            "Justification-Category": _to_ascii(self.category)[:_MOST_OTHER],
            "Justification-Description": _to_ascii(self.reason)[:_MOST_REASON],
            "Justification-Ticket-Num": _to_ascii(self.ticket)[:_MOST_OTHER],
        }
        return {name: text.strip() for name, text in given.items() if text.strip()}


def _to_ascii(text: str) -> str:
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    printable = "".join(c if c.isprintable() else " " for c in letters)
    return re.sub(r" +", " ", printable.encode("ascii", "replace").decode("ascii")).strip()
