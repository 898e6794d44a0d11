"""Runs one turn: the guards, the brain, the answer on its way. Read `run` and `_answer` top to bottom."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import structlog
from sqlalchemy.exc import DBAPIError

from brain.actions.postings import Postings
from brain.agents.language import detect_locale
from brain.message import Channel, InboundMessage, Locale
from brain.phrases import say
from brain.reply import Notice, Reply
from brain.turns.apologies import apology
from brain.turns.ledger import Ledger, Turn
from brain.turns.outbox import Outbox, OutboxError, Outboxes
from knowledge.errors import StoreUnavailableError
from observability.metrics import Metrics
from observability.tracing import Tracer
from security.actors import ActorDirectory
from security.limits import RateLimiter
from security.linking import LinkCodes, read_code
from security.roles import Actor, Permission, Role

_MAX_ATTEMPTS = 3
"""A turn that killed its worker this often gets an apology instead of another try."""
_DELIVERY_PAUSES = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=15))
"""Between the deliveries of one round."""
_LINK_TRIES = "5/hour"
"""Codes that somebody unknown may say."""
_MAX_DELIVERIES = 5
"""After so many rounds of delivery the answer stays in the ledger and the operator of Resync is told."""

Answers: TypeAlias = Callable[[Turn, Actor, Locale, Outbox, frozenset[str]], Awaitable[Reply]]
"""The brain: from a turn, and what is known to be away, to its reply."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRunner:
    """Everything that guards, records or traces a turn happens here, once."""

    ledger: Ledger
    outboxes: Outboxes
    answers: Answers
    actors: ActorDirectory
    links: LinkCodes
    limiter: RateLimiter
    limit: str
    """Turns of one person, e.g. `30/minute`."""
    metrics: Metrics
    tracer: Tracer
    locale: Locale
    """Of those whose language nothing tells."""
    postings: Postings
    deadline: timedelta
    delivery_pauses: Sequence[timedelta] = _DELIVERY_PAUSES

    async def run(self, turn: Turn) -> None:
        """Answers and delivers. Raises only when the database is away: then the turn is taken again."""
        with structlog.contextvars.bound_contextvars(
            turn_id=turn.turn_id, conversation=turn.message.conversation.key
        ):
            try:
                await self._run(turn)
            except (DBAPIError, OSError) as error:
                if _is_lost(error):
                    with suppress(DBAPIError, OSError):
                        await self.ledger.give_back(turn.turn_id)
                raise
            except Exception:  # noqa: BLE001  # whatever it is, the next worker would meet it again, for ever
                _log.exception("turn_dropped")
                await self.ledger.close(turn.turn_id)

    async def _run(self, turn: Turn) -> None:
        message = turn.message
        started = time.perf_counter()
        make_outbox = self.outboxes.get(message.conversation.channel)
        if make_outbox is None:
            # The channel was switched off after it took the message: there is no way back.
            _log.error("channel_is_off", channel=message.conversation.channel)
            await self.ledger.close(turn.turn_id)
            return
        outbox = make_outbox(turn.turn_id, message)
        reply, outcome = turn.reply, "delivered_late"
        if reply is None:
            reply, outcome = await self._answer(turn, outbox)
            await self.ledger.answer(turn.turn_id, reply, outcome=outcome)
        if await self._deliver(turn, outbox, reply):
            await self.ledger.close(turn.turn_id)
        seconds = time.perf_counter() - started
        self.metrics.turn_finished(
            channel=message.conversation.channel,
            agent=reply.agent,
            outcome=outcome,
            seconds=seconds,
            degraded=reply.degraded,
        )
        _log.info(
            "turn", outcome=outcome, agent=reply.agent, degraded=reply.degraded, seconds=round(seconds, 4)
        )

    async def _answer(self, turn: Turn, outbox: Outbox) -> tuple[Reply, str]:
        """The reply and the turn's outcome: `answered`, `refused`, `limited`, `timed_out` or `failed`."""
        message = turn.message
        locale = message.locale or detect_locale(message.text, None) or self.locale
        if turn.attempts > _MAX_ATTEMPTS:
            return apology("gave_up", locale), "failed"
        actor = await self._who(message)
        if actor is None and (code := read_code(message.text)) is not None:
            return await self._link(message, code, locale)
        if actor is None or not actor.may(Permission.ASK):
            _log.warning("unknown_sender", channel=message.sender.channel, user_id=message.sender.user_id)
            return apology(
                "unknown_sender", locale, is_private=True, user_id=message.sender.user_id
            ), "refused"
        limit = await self.limiter.hit(self.limit, f"turn:{actor.actor_id}")
        degraded = frozenset({"redis"} if limit.degraded else ())
        if not limit.allowed:
            seconds = int((limit.retry_after or timedelta(seconds=1)).total_seconds()) + 1
            return apology("too_many", locale, is_private=True, seconds=seconds), "limited"
        try:
            with self.tracer.turn(
                turn_id=turn.turn_id, conversation_key=message.conversation.key, actor_id=actor.actor_id
            ) as span:
                async with asyncio.timeout(self.deadline.total_seconds()):
                    reply = await self.answers(turn, actor, locale, outbox, degraded)
                span.update(question=message.text, answer=reply.plain_text, agent=reply.agent)
        except TimeoutError:
            # A decision may have reached TWS by then: only a reading turn can say that nothing was changed.
            key = "too_slow" if message.decision is None else "too_slow_decision"
            return apology(key, locale, degraded=degraded), "timed_out"
        except (DBAPIError, OSError):
            raise
        except Exception as error:  # the one place where any failure becomes words
            cause = error.__cause__ if isinstance(error, StoreUnavailableError) else None
            if isinstance(cause, OSError) or _is_lost(cause):
                raise ConnectionError("the database is away") from error
            _log.exception("turn_failed")
            return apology("failed", locale, degraded=degraded, turn_id=turn.turn_id), "failed"
        return reply, "answered"

    async def _link(self, message: InboundMessage, code: str, locale: Locale) -> tuple[Reply, str]:
        """Somebody unknown says a code that they got on the page."""
        who = message.sender
        # The code is guarded by its length, the guessing by a limit.
        tries = await self.limiter.hit(_LINK_TRIES, f"link:{who.channel}:{who.tenant}:{who.user_id}")
        found = await self.links.redeem(code, who.channel, who.tenant, who.user_id) if tries.allowed else None
        if found is None:
            return apology("link_refused", locale, is_private=True), "refused"
        words = say(locale, "link_done", person=found.display_name)
        return Reply(blocks=(Notice(text=words, level="good"),), plain_text=words, agent="link"), "answered"

    async def _who(self, message: InboundMessage) -> Actor | None:
        """The person (or the source of alerts) behind a channel's user."""
        sender = message.sender
        if sender.channel is Channel.WEB:
            return await self.actors.get(sender.user_id)
        if sender.channel is Channel.WEBHOOK:
            # The signature vouches for the source; it may ask and nothing else.
            return Actor(actor_id=f"webhook:{sender.user_id}", display_name=sender.user_id, role=Role.VIEWER)
        return await self.actors.resolve(sender.channel, sender.tenant, sender.user_id)

    async def _deliver(self, turn: Turn, outbox: Outbox, reply: Reply) -> bool:
        """Sends the answer; False leaves it for a later round."""
        for pause in (*self.delivery_pauses, None):
            try:
                sent = await _send(turn.message, outbox, reply)
            except OutboxError as error:
                if not error.retryable or turn.attempts >= _MAX_DELIVERIES:
                    _log.error("reply_undelivered", reason=str(error))  # the reason says it all
                    return True
                if pause is None:
                    return False
                await asyncio.sleep(pause.total_seconds())
            else:
                if reply.proposal is not None:
                    await self.postings.record(turn.message, reply.proposal.id, sent)
                return True
        return False


def _is_lost(error: BaseException | None) -> bool:
    """Whether the database's connection broke, not what was asked over it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, ConnectionError) and error.__cause__ is not None


async def _send(message: InboundMessage, outbox: Outbox, reply: Reply) -> str | None:
    """The channel's id of the message that shows the reply now."""
    button = message.button
    if button is None or button.message_id is None or reply.outcome is None or reply.is_private:
        return await outbox.send(reply)
    await outbox.replace(button.message_id, reply)
    return button.message_id
