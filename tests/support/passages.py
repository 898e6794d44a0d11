"""Passages for tests that need no database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from knowledge.documents import Passage

_VALUES: dict[str, Any] = {
    "document_id": "d1",
    "document_title": "Runbook",
    "location": "Restart",
    "text": "Restart it.",
    "page": None,
    "link": None,
    "kind": "document",
    "ingested_at": datetime(2026, 1, 1, tzinfo=UTC),
    "valid_to": None,
    "score": 1.0,
}


def make_passage(**changes: Any) -> Passage:
    """A passage; the section is the text unless it is given."""
    values = _VALUES | changes
    return Passage(**{"section": values["text"]} | values)
