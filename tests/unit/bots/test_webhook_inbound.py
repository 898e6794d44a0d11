from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bots.webhook.inbound import MalformedAlertError, read_json, to_report
from brain.incidents.alerts import Report
from brain.message import Alert

ALERT: dict[str, Any] = {
    "source": "tws",
    "event": "JobStatusChanged",
    "rule": "NOTIFY_ABEND",
    "engine": "PROD",
    "TimeStamp": "2026-03-02T01:13:07Z",
    "PlanNumber": 412,
    "JobStreamWorkstation": "MASTER1",
    "JobStreamName": "DWH",
    "JobStreamId": "0AAAAAAAAAAAAAHA",
    "JobStreamSchedTime": "2026-03-01T22:00:00Z/GMT",
    "JobName": "NIGHTLY_LOAD",
    "Workstation": "AGENT07",
    "JobNumber": 30412,
    "Status": "Error",
    "InternalStatus": "ABEND",
    "ReturnCode": 12,
    "Priority": 10,
    "Monitored": True,
    "ErrorMessage": "",
}


def read(payload: object, *, signed_at: str = "1772414100") -> Report:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = read_json(body)
    if not isinstance(found, dict):
        raise MalformedAlertError("no object")
    return to_report(found, signed_at=signed_at)


def changed(**attributes: Any) -> dict[str, Any]:
    merged = ALERT | attributes
    return {name: value for name, value in merged.items() if value is not None}


def test_canonical_alert_is_read() -> None:
    found = read(ALERT)

    assert found.alert is not None
    assert (found.alert.event, found.alert.job, found.alert.job_stream) == (
        "JobStatusChanged",
        "NIGHTLY_LOAD",
        "DWH",
    )
    assert (found.alert.workstation, found.alert.internal_status) == ("AGENT07", "ABEND")
    assert found.alert.return_code == 12
    assert found.alert.happened_at == datetime(2026, 3, 2, 1, 13, 7, tzinfo=UTC)
    assert found.alert.job_stream_workstation == "MASTER1"
    assert found.alert.engine == "PROD"


def test_numbers_as_text_are_the_same_alert() -> None:
    texts = read(changed(PlanNumber="412", JobNumber="30412", ReturnCode="12", Priority="10"))

    assert texts == read(ALERT)


@pytest.mark.parametrize("code", [None, "", "${job.ReturnCode}", "twelve", True, [1]])
def test_unreadable_return_code_is_none(code: object) -> None:
    found = read(changed(ReturnCode=code) if code is not None else changed() | {"ReturnCode": None})

    assert found.alert is not None
    assert found.alert.return_code is None


@pytest.mark.parametrize("name", sorted(ALERT))
def test_any_attribute_may_be_missing_or_null(name: str) -> None:
    assert read(changed(**{name: None})).alert is not None
    assert read(ALERT | {name: None}).alert is not None


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-02T01:13:07Z/GMT", datetime(2026, 3, 2, 1, 13, 7, tzinfo=UTC)),
        ("2026-03-02T01:13:07", datetime(2026, 3, 2, 1, 13, 7, tzinfo=UTC)),
        ("2026-03-01T22:13:07-03:00", datetime(2026, 3, 2, 1, 13, 7, tzinfo=UTC)),
        ("yesterday", None),
        (1772414100, None),
    ],
)
def test_time_is_read_where_it_can_be(time: object, expected: datetime | None) -> None:
    found = read(changed(TimeStamp=time))

    assert found.alert is not None
    assert found.alert.happened_at == expected


@pytest.mark.parametrize(
    "message",
    [
        'file "in.csv" not found',
        "first line\nsecond\tline",
        'C:\\temp\\in.csv: "x", denied',
        'ends in a quote"',
        '"',
        "{braces}, and: colons",
    ],
)
@pytest.mark.parametrize("place", ["middle", "end"])
def test_error_message_pasted_raw_by_a_script_is_read(message: str, place: str) -> None:
    pasted = f'"ErrorMessage": "{message}"'
    middle = f'{{"event": "JobStatusChanged", {pasted}, "JobName": "LOAD"}}'
    end = f'{{"event": "JobStatusChanged", "JobName": "LOAD", {pasted} }}\n'

    found = read((middle if place == "middle" else end).encode())

    assert found.alert is not None
    assert (found.alert.text, found.alert.job) == (message, "LOAD")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_error_message_sent_as_json_arrives_unchanged(message: str) -> None:
    found = read(changed(ErrorMessage=message))

    assert found.alert is not None
    assert found.alert.text.strip() == message.strip()


def test_characters_that_cannot_be_stored_are_taken_out() -> None:
    found = read(changed(ErrorMessage="nul \x00 and half \ud800"))

    assert found.alert is not None
    assert found.alert.text == "nul  and half ?"


@pytest.mark.parametrize(
    "other",
    [
        {"JobNumber": 30413},
        {"InternalStatus": "SUCC"},
        {"PlanNumber": 413},
        {"engine": "TEST"},
        {"JobName": "OTHER"},
        {"JobStreamId": "0AAAAAAAAAAAAAHB"},
        {"event": "JobLate"},
        {"JobStreamWorkstation": "MASTER2"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_occurrence_is_another_delivery(other: dict[str, Any]) -> None:
    assert read(changed(**other)).fingerprint != read(ALERT).fingerprint


@pytest.mark.parametrize(
    "same",
    [
        {"rule": "OTHER_RULE"},
        {"ErrorMessage": "other words"},
        {"TimeStamp": "2026-03-02T01:13:09Z"},
        {"ActualDuration": "PT33M8S"},
    ],
    ids=lambda same: next(iter(same)),
)
def test_same_occurrence_reported_twice_is_one_delivery(same: dict[str, Any]) -> None:
    twice = read(changed(**same), signed_at="1772414177")

    assert twice.fingerprint == read(ALERT).fingerprint


def test_failures_without_a_job_number_are_told_apart_by_time() -> None:
    first = read(changed(JobNumber=None))
    second = read(changed(JobNumber=None, TimeStamp="2026-03-02T02:13:07Z"))

    assert first.fingerprint != second.fingerprint


def test_link_that_breaks_again_is_another_delivery() -> None:
    link = {"event": "ChildWorkstationLinkChanged", "Workstation": "AGENT07", "LinkStatus": "Unlinked"}
    first, again = (
        read(link | {"TimeStamp": "2026-03-02T01:00:00Z"}),
        read(link | {"TimeStamp": "2026-03-03T01:00:00Z"}),
    )
    untimed, untimed_later = read(link), read(link, signed_at="1772500500")

    assert first.fingerprint != again.fingerprint
    assert untimed.fingerprint != untimed_later.fingerprint
    assert read(link).fingerprint == untimed.fingerprint
    assert first.alert.workstation == "AGENT07"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[1]",
        b'"text"',
        b"null",
        b"{",
        b'{"JobName": "x',
        b"[" * 60_000,
        b"{}",
        b'{"ErrorMessage": "alone"}',
        b'{"event": {"a": 1}}',
        b'{"event": "x", "JobName": ["a"]}',
        b'{"event": "x", "JobName": "' + b"a" * 501 + b'"}',
    ],
    ids=lambda payload: payload[:20].decode(errors="replace"),
)
def test_what_is_no_alert_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedAlertError):
        read(payload)


@given(
    st.dictionaries(
        st.sampled_from([*ALERT, "LinkStatus", "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    )
)
def test_any_object_is_refused_or_fit_for_the_queue(payload: dict[str, Any]) -> None:
    try:
        found = read(payload)
    except MalformedAlertError:
        return

    adapter = TypeAdapter(Alert)
    assert adapter.validate_python(adapter.dump_python(found.alert, mode="json")) == found.alert
    stored = json.dumps(adapter.dump_python(found.alert, mode="json"), ensure_ascii=False)
    assert "\\u0000" not in stored
    assert stored.encode()  # half a surrogate pair would not encode
