"""What waits for a decision, wherever it was asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from brain.agents.asked import Asked
from brain.agents.language import fold
from brain.agents.offers import decision_buttons, proposal_card
from brain.message import Locale
from brain.reply import Block, Buttons, code
from brain.state import Draft, Memory
from brain.times import clock
from security.roles import Permission

_SHOWN = 5
_LONGEST = 120
"""Characters; what is longer asks for something else."""
_ENGLISH = re.compile(
    r"(?:(?:show me|show|list|what|which|the|any|are|there|my|open|pending)\s+)*"
    r"(?:approvals|proposals|(?:waits|is waiting|are waiting) for (?:my |an? )?(?:approval|decision))"
    r"(?:\s+(?:are|is|there|open|pending|waiting|now))*\W*"
)
_PORTUGUESE = re.compile(
    r"(?:(?:mostre|mostra|liste|lista|quais|que|o que|as|ha|sao|minhas)\s+)*"
    r"(?:aprovacoes|propostas|(?:espera|aguarda|esta esperando|esta aguardando)(?: por)? (?:minha |uma )?(?:aprovacao|decisao))"
    r"(?:\s+(?:estao|ha|abertas?|pendentes?|agora|em aberto))*\W*"
)


def read_approvals(words: str) -> Locale | None:
    """The language in which the list is asked for; None where it is something else."""
    folded = fold(words[:_LONGEST].strip())
    for locale, pattern in ((Locale.EN, _ENGLISH), (Locale.PT, _PORTUGUESE)):
        if pattern.fullmatch(folded):
            return locale
    return None


async def answer_approvals(asked: Asked) -> Draft:
    """The open proposals with what they would do, the oldest first; buttons for those who may approve."""
    found = await asked.tools.open_proposals()
    if not found:
        return Draft(agent="action", blocks=(asked.phrase("no_approvals"),), memory=Memory())
    now = datetime.now(UTC)
    blocks: list[Block] = [asked.phrase("approvals_open", count=str(len(found)))]
    for proposal in found[:_SHOWN]:
        until = clock(proposal.expires_at, asked.zone, now=now)
        blocks += proposal_card(proposal, asked.locale).blocks
        blocks.append(asked.phrase("approval_until", person=code(proposal.proposed_by), time=until))
        if asked.tools.actor.may(Permission.APPROVE):
            blocks.append(Buttons(items=decision_buttons(proposal, asked.locale)))
    return Draft(agent="action", blocks=tuple(blocks), memory=Memory())
