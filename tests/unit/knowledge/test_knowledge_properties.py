from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import Properties
from knowledge.errors import DocumentRejectedError
from knowledge.parse import parse
from knowledge.properties import completed, dump_properties, read_dumped, read_properties


@pytest.mark.parametrize("readers", ["role:operator, group:SAP", ["Group:sap", "role:operator"]])
def test_readers_are_a_list_or_a_text_with_commas(readers: object) -> None:
    assert read_properties({"readers": readers}).readers == {"role:operator", "group:sap"}


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"readers": "role:boss"}, "readers"),
        ({"readers": "operator"}, "readers"),
        ({"readers": ["role:admin", 3]}, "readers"),
        ({"readers": {"role": "admin"}}, "readers"),
        ({"language": "tlh"}, "language"),
        ({"valid_to": "soon"}, "valid_to"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-31"}, "before"),
        ({"link": "javascript:alert(1)"}, "link"),
    ],
)
def test_what_is_mistyped_is_refused(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(DocumentRejectedError, match=reason):
        read_properties(declared)


def test_what_nobody_may_declare_is_left_out() -> None:
    assert read_properties({"kind": "case", "weight": 9, "owner": "x", "link": ""}) == Properties()


def test_front_matter_declares_and_is_no_text() -> None:
    front = "title: Payroll\nreaders: [group:sap]\nlanguage: pt\nvalid_to: 2026-12-31\ntags: [a]"
    parsed = parse("a.md", f"---\n{front}\n---\n# Other\n\ntext".encode(), max_bytes=1000)
    assert parsed.title == "Payroll"
    assert parsed.properties == Properties(
        readers=frozenset({"group:sap"}), language="pt", valid_to=date(2026, 12, 31)
    )
    assert [section.text for section in parsed.sections] == ["text"]


@pytest.mark.parametrize("front", ["readers: [role:boss]", "readers: [role:admin", "a: b: c", "[" * 5000])
def test_unreadable_front_matter_does_not_open_the_document(front: str) -> None:
    with pytest.raises(DocumentRejectedError):
        parse("a.md", f"---\n{front}\n---\ntext".encode(), max_bytes=10_000)


def test_text_between_two_rulers_is_text() -> None:
    (section,) = parse("a.md", b"---\njust words\n---\nmore", max_bytes=1000).sections
    assert (section.location, section.text) == ("just words", "more")


def test_what_is_given_goes_before_what_the_document_says() -> None:
    said = Properties(readers=frozenset({"role:viewer"}), language="pt")
    given_ = Properties(readers=frozenset({"role:admin"}), link="https://wiki/a")
    assert completed(given_, said) == Properties(
        readers=frozenset({"role:admin"}), language="pt", link="https://wiki/a"
    )


@given(
    st.frozensets(st.sampled_from(["role:viewer", "role:admin", "group:sap", "group:é x"])),
    st.dates(),
    st.sampled_from([None, "en", "pt"]),
)
def test_what_is_dumped_is_read_back(readers: frozenset[str], valid_from: date, language: Any) -> None:
    properties = Properties(
        readers=readers, valid_from=valid_from, language=language, weight=1.5, kind="case"
    )
    assert read_dumped(dump_properties(properties)) == properties
