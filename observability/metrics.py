"""What Resync counts and times, for Prometheus.

https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

__all__ = ["Metrics"]

_TURN_SECONDS = (0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80)
"""From a status question without a model to the deadline of a turn."""
_ACK_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3)
"""3 seconds is what Slack waits; 0.05 is our goal."""


class Metrics:
    """The counters of one process; labels come from closed sets, never from what somebody typed."""

    content_type = CONTENT_TYPE_LATEST
    """Media type of what `render` returns."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._turns = Counter(
            "resync_turns", "Turns ended.", ("channel", "agent", "outcome"), registry=registry
        )
        self._turn_seconds = Histogram(
            "resync_turn_seconds",
            "Time from the start of a turn to its answer.",
            ("channel", "agent"),
            buckets=_TURN_SECONDS,
            registry=registry,
        )
        self._ack_seconds = Histogram(
            "resync_ack_seconds",
            "Time from the receipt of a message to its acknowledgement.",
            ("channel",),
            buckets=_ACK_SECONDS,
            registry=registry,
        )
        self._queue_oldest = Gauge(
            "resync_queue_oldest_seconds", "Age of the oldest waiting turn.", registry=registry
        )
        self._tws_requests = Histogram(
            "resync_tws_request_seconds", "Requests to TWS.", ("operation", "outcome"), registry=registry
        )
        self._degraded = Counter(
            "resync_degraded", "Answers given while a part was away.", ("part",), registry=registry
        )
        self._actions = Counter(
            "resync_actions", "Changes asked of TWS.", ("action", "outcome"), registry=registry
        )
        self._webhooks = Counter(
            "resync_webhook_deliveries", "Webhook deliveries.", ("source", "result"), registry=registry
        )

    def turn_finished(self, *, channel: str, agent: str, outcome: str, seconds: float) -> None:
        """One turn, however it ended."""
        self._turns.labels(channel, agent, outcome).inc()
        self._turn_seconds.labels(channel, agent).observe(seconds)

    def acknowledged(self, *, channel: str, seconds: float) -> None:
        """A message was claimed and its channel told so."""
        self._ack_seconds.labels(channel).observe(seconds)

    def queue_oldest(self, seconds: float) -> None:
        """The longest that a turn waits right now; zero when none does."""
        self._queue_oldest.set(seconds)

    def tws_requested(self, *, operation: str, outcome: str, seconds: float) -> None:
        """One HTTP request to TWS; the outcome is `ok` or the error's code."""
        self._tws_requests.labels(operation, outcome).observe(seconds)

    def degraded(self, part: str) -> None:
        """An answer was given without this part."""
        self._degraded.labels(part).inc()

    def action_finished(self, *, action: str, outcome: str) -> None:
        """A decision on a proposal ended; the outcome is the state the person is told."""
        self._actions.labels(action, outcome).inc()

    def webhook_received(self, *, source: str, result: Literal["accepted", "duplicate"]) -> None:
        """An authentic delivery; the source is a configured one."""
        self._webhooks.labels(source, result).inc()

    def render(self) -> bytes:
        """Everything, in the text format; with the memory and processor time of this process."""
        return generate_latest(self._registry)
