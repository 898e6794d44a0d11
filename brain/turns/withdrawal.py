"""What was said and must not be kept: stored replies become a notice, and how they came about is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Text, Update, cast, delete, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from brain import reply as replies
from brain.message import Locale, from_jsonable
from brain.phrases import say
from brain.reply import Notice, Reply
from brain.tables import MODEL_CALLS, TURN_EVENTS, TURNS
from knowledge.terms import language

_NOT_ASKED = {"text": "", "button": None, "alert": None}
"""What takes the place of a message's words."""


async def withdraw(connection: AsyncConnection, document_ids: Sequence[UUID]) -> None:
    """Replaces stored replies that cite one of the documents by a notice, and drops how they came about.

    Part of the transaction that removes the documents. Which prompts quoted them is not known, so all are dropped.
    """
    cited = [str(document_id) for document_id in document_ids]
    replied = select(TURN_EVENTS.c.turn_id).where(
        TURN_EVENTS.c.kind == "reply", or_(*(TURN_EVENTS.c.data.contains(one) for one in cited))
    )
    quoting = or_(*(cast(TURNS.c.reply, Text).contains(one) for one in cited), TURNS.c.turn_id.in_(replied))
    rows = await connection.execute(
        select(TURNS.c.turn_id, TURNS.c.message).where(quoting, TURNS.c.reply.is_not(None))
    )
    for turn_id, message in rows.all():
        asked = from_jsonable(message)
        notice = say(asked.locale or Locale(language(asked.text)), "source_removed")
        await _say_instead(connection, TURNS.c.turn_id == turn_id, notice)
    await connection.execute(_drop_sent(MODEL_CALLS.c.sent.is_not(None)))


async def forget(connection: AsyncConnection, order_key: str, notice: str) -> None:
    """Deletes what was asked, answered and sent to a model in the finished turns under the key.

    Decisions, which are under the keys of their proposals, and records of changes stay.
    """
    turns = (TURNS.c.order_key == order_key) & (TURNS.c.state == "done")
    await _say_instead(connection, turns, notice)
    await connection.execute(_drop_sent(MODEL_CALLS.c.turn_id.in_(select(TURNS.c.turn_id).where(turns))))
    message = TURNS.c.message.op("||")(literal(_NOT_ASKED, JSONB))
    await connection.execute(update(TURNS).where(turns).values(message=message))


async def _say_instead(connection: AsyncConnection, turns: ColumnElement[bool], notice: str) -> None:
    """Puts the notice in the place of these turns' replies. Proposals and outcomes, which the plan tells, stay."""
    said = replies.to_jsonable(Reply(blocks=(Notice(text=notice),), plain_text=notice))
    words = literal({name: said[name] for name in ("blocks", "plain_text", "degraded")}, JSONB)
    events = TURN_EVENTS.c.turn_id.in_(select(TURNS.c.turn_id).where(turns))
    await connection.execute(delete(TURN_EVENTS).where(events, TURN_EVENTS.c.kind != "reply"))
    data = cast(cast(TURN_EVENTS.c.data, JSONB).op("||")(words), Text)
    await connection.execute(update(TURN_EVENTS).where(events).values(data=data))
    await connection.execute(update(TURNS).where(turns).values(reply=TURNS.c.reply.op("||")(words)))


def _drop_sent(calls: ColumnElement[bool]) -> Update:
    return update(MODEL_CALLS).where(calls).values(sent=null())
