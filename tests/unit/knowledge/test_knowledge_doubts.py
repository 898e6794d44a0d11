from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from knowledge.doubts import Doubt, doubts
from tests.support.passages import make_passage

_TODAY = date(2026, 5, 1)
_LATER = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("older", "newer", "values"),
    [
        ("The timeout of SFTP_BACEN is 30 seconds.", "SFTP_BACEN has a timeout of 90 seconds.", ("30", "90")),
        ("retrylink = 600", "retrylink = 900", ("600", "900")),
        (
            "Wait 15 minutes, then call the supervisor.",
            "Wait 20 minutes, then call the supervisor.",
            ("15", "20"),
        ),
        ("O limite do AGT01 é 10 jobs.", "The limit of AGT01 is 20 jobs.", ("10", "20")),
    ],
)
def test_two_values_of_one_thing_are_a_conflict(older: str, newer: str, values: tuple[str, str]) -> None:
    passages = [
        make_passage(document_id="new", document_title="PAYROLL night", text=newer, ingested_at=_LATER),
        make_passage(document_title="PAYROLL day", text=older),
    ]
    assert doubts(passages, _TODAY) == (
        Doubt(kind="conflict", passage=1, other=0, value=values[0], other_value=values[1]),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The timeout of SFTP_BACEN is 30 seconds.", "The timeout of SFTP_BCB is 90 seconds."),
        ("PAYROLL ends with RC 8 when the disk is full.", "PAYROLL ends with RC 12 when the disk is full."),
        ("retrylink = 600", "writelink = 900"),
        ("1. Stop the agent AGT01 at once.", "2. Stop the agent AGT01 at once."),
        ("The timeout of SFTP_BACEN is 30 seconds.", "SFTP_BACEN runs at 22:00 on weekdays."),
        (
            "The timeout of SFTP_BACEN is 30 seconds.",
            "The timeout of SFTP_BACEN is 30 seconds, tried 5 times.",
        ),
    ],
)
def test_what_speaks_of_something_else_is_none(one: str, other: str) -> None:
    passages = [
        make_passage(document_title="First", location="A", text=one),
        make_passage(document_id="d2", document_title="Second", location="B", text=other),
    ]
    assert doubts(passages, _TODAY) == ()


def test_one_document_does_not_disagree_with_itself() -> None:
    passages = [make_passage(text="retrylink = 600"), make_passage(text="retrylink = 900")]
    assert doubts(passages, _TODAY) == ()


def test_the_last_day_still_holds() -> None:
    passages = [make_passage(valid_to=_TODAY), make_passage(document_id="d2", valid_to=date(2026, 4, 30))]
    assert [doubt for doubt in doubts(passages, _TODAY) if doubt.kind == "outdated"] == [
        Doubt(kind="outdated", passage=1)
    ]


def test_the_older_version_of_a_procedure_is_said() -> None:
    new = make_passage(
        document_id="d2", document_title="PAYROLL runbook v2", text="Do that.", ingested_at=_LATER
    )
    old = make_passage(document_title="PAYROLL runbook", text="Do this.")
    other = make_passage(document_id="d3", document_title="BACKUP_DB runbook", text="Do this.")
    assert doubts([new, old, other], _TODAY) == (Doubt(kind="superseded", passage=1, other=0),)
