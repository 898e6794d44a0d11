"""Activity to message: what the person said, who said it, and the way back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.inbound import (
    MalformedActivityError,
    read_activity,
    tenants_of,
    to_help_request,
    to_message,
    to_reference,
)
from brain.message import ButtonPress, Channel, InboundMessage, Locale, Verb, from_jsonable, to_jsonable
from tests.support import teams_activities as activities
from tests.support.fake_connector import TENANT

URL = "https://smba.trafficmanager.net/emea/"
NOW = datetime(2026, 3, 2, 3, 4, tzinfo=UTC)


def _read(activity: object) -> InboundMessage:
    return to_message(read_activity(activity), received_at=NOW)


def _message(text: str, **overrides: Any) -> InboundMessage:
    return _read(activities.message(URL, text, **overrides))


def test_message_carries_what_the_channel_vouches_for() -> None:
    message = _message("what failed?", id="f:1")
    assert message.delivery_id == f"{activities.PERSONAL_CHAT}|f:1"
    assert message.conversation.channel is Channel.TEAMS
    assert message.conversation.tenant == message.sender.tenant == TENANT
    assert message.conversation.conversation_id == activities.PERSONAL_CHAT
    assert message.conversation.thread_id is None
    assert message.sender.user_id == activities.AAD_OBJECT_ID
    assert message.sender.display_name == "Ana Souza"
    assert message.received_at == NOW
    assert message.button is None


def test_person_without_an_entra_id_goes_by_the_teams_id() -> None:
    message = _message("hi", **{"from": {"id": activities.USER_ID}})
    assert message.sender.user_id == activities.USER_ID
    assert message.sender.display_name == ""


def test_same_id_in_two_conversations_is_two_deliveries() -> None:
    other = {"id": "a:2-other", "tenantId": TENANT}
    assert _message("x", id="1").delivery_id != _message("x", id="1", conversation=other).delivery_id


def test_channel_thread_is_a_conversation_of_its_own() -> None:
    message = _read(activities.channel_message(URL, "what failed?"))
    assert message.conversation.conversation_id == "19:team-channel@thread.tacv2"
    assert message.conversation.thread_id == "1700000000001"


def test_way_back_survives_the_queue() -> None:
    message = _message("hi", id="f:1")
    reference = to_reference(from_jsonable(json.loads(json.dumps(to_jsonable(message)))).route)
    assert reference.service_url == URL
    assert reference.channel_id == "msteams"
    assert reference.conversation.id == activities.PERSONAL_CHAT
    assert reference.bot.id == activities.BOT_ID
    assert reference.user.id == activities.USER_ID
    assert reference.activity_id == "f:1"


def test_way_back_into_a_channel_leads_to_the_thread() -> None:
    message = _read(activities.channel_message(URL, "what failed?"))
    assert to_reference(message.route).conversation.id == activities.CHANNEL_THREAD


def test_own_mention_is_left_out() -> None:
    assert _read(activities.channel_message(URL, "what failed?")).text == "what failed?"


def test_mention_of_somebody_else_becomes_the_name() -> None:
    mention = {"type": "mention", "mentioned": {"id": "29:2", "name": "Rui Dias"}, "text": "<at>Rui</at>"}
    assert _message("ask <at>Rui</at> first", entities=[mention]).text == "ask Rui Dias first"


def test_mention_without_its_entity_loses_the_tags_only() -> None:
    assert _message('<at id="0">Resync</at>  status').text == "Resync status"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("&nbsp;job\u00a0 X ", "job X"),
        ("line one\r\n  line two ", "line one\nline two"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("&lt;at&gt;not a mention&lt;/at&gt;", "<at>not a mention</at>"),
    ],
)
def test_text_is_what_the_person_typed(raw: str, text: str) -> None:
    assert _message(raw).text == text


@pytest.mark.parametrize("text", [None, "", "  ", "&nbsp;"])
def test_bare_mention_asks_for_help(text: str | None) -> None:
    assert _read(activities.activity(URL, "message", text=text)).text == "help"


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("pt-BR", Locale.PT),
        ("pt", Locale.PT),
        ("PT_pt", Locale.PT),
        ("en-GB", Locale.EN),
        ("de-DE", None),
        (None, None),
    ],
)
def test_language_is_the_clients(tag: str | None, locale: Locale | None) -> None:
    assert _message("x", locale=tag).locale is locale


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.REJECT])
def test_decision_is_a_proposal_id_and_no_text(verb: Verb) -> None:
    button = ButtonPress(verb=verb, value="p-1", message_id="card-1")
    executed = _read(activities.execute(URL, verb, {"value": "p-1"}))
    submitted = _read(activities.submit(URL, {"verb": verb, "value": "p-1"}))
    assert executed.button == submitted.button == button
    assert executed.text == submitted.text == ""


def test_say_button_speaks_for_the_person() -> None:
    message = _read(activities.execute(URL, "say", {"value": "show the log"}))
    assert message.text == "show the log"
    assert message.button is not None


def test_button_data_beside_verb_and_value_is_not_believed() -> None:
    data = {"value": "p-1", "verb": "reject", "approved_by": "admin"}
    message = _read(activities.execute(URL, "approve", data))
    assert message.button == ButtonPress(verb=Verb.APPROVE, value="p-1", message_id="card-1")


def test_text_beside_foreign_data_is_a_message() -> None:
    assert _message("what failed?", value={"source": "compose"}).text == "what failed?"


def test_installation_asks_for_help() -> None:
    message = to_help_request(read_activity(activities.bot_added(URL)), received_at=NOW)
    assert message.text == "help"
    assert "reply_to_id" not in message.route


def test_tenant_of_the_conversation_counts_as_well() -> None:
    activity = activities.message(URL, channelData=None)
    assert tenants_of(read_activity(activity)) == {TENANT}


def test_two_tenants_are_not_resolved_by_choosing_one() -> None:
    activity = activities.message(URL, channelData={"tenant": {"id": "other"}})
    assert tenants_of(read_activity(activity)) == {TENANT, "other"}
    with pytest.raises(MalformedActivityError):
        _read(activity)


@pytest.mark.parametrize(
    "overrides",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 1001},
        {"id": "nul\x00"},
        {"id": "\ud800"},
        {"from": None},
        {"from": {}},
        {"from": {"id": "29:1", "aadObjectId": "line\nbreak"}},
        {"recipient": None},
        {"conversation": None},
        {"conversation": {"tenantId": TENANT}},
        {"serviceUrl": None},
        {"channelId": None},
        {"channelData": None, "conversation": {"id": "a:1"}},
        {"from": "29:1"},
        {"conversation": []},
        {"entities": "x"},
        {"timestamp": "yesterday"},
        {"replyToId": "\x00", "text": None, "value": {"verb": "approve", "value": "p-1"}},
    ],
)
def test_activity_without_what_an_answer_needs_is_malformed(overrides: dict[str, Any]) -> None:
    with pytest.raises(MalformedActivityError):
        _read(activities.message(URL, **overrides))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = [
    "id",
    "type",
    "text",
    "value",
    "from",
    "recipient",
    "conversation",
    "channelData",
    "entities",
    "locale",
    "serviceUrl",
    "channelId",
    "replyToId",
    "membersAdded",
    "attachments",
    "timestamp",
]


@given(payload=_JSON)
def test_any_json_is_an_activity_or_malformed(payload: object) -> None:
    try:
        _read(payload)
    except MalformedActivityError:
        return
    raise AssertionError(payload)  # no accident of this size has every id


@given(
    kind=st.sampled_from(["message", "execute", "submit"]),
    damage=st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=3),
)
def test_damaged_activity_is_a_storable_message_or_malformed(kind: str, damage: dict[str, Any]) -> None:
    sound = {
        "message": activities.channel_message(URL, "what failed?"),
        "execute": activities.execute(URL, "approve", {"value": "p-1"}),
        "submit": activities.submit(URL, {"verb": "say", "value": "status"}),
    }[kind]
    try:
        message = _read(sound | damage)
    except MalformedActivityError:
        return
    stored = json.dumps(to_jsonable(message), ensure_ascii=False)
    assert "\\u0000" not in stored  # PostgreSQL takes no NUL
    assert stored.encode()
    assert from_jsonable(json.loads(stored)) == message


@given(text=st.text())
def test_any_text_is_taken_as_text(text: str) -> None:
    message = _message(text)
    assert message.text
    assert "\x00" not in message.text
