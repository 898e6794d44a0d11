"""A conversation with the brain itself, turn by turn, on the real checkpointer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from zoneinfo import ZoneInfo

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from brain.conversations import Conversations
from brain.graph import Brain
from brain.llm.factory import open_loops
from brain.llm.loop import ToolLoop
from brain.llm.settings import Task
from brain.message import ButtonPress, Channel, Conversation, Locale, Sender, Verb
from brain.planner.graph import Planner
from brain.planner.settings import PlannerSettings
from brain.reply import Button, Buttons, Reply, Table
from brain.turns.ledger import Turn
from observability.metrics import Metrics
from security.audit import AuditLog
from security.roles import Actor
from tests.support.brain_parts import OPERATOR, Parts
from tests.support.fake_openai import FakeOpenAi
from tests.support.providers import settings_for
from tests.support.turns import Mailbox, make_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One conversation; `elsewhere` begins another with the same brain."""

    brain: Brain
    conversation: Conversation
    mailbox: Mailbox = field(default_factory=Mailbox)

    async def say(
        self,
        words: str,
        *,
        by: Actor = OPERATOR,
        locale: Locale = Locale.EN,
        degraded: frozenset[str] = frozenset(),
        **changes: Any,
    ) -> Reply:
        """`locale` is that of the settings; `changes` are fields of the message."""
        sender = Sender(channel=self.conversation.channel, tenant="local", user_id=by.actor_id)
        message = replace(
            make_message(words), **({"conversation": self.conversation, "sender": sender} | changes)
        )
        turn = Turn(turn_id=uuid.uuid4().hex, message=message, attempts=1, reply=None)
        return await self.brain.answer(turn, by, locale, self.mailbox(turn.turn_id, message), degraded)

    async def press(self, verb: Verb, proposal_id: str, *, by: Actor = OPERATOR, **changes: Any) -> Reply:
        return await self.say("", by=by, button=ButtonPress(verb=verb, value=proposal_id, **changes))

    def elsewhere(self) -> Talk:
        return replace(self, conversation=_conversation(), mailbox=Mailbox())


@asynccontextmanager
async def open_talk(
    parts: Parts,
    dsn: str,
    *,
    loop: ToolLoop | None = None,
    planner: PlannerSettings | None = None,
    zone: str = "UTC",
) -> AsyncIterator[Talk]:
    async with AsyncPostgresSaver.from_conn_string(dsn) as checkpointer:
        loops: dict[Task, ToolLoop] = dict.fromkeys(get_args(Task), loop) if loop else {}
        brain = Brain(
            tools=parts.tools,
            conversations=Conversations(parts.engine, checkpointer, AuditLog()),
            loops=loops,
            planner=Planner(planner or PlannerSettings()),
            zone=ZoneInfo(zone),
        )
        yield Talk(brain=brain, conversation=_conversation())


@asynccontextmanager
async def open_modelled_talk(
    parts: Parts,
    dsn: str,
    model: FakeOpenAi,
    *,
    planner: PlannerSettings | None = None,
    time_limit_seconds: float = 8,
) -> AsyncIterator[Talk]:
    """With a language model, of which the test says what it answers."""
    settings = settings_for("openai", model, time_limit_seconds=time_limit_seconds)
    async with (
        open_loops(settings, Metrics()) as loops,
        open_talk(parts, dsn, loop=loops["assistant"], planner=planner) as opened,
    ):
        yield opened


def buttons_of(reply: Reply) -> list[Button]:
    return [button for block in reply.blocks if isinstance(block, Buttons) for button in block.items]


def table_of(reply: Reply) -> Table:
    (table,) = (block for block in reply.blocks if isinstance(block, Table))
    return table


def _conversation() -> Conversation:
    return Conversation(channel=Channel.WEB, tenant="local", conversation_id=uuid.uuid4().hex)
