"""Makes the reply from what a specialist found."""

from __future__ import annotations

from brain.message import Locale
from brain.phrases import say
from brain.reply import Block, Buttons, Citations, Notice, Reply, to_plain
from brain.state import Draft


def compose(draft: Draft, degraded: frozenset[str], locale: Locale) -> Reply:
    """The draft's blocks, its sources, what is away, and the buttons last."""
    away = tuple(sorted(draft.degraded | degraded))
    blocks: tuple[Block, ...] = draft.blocks
    if draft.citations:
        blocks += (Citations(items=draft.citations),)
    blocks += tuple(Notice(text=say(locale, f"degraded_{name}"), level="warning") for name in away)
    plain = to_plain(blocks)
    if draft.buttons:
        blocks += (Buttons(items=draft.buttons),)
    return Reply(
        blocks=blocks,
        plain_text=plain,
        agent=draft.agent,
        proposal=draft.proposal,
        outcome=draft.outcome,
        degraded=away,
        is_private=draft.is_private,
        is_generated=draft.tokens > 0,
    )
