"""Why something does not start, in words. Pure."""

from zoneinfo import ZoneInfo

from brain.agents.tables import cell
from brain.message import Locale
from brain.phrases import say
from tws.objects import Dependency, JobStream
from tws.why import Reason

_FACTS = (
    *("target", "status", "return_code", "at", "until", "text", "needed", "available", "quantity"),
    *("fence", "priority", "limit", "running"),
)
"""What sentences may name and a plan does not always tell."""


def reason_sentence(reason: Reason, locale: Locale, zone: ZoneInfo) -> str:
    """The reason with the fact that proves it."""
    about, owner = reason.about, reason.owner
    values = dict.fromkeys(_FACTS, "–") | {
        name: cell(value, locale, zone) for name, value in reason.fact.items()
    }
    if about is not None:
        values["target"] = about.target if isinstance(about, Dependency) else about.selection
    owned = owner.selection if owner else ""
    sentence = say(locale, f"cause_{reason.cause}", **{"owner": owned, **values})
    if isinstance(owner, JobStream) and not reason.cause.startswith("stream_"):
        sentence = say(locale, "of_stream", stream=owner.selection, sentence=sentence)
    if reason.since is not None:
        sentence += say(locale, "since", at=cell(reason.since, locale, zone))
    return sentence
