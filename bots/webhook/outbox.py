"""Where the answer to an alert goes: to other channels, since the sender of an alert reads nothing."""

import asyncio
from collections.abc import Sequence

import structlog

from brain.reply import Reply
from brain.turns.outbox import Outbox, OutboxError

_CALLS_ONCE_SERVED = 3
"""After so many calls of `send` whoever has the answer counts for more than who has not."""

_log = structlog.get_logger(__name__)


class WebhookOutbox:
    """Forwards the answer to every target; one that fails does not stop the others."""

    def __init__(self, source: str, targets: Sequence[Outbox]) -> None:
        self._source = source
        self._waiting = tuple(targets)
        """Targets that a call of `send` still has to serve."""
        self._targets = len(self._waiting)
        self._calls = 0
        if not targets:
            _log.info("webhook_without_target", source=source)

    async def progress(self, line: str) -> None:
        """Does nothing: nobody waits for the answer to an alert."""

    async def delta(self, piece: str) -> None:
        """Does nothing, likewise."""

    async def send(self, reply: Reply) -> str | None:
        """Sends to all targets and returns None, since there is no single message.

        Raises `OutboxError` if any target failed. A second call then serves only those that failed. Once
        one target is served, the error stops being retryable after a few calls: whoever tries again with a
        new outbox would tell that target everything once more.
        """
        self._calls += 1
        errors = await asyncio.gather(*(_try_to_send(target, reply) for target in self._waiting))
        failures = [(target, error) for target, error in zip(self._waiting, errors, strict=True) if error]
        self._waiting = tuple(target for target, _ in failures)
        may_repeat = len(failures) == self._targets or self._calls < _CALLS_ONCE_SERVED
        for _, error in failures:
            _log.warning("webhook_target_failed", source=self._source, reason=str(error))
        if failures:
            raise OutboxError(
                f"{len(failures)} of {self._targets} targets of {self._source} got no answer",
                retryable=may_repeat and any(error.retryable for _, error in failures),
            )
        return None

    async def replace(self, message_id: str, reply: Reply) -> None:  # noqa: ARG002 there are no ids to replace
        """Sends anew."""
        await self.send(reply)


async def _try_to_send(target: Outbox, reply: Reply) -> OutboxError | None:
    try:
        await target.send(reply)
    except OutboxError as error:
        return error
    return None
