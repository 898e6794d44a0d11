"""One page for one person: the plan at a glance, what waits for a decision, incidents, and what can be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from brain.agents.approvals import list_approvals
from brain.agents.asked import Asked
from brain.agents.conversation import answer_help
from brain.agents.status import answer_status
from brain.incidents.card import table
from brain.reply import Block, Buttons
from brain.state import Draft, Memory
from tws.errors import TwsError

_INCIDENTS: Final = 10


async def answer_home(asked: Asked) -> Draft:
    """Each part as it is told elsewhere; without TWS the rest of it."""
    blocks: list[Block] = []
    away: frozenset[str] = frozenset()
    for draft in (await _plan(asked), await list_approvals(asked), await _incidents(asked)):
        away |= draft.degraded
        blocks += draft.blocks
        if draft.buttons:
            blocks.append(Buttons(items=draft.buttons))
    known = answer_help(asked.tools, asked.locale)
    return Draft(
        agent="home",
        blocks=(*blocks, *known.blocks),
        buttons=known.buttons,
        degraded=away,
        memory=Memory(),
    )


async def _plan(asked: Asked) -> Draft:
    try:
        return await answer_status(asked)
    except TwsError:
        return Draft(agent="home", blocks=(), degraded=frozenset({"tws"}))


async def _incidents(asked: Asked) -> Draft:
    """First those that are the person's."""
    found = await asked.tools.incidents()
    if not found:
        return Draft(agent="home", blocks=(asked.phrase("no_incidents"),))
    mine = sorted(found, key=lambda one: one.assignee != asked.tools.actor.actor_id)[:_INCIDENTS]
    shown = table(mine, locale=asked.locale, zone=asked.zone, now=datetime.now(UTC))
    return Draft(agent="home", blocks=(asked.phrase("incidents_open", count=str(len(found))), shown))
