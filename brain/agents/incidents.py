"""Incidents in the conversation: which there are, "that one is mine", and what a shift hands over."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias, cast

from brain.agents.asked import Asked
from brain.agents.language import fold
from brain.incidents.card import acknowledge_button, table, title_of
from brain.incidents.desk import IncidentError
from brain.incidents.handover_card import card
from brain.incidents.incidents import Incident
from brain.message import Locale
from brain.state import Draft, Memory
from brain.times import clock

Wish: TypeAlias = Literal["list", "acknowledge", "resolve", "assign", "silence", "handover"]


class Wanted(NamedTuple):
    """What somebody wants of the incidents."""

    wish: Wish
    number: int
    """Of the incident, 0 for all; of a handover the hours."""
    locale: Locale
    detail: str = ""
    """To whom it is assigned, or for how many minutes it is silent."""


_SHOWN = 20
_BUTTONS = 3
_LONGEST = 200
"""Characters; what is longer asks for something else."""
_LIST = re.compile(
    r"(?:(?:please|which|what|list|show(?: me)?|any|por favor|quais|que|lista|liste|mostra|mostre|ha|tem)\W+)*"
    r"(?:(?:are|is|sao|estao|there|the|all|os|todos|algum)\s+)*"
    r"(?:(?:open|active|current)\s+)?(?:incidents?|incidentes?)"
    r"(?:\s+(?:are|is|there|open|active|now|right|sao|estao|ha|em|abertos?|aberto|ativos?|agora))*\W*"
)
_STEP = re.compile(
    r"(?:please\s+|por favor\W+)?(?:(?P<acknowledge>acknowledge|ack|reconhec\w+|assum\w+)|(?P<resolve>resolve|close|resolv\w+|encerr\w+))"
    r"\s+(?:the\s+|o\s+)?(?:incident|incidente)\s+#?(?P<number>\d{1,12})\W*"
)
_INCIDENT = r"(?:the\s+|o\s+)?(?:incident|incidente)\s+#?(?P<number>\d{1,12})"
_PLEASE = r"(?:please\s+|por favor\W+)?"
_ASSIGN = re.compile(
    rf"{_PLEASE}(?:assign|give|atribu\w+|passa\w*|passe)\s+{_INCIDENT}\s+(?:to|a|ao|para)\s+@?(?P<person>[a-z0-9][\w.@-]{{0,63}}?)[.!]*"
)
_SILENCE = re.compile(
    rf"{_PLEASE}(?:silence|mute|snooze|silenci\w+)\s+{_INCIDENT}\s+(?:for|por)\s+(?P<span>\d{{1,3}})\s*(?P<unit>m|min|minutes?|minutos?|h|hours?|horas?)\W*"
)
_LONGEST_SILENCE = timedelta(days=7)
_SHIFT_HOURS, _MOST_HOURS = 8, 72
_HANDOVER = re.compile(
    r"(?:(?:please|show(?: me)?|give me|make|what is|por favor|mostre|mostra|faca|faz|gere|me)\W+)*"
    r"(?:(?:the|a|my|this|o|um|uma)\s+)*"
    r"(?:(?:shift\s+)?hand-?\s?over|shift\s+(?:report|summary)|passagem\s+d[eo]\s+turno|(?:relatorio|resumo)\s+d[eo]\s+turno"
    r"|what\s+happened\s+(?:in|on|during)\s+(?:the|this|my|last)\s+(?:last\s+)?shift"
    r"|o\s+que\s+(?:aconteceu|houve)\s+(?:no|neste|nesse|durante\s+o)\s+(?:meu\s+|ultimo\s+)?turno)"
    r"(?:\s+(?:(?:of|for|from|over|in|d[eao]s?|nas?|the|last|past|ultimas?)\s+)*(?P<hours>\d{1,2})\s?(?:h|hours?|horas?))?\W*"
)


def read_incidents(words: str) -> Wanted | None:
    """What is asked for; None where it is something else."""
    folded = fold(words[:_LONGEST].strip())
    handover = _HANDOVER.fullmatch(folded)
    if handover is not None:
        hours = int(handover["hours"] or _SHIFT_HOURS)
        locale = Locale.PT if "turno" in folded else Locale.EN
        return Wanted("handover", min(max(hours, 1), _MOST_HOURS), locale)
    locale = Locale.PT if "incidente" in folded else Locale.EN
    step = _STEP.fullmatch(folded)
    if step is not None:
        return Wanted("acknowledge" if step["acknowledge"] else "resolve", int(step["number"]), locale)
    assigned = _ASSIGN.fullmatch(folded)
    if assigned is not None:
        return Wanted("assign", int(assigned["number"]), locale, assigned["person"])
    silence = _SILENCE.fullmatch(folded)
    if silence is not None:
        minutes = int(silence["span"]) * (60 if silence["unit"].startswith("h") else 1)
        return Wanted("silence", int(silence["number"]), locale, str(minutes))
    return Wanted("list", 0, locale) if _LIST.fullmatch(folded) else None


async def answer_incidents(asked: Asked) -> Draft:
    """The list, the incident after the step, or the handover."""
    wish = cast("Wish", asked.request.arguments.get("wish", "list"))
    if wish == "list":
        return await _list(asked)
    number = int(asked.request.arguments["number"])
    if wish == "handover":
        shown = card(await asked.tools.handover(timedelta(hours=number)), asked.locale, asked.zone)
        return Draft(agent="incidents", blocks=shown.blocks, memory=Memory())
    try:
        incident = await _changed(asked, wish, number)
    except IncidentError as error:
        block = asked.phrase(f"incident_{error.code}", number=str(number))
        return Draft(agent="incidents", blocks=(block,), memory=Memory())
    told = {"number": str(number), "title": title_of(incident, asked.locale)}
    match wish:
        case "assign":
            block = asked.phrase("incident_assigned", person=incident.assignee or "–", **told)
        case "silence":
            until = clock(incident.silenced_until, asked.zone, now=datetime.now(UTC))
            block = asked.phrase("incident_silenced", until=until, **told)
        case _:
            state = asked.say(f"incident_is_{incident.state}")
            block = asked.phrase("incident_stepped", state=state, **told)
    return Draft(agent="incidents", blocks=(block,), memory=Memory())


async def _changed(asked: Asked, wish: Wish, number: int) -> Incident:
    detail = str(asked.request.arguments["detail"])
    if wish == "assign":
        mine = {"me", "mim", "eu"}
        return await asked.tools.assign_incident(
            number, asked.tools.actor.actor_id if detail in mine else detail
        )
    if wish == "silence":
        span = min(timedelta(minutes=int(detail)), _LONGEST_SILENCE)
        return await asked.tools.silence_incident(number, datetime.now(UTC) + span)
    return await asked.tools.step_incident(number, "acknowledge" if wish == "acknowledge" else "resolve")


async def _list(asked: Asked) -> Draft:
    found = await asked.tools.incidents()
    if not found:
        return Draft(agent="incidents", blocks=(asked.phrase("no_incidents"),), memory=Memory())
    shown = table(found[:_SHOWN], locale=asked.locale, zone=asked.zone, now=datetime.now(UTC))
    buttons = [acknowledge_button(one, asked.locale) for one in found if one.state == "open"][:_BUTTONS]
    return Draft(
        agent="incidents",
        blocks=(asked.phrase("incidents_open", count=str(len(found))), shown),
        buttons=tuple(buttons),
        memory=Memory(),
    )
