"""Any message and any reply there can be, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from hypothesis import strategies as st

from brain.message import (
    Alert,
    ButtonPress,
    Channel,
    Conversation,
    InboundMessage,
    Locale,
    Sender,
    Verb,
)
from brain.reply import (
    Bullets,
    Button,
    Buttons,
    Citation,
    Citations,
    Code,
    DecisionOutcome,
    Facts,
    Notice,
    ProposalView,
    Reply,
    Span,
    Steps,
    StepView,
    Table,
    Text,
)

_T = TypeVar("_T")

_words = st.text(max_size=20)
_ids = st.text(alphabet="ab:%/é", min_size=1, max_size=4)
"""Few letters and every one that a key must escape, so that collisions would be found."""
_times = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the zone is given beside

_spans = st.builds(Span, _words, st.sampled_from(["plain", "strong", "code"]))
_texts = st.builds(Text, spans=st.lists(_spans, max_size=3).map(tuple))
_citations = st.builds(Citation, document_id=_words, document_title=_words, location=_words, quote=_words)
_buttons = st.builds(
    Button,
    label=_words,
    verb=st.sampled_from(Verb),
    value=_words,
    style=st.sampled_from(["default", "primary", "danger"]),
)


def _tuples(of: st.SearchStrategy[_T]) -> st.SearchStrategy[tuple[_T, ...]]:
    return st.lists(of, max_size=3).map(tuple)


_steps = st.builds(
    StepView,
    title=_words,
    state=st.sampled_from(["done", "failed", "skipped"]),
    depth=st.integers(1, 4),
    detail=_words,
)

blocks = st.one_of(
    st.builds(Steps, items=_tuples(_steps), title=_words),
    _texts,
    st.builds(Bullets, items=_tuples(_texts), numbered=st.booleans()),
    st.builds(Facts, items=_tuples(st.tuples(_words, _words)), title=_words),
    st.builds(Table, columns=_tuples(_words), rows=_tuples(_tuples(_words)), title=_words),
    st.builds(Code, text=_words, caption=_words),
    st.builds(Citations, items=_tuples(_citations)),
    st.builds(Buttons, items=_tuples(_buttons)),
    st.builds(Notice, text=_words, level=st.sampled_from(["info", "good", "warning", "danger"])),
)

_proposals = st.builds(
    ProposalView,
    id=_words,
    action=_words,
    target=_words,
    consequences=_tuples(_words),
    requires=st.sampled_from(["self", "second_person"]),
    expires_at=_times,
)
_outcomes = st.builds(
    DecisionOutcome,
    proposal_id=_words,
    state=st.sampled_from(["confirmed", "different", "unknown", "rejected", "refused", "expired"]),
    detail=_words,
)
replies = st.builds(
    Reply,
    blocks=_tuples(blocks),
    plain_text=_words,
    agent=_words,
    proposal=st.none() | _proposals,
    outcome=st.none() | _outcomes,
    degraded=_tuples(_words),
)

conversations = st.builds(
    Conversation,
    channel=st.sampled_from(Channel),
    tenant=_ids,
    conversation_id=_ids,
    thread_id=st.none() | _ids,
)
_alerts = st.builds(
    Alert,
    event=_words,
    job=_words,
    return_code=st.none() | st.integers(-10_000, 10_000),
    happened_at=st.none() | _times,
    text=_words,
)
messages = st.builds(
    InboundMessage,
    delivery_id=_ids,
    conversation=conversations,
    sender=st.builds(
        Sender, channel=st.sampled_from(Channel), tenant=_ids, user_id=_ids, display_name=_words
    ),
    text=_words,
    received_at=_times,
    button=st.none()
    | st.builds(
        ButtonPress, verb=st.sampled_from(Verb), value=_ids, reason=_words, message_id=st.none() | _ids
    ),
    alert=st.none() | _alerts,
    locale=st.none() | st.sampled_from(Locale),
    agent=st.none() | _words,
    parameters=st.dictionaries(_words, _words, max_size=2),
    route=st.dictionaries(_words, _words, max_size=2),
)
