"""What waits for a decision, wherever it was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from brain.actions.proposal import Proposal
from brain.agents.asked import Asked
from brain.agents.language import fold
from brain.agents.offers import proposal_card
from brain.message import Locale, Verb
from brain.reply import Bullets, Button, Span, Text, code, strong
from brain.state import Draft, Memory
from brain.times import clock
from security.roles import Permission

_SHOWN = 10
_LONGEST = 120
"""Characters; what is longer asks for something else."""
_ENGLISH = re.compile(
    r"(?:(?:show me|show|list|what|which|the|any|are|there|my|open|pending)\s+)*"
    r"(?:approvals|proposals|(?:waits|is waiting|are waiting) for (?:my |an? )?(?:approval|decision))"
    r"(?:\s+(?:are|is|there|open|pending|waiting|now))*(?:\s+(?P<number>\d{1,2}))?\W*"
)
_PORTUGUESE = re.compile(
    r"(?:(?:mostre|mostra|liste|lista|quais|que|o que|as|ha|sao|minhas)\s+)*"
    r"(?:aprovacoes|propostas|(?:espera|aguarda|esta esperando|esta aguardando)(?: por)? (?:minha |uma )?(?:aprovacao|decisao))"
    r"(?:\s+(?:estao|ha|abertas?|pendentes?|agora|em aberto))*(?:\s+(?P<number>\d{1,2}))?\W*"
)


def read_approvals(words: str) -> tuple[Locale, int] | None:
    """The language in which the list is asked for, and which of it (0: all); None where it is something else."""
    folded = fold(words[:_LONGEST].strip())
    for locale, pattern in ((Locale.EN, _ENGLISH), (Locale.PT, _PORTUGUESE)):
        if asked := pattern.fullmatch(folded):
            return locale, int(asked["number"] or 0)
    return None


async def answer_approvals(asked: Asked) -> Draft:
    """The open proposals, the oldest first; a single one, or the one that is asked for, as the card that decides it."""
    found = await asked.tools.open_proposals()
    if not found:
        return Draft(agent="action", blocks=(asked.phrase("no_approvals"),), memory=Memory())
    number = 1 if len(found) == 1 else int(asked.request.arguments["number"])
    return _card(asked, found[number - 1]) if 1 <= number <= len(found) else _listed(asked, found)


async def list_approvals(asked: Asked) -> Draft:
    """All of them, also a single one."""
    found = await asked.tools.open_proposals()
    if not found:
        return Draft(agent="action", blocks=(asked.phrase("no_approvals"),), memory=Memory())
    return _listed(asked, found)


def _listed(asked: Asked, found: Sequence[Proposal]) -> Draft:
    listed = found[:_SHOWN]
    # A decision takes the place of the card that was pressed, so a list has no such buttons.
    show = tuple(
        Button(
            label=asked.say("button_approval", number=place),
            verb=Verb.SAY,
            value=asked.say("say_approval", number=place),
        )
        for place in range(1, len(listed) + 1)
    )
    return Draft(
        agent="action",
        blocks=(
            asked.phrase("approvals_open", count=str(len(found))),
            Bullets(items=tuple(_line(asked, one) for one in listed), numbered=True),
        ),
        buttons=show,
        memory=Memory(),
    )


def _card(asked: Asked, proposal: Proposal) -> Draft:
    """With its buttons for those who may decide."""
    card = proposal_card(proposal, asked.locale)
    blocks = (*card.blocks, asked.phrase("approval_until", **_by(asked, proposal)))
    buttons = card.buttons if asked.tools.actor.may(Permission.APPROVE) else ()
    return replace(card, blocks=blocks, buttons=buttons, memory=Memory())


def _line(asked: Asked, proposal: Proposal) -> Text:
    action = strong(asked.say(f"button_{proposal.action}"))
    job = code(proposal.selection)
    return asked.phrase("approval_line", action=action, job=job, **_by(asked, proposal))


def _by(asked: Asked, proposal: Proposal) -> dict[str, Span | str]:
    until = clock(proposal.expires_at, asked.zone, now=datetime.now(UTC))
    return {"person": code(proposal.proposed_by), "time": until}
