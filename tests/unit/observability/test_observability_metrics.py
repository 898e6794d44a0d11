from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from observability.metrics import Metrics


def _value(metrics: Metrics, name: str, **labels: str) -> float:
    (value,) = (
        sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )
    return float(value)


def test_a_turn_is_counted_and_timed() -> None:
    metrics = Metrics()
    for outcome in ("answered", "answered", "refused"):
        metrics.turn_finished(
            channel="slack", agent="status", outcome=outcome, seconds=0.12, degraded=("redis", "tws")
        )
    assert _value(metrics, "resync_turns_total", channel="slack", agent="status", outcome="answered") == 2
    assert _value(metrics, "resync_turn_seconds_sum", channel="slack", agent="status") == pytest.approx(0.36)
    assert _value(metrics, "resync_turn_seconds_bucket", channel="slack", agent="status", le="0.1") == 0
    assert _value(metrics, "resync_turn_seconds_bucket", channel="slack", agent="status", le="0.15") == 3
    assert _value(metrics, "resync_degraded_total", part="tws") == 3


def test_the_goal_of_an_acknowledgement_is_a_bucket() -> None:
    metrics = Metrics()
    for seconds in (0.004, 0.049, 0.051):
        metrics.message_accepted(channel="teams", seconds=seconds, duplicate=seconds > 0.05)
    assert _value(metrics, "resync_ack_seconds_bucket", channel="teams", le="0.05") == 2
    assert _value(metrics, "resync_deliveries_total", channel="teams", result="new") == 2
    assert _value(metrics, "resync_deliveries_total", channel="teams", result="duplicate") == 1


def test_everything_else_is_counted_under_its_name() -> None:
    metrics = Metrics()
    metrics.queue_oldest(3)
    metrics.tws_requested(method="GET", outcome="ok", seconds=1)
    metrics.proposal_settled(action="rerun", state="confirmed")
    assert _value(metrics, "resync_queue_oldest_seconds") == 3
    assert _value(metrics, "resync_tws_request_seconds_count", method="GET", outcome="ok") == 1
    assert _value(metrics, "resync_actions_total", action="rerun", state="confirmed") == 1


def test_the_mirror_tells_when_it_was_up_to_date() -> None:
    metrics = Metrics()
    metrics.mirror_failed(engine="PROD")
    before = time.time()
    metrics.mirror_polled(engine="PROD", kind="whole", seconds=3, rows=7)
    assert before <= _value(metrics, "resync_mirror_read_timestamp_seconds", engine="PROD") <= time.time()
    assert _value(metrics, "resync_mirror_poll_seconds_sum", engine="PROD", kind="whole") == 3
    assert _value(metrics, "resync_mirror_rows_total", engine="PROD") == 7
    assert _value(metrics, "resync_mirror_failures_total", engine="PROD") == 1


def test_the_memory_of_the_process_is_there() -> None:
    assert _value(Metrics(), "process_resident_memory_bytes") > 10_000_000


def test_two_sets_of_metrics_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.queue_oldest(3)
    assert _value(one, "resync_queue_oldest_seconds") == 3
    assert _value(other, "resync_queue_oldest_seconds") == 0
