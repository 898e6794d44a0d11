"""Slack's own feedback buttons below an answer, and the question how it came about; pure.

Format: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element
"""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ContextActionsBlock,
    FeedbackButtonObject,
    FeedbackButtonsElement,
    PlainTextObject,
)

from brain.message import Locale, Verb
from brain.phrases import say


def feedback_blocks(turn_id: str, locale: Locale) -> list[dict[str, Any]]:
    """The two blocks; a press on one of them names the turn."""
    rate = FeedbackButtonsElement(
        action_id=Verb.RATE.value,
        positive_button=_verdict("good", turn_id, locale),
        negative_button=_verdict("bad", turn_id, locale),
    )
    why = ButtonElement(
        action_id=Verb.WHY.value,
        value=turn_id,
        text=PlainTextObject(text=say(locale, "why_answer"), emoji=False),
    )
    return [ContextActionsBlock(elements=[rate]).to_dict(), ActionsBlock(elements=[why]).to_dict()]


def _verdict(verdict: str, turn_id: str, locale: Locale) -> FeedbackButtonObject:
    words = say(locale, f"rate_{verdict}")
    return FeedbackButtonObject(text=words, accessibility_label=words, value=f"{verdict}:{turn_id}")
