"""Takes back what was answered from documents that are removed."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Text, cast, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from brain import reply as replies
from brain.message import Locale, from_jsonable
from brain.phrases import say
from brain.reply import Notice
from brain.tables import TURN_EVENTS, TURNS
from knowledge.terms import language


async def withdraw(connection: AsyncConnection, document_ids: Sequence[UUID]) -> None:
    """Replaces stored replies that cite one of the documents by a notice, and drops how they came about.

    Part of the transaction that removes the documents. A proposal and its outcome stay: they come from the plan.
    """
    cited = [str(document_id) for document_id in document_ids]
    replied = select(TURN_EVENTS.c.turn_id).where(
        TURN_EVENTS.c.kind == "reply", or_(*(TURN_EVENTS.c.data.contains(one) for one in cited))
    )
    quoting = or_(*(cast(TURNS.c.reply, Text).contains(one) for one in cited), TURNS.c.turn_id.in_(replied))
    rows = await connection.execute(
        select(TURNS.c.turn_id, TURNS.c.message, TURNS.c.reply).where(quoting, TURNS.c.reply.is_not(None))
    )
    for turn_id, message, stored in rows.all():
        asked = from_jsonable(message)
        notice = say(asked.locale or Locale(language(asked.text)), "source_removed")
        reply = replace(
            replies.from_jsonable(stored), blocks=(Notice(text=notice),), plain_text=notice, degraded=()
        )
        await connection.execute(
            update(TURNS).where(TURNS.c.turn_id == turn_id).values(reply=replies.to_jsonable(reply))
        )
        events = TURN_EVENTS.c.turn_id == turn_id
        await connection.execute(delete(TURN_EVENTS).where(events, TURN_EVENTS.c.kind != "reply"))
        await connection.execute(update(TURN_EVENTS).where(events).values(data=replies.to_json(reply)))
