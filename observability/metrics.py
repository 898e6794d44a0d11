"""What Resync counts and times, for Prometheus.

https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_FORMS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
_DATA = yaml.safe_load(resources.files("observability").joinpath("metrics.yaml").read_bytes())


class Metrics:
    """The counters of one process; labels come from closed sets, never from what somebody typed."""

    content_type = CONTENT_TYPE_LATEST
    """Media type of what `render` returns."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._of = {name: self._made(name, **row) for name, row in _DATA.items()}

    def _made(self, name: str, *, kind: str, **parameters: Any) -> Any:
        return _FORMS[kind](name, registry=self._registry, **parameters)

    def turn_finished(
        self, *, channel: str, agent: str, outcome: str, seconds: float, degraded: Iterable[str]
    ) -> None:
        """One turn, however it ended, and what was away meanwhile."""
        self._of["resync_turns"].labels(channel, agent, outcome).inc()
        self._of["resync_turn_seconds"].labels(channel, agent).observe(seconds)
        for part in degraded:
            self._of["resync_degraded"].labels(part).inc()

    def message_accepted(self, *, channel: str, seconds: float, duplicate: bool) -> None:
        """A message is stored, so that its channel may be told so; a duplicate was stored before."""
        self._of["resync_deliveries"].labels(channel, "duplicate" if duplicate else "new").inc()
        self._of["resync_ack_seconds"].labels(channel).observe(seconds)

    def queue_oldest(self, seconds: float) -> None:
        """The longest that a turn waits right now; zero when none does."""
        self._of["resync_queue_oldest_seconds"].set(seconds)

    def tws_requested(self, *, method: str, outcome: str, seconds: float) -> None:
        """One HTTP request to TWS: GET reads, PUT changes; the outcome is `ok`, `interrupted` or the error's code."""
        self._of["resync_tws_request_seconds"].labels(method, outcome).observe(seconds)

    def tws_breaker(self, *, engine: str, state: str) -> None:
        """The circuit breaker of an engine is now `closed`, `open` or `half_open`."""
        self._breaker("resync_tws_breaker", engine, state)

    def model_called(self, *, model: str, outcome: str) -> None:
        """A model was asked, or skipped: `ok`, `declined`, `refused`, `away`, `skipped` or `interrupted`."""
        self._of["resync_model_requests"].labels(model, outcome).inc()

    def model_breaker(self, *, model: str, state: str) -> None:
        """The circuit breaker of a language model is now `closed`, `open` or `half_open`."""
        self._breaker("resync_model_breaker", model, state)

    def mirror_polled(self, *, engine: str, kind: str, seconds: float, rows: int) -> None:
        """The plan mirror is up to date; `kind` is `whole` or `changes`, `rows` the objects written or removed."""
        self._of["resync_mirror_poll_seconds"].labels(engine, kind).observe(seconds)
        self._of["resync_mirror_rows"].labels(engine).inc(rows)
        self._of["resync_mirror_read_timestamp_seconds"].labels(engine).set_to_current_time()

    def mirror_failed(self, *, engine: str) -> None:
        """The plan mirror could not be brought up to date."""
        self._of["resync_mirror_failures"].labels(engine).inc()

    def alerts_taken(self, *, source: str, new: int, duplicate: int) -> None:
        """So many alerts of a request are stored, and so many were before."""
        self._of["resync_alerts"].labels(source, "new").inc(new)
        self._of["resync_alerts"].labels(source, "duplicate").inc(duplicate)

    def alert_refused(self, *, source: str, reason: str) -> None:
        """A request with alerts was refused; the reason is a problem's code, the source empty for an unknown one."""
        self._of["resync_alerts"].labels(source, reason).inc()

    def proposal_settled(self, *, action: str, state: str) -> None:
        """A proposal came to its end; the state is what the person is told."""
        self._of["resync_actions"].labels(action, state).inc()

    def _breaker(self, name: str, label: str, state: str) -> None:
        for each in ("closed", "open", "half_open"):
            self._of[name].labels(label, each).set(each == state)

    def render(self) -> bytes:
        """Everything, in the text format; with the memory and processor time of this process."""
        return generate_latest(self._registry)
