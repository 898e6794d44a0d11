from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.inbound import (
    MalformedEventError,
    from_action,
    from_command,
    from_event,
    is_addressed_to_another,
    is_from_person,
    is_in_thread_of_bot,
    to_plain,
)
from brain.message import Channel, Verb
from tests.support.slack_driver import BOT, command, mention, message, press

NOW = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_mention_becomes_a_message_of_its_thread() -> None:
    body = mention("why did NIGHTLY_LOAD fail?", ts="10.1", thread_ts="9.9")

    found = from_event(body, received_at=NOW)

    assert found.text == "why did NIGHTLY_LOAD fail?"
    assert found.conversation.key == "slack:T1:C1:9.9"
    assert (found.sender.channel, found.sender.tenant, found.sender.user_id) == (Channel.SLACK, "T1", "U1")
    assert found.route == {"channel": "C1", "user": "U1", "thread_ts": "9.9"}
    assert found.received_at == NOW
    assert found.button is None


def test_mention_outside_a_thread_begins_one() -> None:
    found = from_event(mention("status", ts="10.1"), received_at=NOW)

    assert found.conversation.thread_id == "10.1"
    assert found.route["thread_ts"] == "10.1"


def test_direct_message_stands_in_no_thread() -> None:
    found = from_event(message("status", ts="10.1"), received_at=NOW)

    assert found.conversation.thread_id is None
    assert found.route == {"channel": "D1", "user": "U1"}


def test_direct_message_in_a_thread_stays_there() -> None:
    found = from_event(message("status", ts="10.1", thread_ts="9.9"), received_at=NOW)

    assert found.conversation.thread_id == "9.9"


def test_both_events_of_one_mention_are_the_same_delivery() -> None:
    seen = from_event(mention("status", ts="10.1"), received_at=NOW)
    read = from_event(message(f"<@{BOT}> status", channel="C1", ts="10.1"), received_at=NOW)

    assert seen.delivery_id == read.delivery_id
    assert seen.conversation == read.conversation
    assert seen.text == read.text


@pytest.mark.parametrize("other", [{"ts": "10.2"}, {"channel": "C2"}])
def test_other_messages_are_other_deliveries(other: dict[str, str]) -> None:
    place = {"ts": "10.1", "channel": "C1"}

    one, two = (from_event(mention("status", **fields), received_at=NOW) for fields in (place, place | other))

    assert one.delivery_id != two.delivery_id


def test_author_from_another_organisation_keeps_their_own_team() -> None:
    found = from_event(mention("status", user_team="T9"), received_at=NOW)

    assert found.conversation.tenant == "T1"
    assert found.sender.tenant == "T9"


def test_command_has_no_thread_and_can_be_answered_without_membership() -> None:
    found = from_command(command("why did X fail?"), received_at=NOW)

    assert found.text == "why did X fail?"
    assert found.conversation.key == "slack:T1:C1:"
    assert found.sender.display_name == "maria"
    assert found.route == {
        "channel": "C1",
        "user": "U1",
        "response_url": "https://hooks.slack.com/commands/1",
    }


def test_same_command_typed_twice_is_two_deliveries() -> None:
    one, two = (from_command(command("status"), received_at=NOW) for _ in range(2))

    assert one.delivery_id != two.delivery_id


def test_press_carries_the_proposal_and_the_message() -> None:
    found = from_action(press("approve:1", "p-1"), received_at=NOW)

    assert found.button is not None
    assert (found.button.verb, found.button.value) == (Verb.APPROVE, "p-1")
    assert found.button.message_id == "1767225600.000900"
    assert found.text == ""
    assert found.conversation.key == "slack:T1:C1:1767225600.000100"
    assert found.route["response_url"] == "https://hooks.slack.com/actions/1"


def test_press_that_says_something_is_also_text() -> None:
    found = from_action(press("say:2", "por que X falhou?"), received_at=NOW)

    assert found.text == "por que X falhou?"


def test_press_on_a_message_outside_a_thread_opens_its_thread() -> None:
    found = from_action(press("say:1", "status", message={"ts": "10.1"}), received_at=NOW)

    assert found.conversation.thread_id == "10.1"


def test_press_on_an_ephemeral_message_has_nothing_to_replace() -> None:
    found = from_action(press("say:1", "status", message=None), received_at=NOW)

    assert found.button is not None
    assert found.button.message_id is None
    assert found.conversation.thread_id is None


def test_press_redelivered_is_the_same_delivery_but_a_second_press_is_not() -> None:
    body, again = press("approve:1", "p-1"), press("approve:1", "p-1")

    first = from_action(body, received_at=NOW).delivery_id

    assert from_action(body, received_at=NOW).delivery_id == first
    assert from_action(again, received_at=NOW).delivery_id != first


@pytest.mark.parametrize("action_id", ["launch:1", "", "Approve:1"])
def test_foreign_buttons_are_malformed(action_id: str) -> None:
    with pytest.raises(MalformedEventError, match="action_id"):
        from_action(press(action_id, "p-1"), received_at=NOW)


@pytest.mark.parametrize("field", ["channel", "user", "ts"])
def test_event_without_a_field_is_malformed(field: str) -> None:
    body = mention("status")
    del body["event"][field]

    with pytest.raises(MalformedEventError, match=field):
        from_event(body, received_at=NOW)


@pytest.mark.parametrize("read", [from_event, from_command, from_action])
@given(body=st.dictionaries(st.text(max_size=8), json_values, max_size=4), inner=json_values)
def test_any_json_is_read_or_malformed(read: Any, body: dict[str, Any], inner: Any) -> None:
    for name in ("event", "actions", "user", "channel", "message", "team", "authorizations"):
        with pytest.raises(MalformedEventError):
            read(body | {name: inner}, received_at=NOW)


@pytest.mark.parametrize(
    ("marked_up", "plain"),
    [
        ("<@UBOT> why?", "why?"),
        ("hi <@UBOT|resync>", "hi"),
        ("see <https://example.com/a?b=1&amp;c=2|the runbook>", "see the runbook"),
        ("see <https://example.com>", "see https://example.com"),
        ("<http://DWH.NIGHTLY_LOAD|DWH.NIGHTLY_LOAD> failed", "DWH.NIGHTLY_LOAD failed"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<#C1|ops> and <#C2>", "#ops and #C2"),
        ("<!here> and <!subteam^S1|@ops>", "@here and @ops"),
        ("rc &gt; 4 &amp;&amp; rc &lt; 8", "rc > 4 && rc < 8"),
        ("typed &lt;@U1&gt; by hand", "typed <@U1> by hand"),
        ("&amp;lt;", "&lt;"),
        ("a\xa0b", "a b"),
    ],
)
def test_markup_becomes_words(marked_up: str, plain: str) -> None:
    assert to_plain(marked_up) == plain


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\xa0")))
def test_what_a_person_types_arrives_unchanged(typed: str) -> None:
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert to_plain(sent) == typed.strip()


def test_characters_that_cannot_be_stored_are_taken_out() -> None:
    found = from_event(mention("nul \x00 and half \ud800"), received_at=NOW)

    assert found.text == "nul  and half ?"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"subtype": "file_share"}, True),
        ({"subtype": "thread_broadcast"}, True),
        ({"subtype": "message_changed"}, False),
        ({"subtype": "message_deleted"}, False),
        ({"subtype": "bot_message"}, False),
        ({"subtype": "channel_join"}, False),
        ({"bot_id": "B1"}, False),
        ({"hidden": True}, False),
    ],
)
def test_only_people_are_listened_to(fields: dict[str, Any], *, expected: bool) -> None:
    assert is_from_person(message("hello", **fields)["event"]) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("<@U2> can you look?", True), ("<@UBOT> status", False), ("ask <@U2>", False), ("status", False)],
)
def test_opening_mention_says_who_is_addressed(text: str, *, expected: bool) -> None:
    assert is_addressed_to_another(message(text)) is expected


@pytest.mark.parametrize(("parent", "expected"), [(BOT, True), ("U2", False), (None, False)])
def test_thread_of_the_bot_is_known_by_its_parent(parent: str | None, *, expected: bool) -> None:
    assert is_in_thread_of_bot(message("status", parent_user_id=parent)) is expected
