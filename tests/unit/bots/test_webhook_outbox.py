from __future__ import annotations

import pytest

from bots.webhook.outbox import WebhookOutbox
from brain.reply import Reply, text
from brain.turns.outbox import Outbox, OutboxError

REPLY = Reply(blocks=(text("NIGHTLY_LOAD failed"),), plain_text="NIGHTLY_LOAD failed")


class Target:
    """A channel's outbox that keeps what it gets, after failing as often as told."""

    def __init__(self, *failures: OutboxError) -> None:
        self.shown: list[Reply | str] = []
        self._failures = list(failures)

    async def progress(self, line: str) -> None:
        self.shown.append(line)

    async def delta(self, piece: str) -> None:
        self.shown.append(piece)

    async def send(self, reply: Reply) -> str | None:
        if self._failures:
            raise self._failures.pop(0)
        self.shown.append(reply)
        return "id"

    async def replace(self, message_id: str, reply: Reply) -> None:
        raise AssertionError((message_id, reply))


def outbox(*targets: Outbox) -> Outbox:
    return WebhookOutbox("tws-prod", targets)


def down() -> OutboxError:
    return OutboxError("down", retryable=True)


def gone() -> OutboxError:
    return OutboxError("gone", retryable=False)


async def test_every_target_gets_the_answer_and_nothing_else() -> None:
    one, two = Target(), Target()
    box = outbox(one, two)

    await box.progress("reading the log")
    await box.delta("NIGHT")

    assert await box.send(REPLY) is None
    assert one.shown == two.shown == [REPLY]


async def test_without_targets_the_answer_goes_nowhere() -> None:
    assert await outbox().send(REPLY) is None


async def test_replacing_sends_anew() -> None:
    target = Target()

    await outbox(target).replace("m1", REPLY)

    assert target.shown == [REPLY]


async def test_failing_target_does_not_stop_the_others_and_is_tried_alone() -> None:
    weak, strong = Target(down()), Target()
    box = outbox(weak, strong)

    with pytest.raises(OutboxError, match="1 of 2 targets") as caught:
        await box.send(REPLY)
    await box.send(REPLY)

    assert caught.value.retryable
    assert weak.shown == strong.shown == [REPLY]


async def test_target_that_is_gone_is_not_worth_another_try() -> None:
    with pytest.raises(OutboxError) as caught:
        await outbox(Target(gone()), Target()).send(REPLY)

    assert not caught.value.retryable


async def retryable_calls(*targets: Outbox) -> list[bool]:
    box, seen = outbox(*targets), []
    for _ in range(4):
        with pytest.raises(OutboxError) as caught:
            await box.send(REPLY)
        seen.append(caught.value.retryable)
    return seen


async def test_whoever_got_the_answer_is_not_told_again_for_the_sake_of_another() -> None:
    never = [down() for _ in range(4)]

    assert await retryable_calls(Target(*never), Target()) == [True, True, False, False]


async def test_while_nobody_got_the_answer_it_can_always_be_tried_again() -> None:
    assert await retryable_calls(Target(*[down() for _ in range(4)])) == [True] * 4
