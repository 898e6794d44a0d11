"""What Resync counts and times, for Prometheus.

https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections.abc import Iterable

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
_POLL_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""From a few changes to the whole of a large plan from a slow engine."""


class Metrics:
    """The counters of one process; labels come from closed sets, never from what somebody typed."""

    content_type = CONTENT_TYPE_LATEST
    """Media type of what `render` returns."""

    def __init__(self) -> None:
        self._registry = to = CollectorRegistry()
        ProcessCollector(registry=to)
        self._turns = Counter("resync_turns", "Turns ended.", ("channel", "agent", "outcome"), registry=to)
        self._turn_seconds = Histogram(
            "resync_turn_seconds",
            "Time from the start of a turn to its answer.",
            ("channel", "agent"),
            buckets=_TURN_SECONDS,
            registry=to,
        )
        self._degraded = Counter(
            "resync_degraded", "Answers given while a part was away.", ("part",), registry=to
        )
        self._deliveries = Counter(
            "resync_deliveries", "Messages taken from channels.", ("channel", "result"), registry=to
        )
        self._ack_seconds = Histogram(
            "resync_ack_seconds",
            "Time from the receipt of a message until it may be acknowledged.",
            ("channel",),
            buckets=_ACK_SECONDS,
            registry=to,
        )
        self._queue_oldest = Gauge(
            "resync_queue_oldest_seconds", "Age of the oldest waiting turn.", registry=to
        )
        self._tws_requests = Histogram(
            "resync_tws_request_seconds", "Requests to TWS.", ("method", "outcome"), registry=to
        )
        self._tws_breaker = Gauge(
            "resync_tws_breaker",
            "1 for the state that the circuit breaker of a TWS engine is in.",
            ("engine", "state"),
            registry=to,
        )
        self._mirror_seconds = Histogram(
            "resync_mirror_poll_seconds",
            "Polls of the plan mirror; failed ones are in resync_mirror_failures.",
            ("engine", "kind"),
            buckets=_POLL_SECONDS,
            registry=to,
        )
        self._mirror_rows = Counter(
            "resync_mirror_rows", "Objects that the plan mirror wrote or removed.", ("engine",), registry=to
        )
        self._mirror_failures = Counter(
            "resync_mirror_failures",
            "Polls of the plan mirror that stored nothing.",
            ("engine",),
            registry=to,
        )
        self._mirror_read_at = Gauge(
            "resync_mirror_read_timestamp_seconds",
            "When this process last brought the plan mirror up to date, since 1970; its age is time() less this.",
            ("engine",),
            registry=to,
        )
        self._actions = Counter("resync_actions", "Decided proposals.", ("action", "state"), registry=to)

    def turn_finished(
        self, *, channel: str, agent: str, outcome: str, seconds: float, degraded: Iterable[str]
    ) -> None:
        """One turn, however it ended, and what was away meanwhile."""
        self._turns.labels(channel, agent, outcome).inc()
        self._turn_seconds.labels(channel, agent).observe(seconds)
        for part in degraded:
            self._degraded.labels(part).inc()

    def message_accepted(self, *, channel: str, seconds: float, duplicate: bool) -> None:
        """A message is stored, so that its channel may be told so; a duplicate was stored before."""
        self._deliveries.labels(channel, "duplicate" if duplicate else "new").inc()
        self._ack_seconds.labels(channel).observe(seconds)

    def queue_oldest(self, seconds: float) -> None:
        """The longest that a turn waits right now; zero when none does."""
        self._queue_oldest.set(seconds)

    def tws_requested(self, *, method: str, outcome: str, seconds: float) -> None:
        """One HTTP request to TWS: GET reads, PUT changes; the outcome is `ok`, `interrupted` or the error's code."""
        self._tws_requests.labels(method, outcome).observe(seconds)

    def tws_breaker(self, *, engine: str, state: str) -> None:
        """The circuit breaker of an engine is now `closed`, `open` or `half_open`."""
        for each in ("closed", "open", "half_open"):
            self._tws_breaker.labels(engine, each).set(each == state)

    def mirror_polled(self, *, engine: str, kind: str, seconds: float, rows: int) -> None:
        """The plan mirror is up to date; `kind` is `whole` or `changes`, `rows` the objects written or removed."""
        self._mirror_seconds.labels(engine, kind).observe(seconds)
        self._mirror_rows.labels(engine).inc(rows)
        self._mirror_read_at.labels(engine).set_to_current_time()

    def mirror_failed(self, *, engine: str) -> None:
        """The plan mirror could not be brought up to date."""
        self._mirror_failures.labels(engine).inc()

    def proposal_settled(self, *, action: str, state: str) -> None:
        """A proposal came to its end; the state is what the person is told."""
        self._actions.labels(action, state).inc()

    def render(self) -> bytes:
        """Everything, in the text format; with the memory and processor time of this process."""
        return generate_latest(self._registry)
