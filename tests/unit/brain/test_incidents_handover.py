"""The handover is made of its records, one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bots.slack.render import to_slack
from bots.teams.render import to_card
from brain.incidents.handover import SECTIONS, Changed, Happened, Risk, Source, handover
from brain.incidents.handover_card import card
from brain.incidents.incidents import Incident
from brain.incidents.shifts import Handover
from brain.message import Locale

SINCE = datetime(2026, 3, 2, 6, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=8)
_TIMES = st.integers(-24, 48).map(lambda halves: SINCE + timedelta(minutes=30 * halves))
_IDS = st.integers(1, 10**6)
_NAMES = st.sampled_from(["", "otto", "sue"])

_HAPPENED = st.builds(
    Happened,
    seq=_IDS,
    at=_TIMES,
    actor_id=_NAMES,
    kind=st.sampled_from(["opened", "reopen", "acknowledge", "note", "resolve", "close"]),
    detail=st.text(max_size=5),
    incident_id=_IDS,
    cause=st.just("failed"),
    subject=st.just("A#S.J"),
)
_CHANGED = st.builds(
    Changed,
    seq=_IDS,
    at=_TIMES,
    actor_id=_NAMES,
    action=st.just("rerun"),
    target=st.just("A#S.J"),
    phase=st.sampled_from(["before", "after", "other"]),
    detail=st.just({"state": "confirmed"}),
)
_INCIDENT = st.builds(
    Incident,
    id=_IDS,
    engine=st.just("TWS"),
    trouble=st.just("job:1"),
    state=st.sampled_from(["open", "acknowledged", "resolved"]),
    severity=st.sampled_from(["critical", "high", "low"]),
    cause=st.just("failed"),
    subject=st.just("A#S.J"),
    root=st.none(),
    witness=st.just(""),
    waiting=st.just(0),
    assignee=st.none() | st.just("otto"),
    silenced_until=st.none(),
    merged_into=st.none() | _IDS,
    turn_id=st.none(),
    revision=st.just(1),
    first_seen=_TIMES,
    last_seen=_TIMES,
    ended_at=st.none() | _TIMES,
)
_RISK = st.builds(
    Risk,
    engine=st.sampled_from(["TWS", "DR"]),
    job_id=_IDS.map(str),
    subject=st.just("A#S.J"),
    deadline=st.none() | _TIMES,
    expected=st.none() | _TIMES,
    because=st.just("A#S.K"),
)


def _key(source: Source) -> tuple[type, object, object]:
    match source:
        case Happened() | Changed():
            return type(source), "", source.seq
        case Incident():
            return Incident, "", source.id
        case Risk():
            return Risk, source.engine, source.job_id


_SOURCES = st.lists(_HAPPENED | _CHANGED | _INCIDENT | _RISK, max_size=25, unique_by=_key)


@given(_SOURCES, st.data())
def test_without_a_record_exactly_its_line_is_missing(sources: Sequence[Source], data: st.DataObject) -> None:
    whole = handover(sources, SINCE, UNTIL)
    assert len({line.record for line in whole}) == len(whole)
    for gone in sources:
        rest = [one for one in sources if one is not gone]
        assert handover(rest, SINCE, UNTIL) == tuple(line for line in whole if line.source is not gone)
    shuffled = data.draw(st.permutations(sources))
    assert handover(shuffled, SINCE, UNTIL) == whole


@given(_SOURCES)
def test_each_record_is_where_it_belongs(sources: Sequence[Source]) -> None:
    lines = handover(sources, SINCE, UNTIL)
    assert [SECTIONS.index(line.section) for line in lines] == sorted(
        SECTIONS.index(line.section) for line in lines
    )
    told = {id(line.source): line.section for line in lines}
    for one in sources:
        match one:
            case Happened(kind="opened" | "reopen"):
                wanted = "failed" if SINCE <= one.at < UNTIL else None
            case Happened() | Changed():
                wanted = "done" if SINCE <= one.at < UNTIL else None
            case Incident():
                was_open = one.first_seen < UNTIL and (one.ended_at or UNTIL) >= UNTIL
                wanted = "open" if was_open and one.merged_into is None else None
            case Risk():
                ahead = (one.deadline or UNTIL) - UNTIL
                wanted = "risk" if ahead < timedelta(hours=8) else None
        assert told.get(id(one)) == wanted


def test_two_shifts_in_a_row_share_no_event() -> None:
    at = [SINCE, UNTIL - timedelta(microseconds=1), UNTIL]
    events = [
        Happened(
            seq=seq, at=when, actor_id="", kind="opened", detail="", incident_id=1, cause="late", subject="A"
        )
        for seq, when in enumerate(at, 1)
    ]
    first = handover(events, SINCE, UNTIL)
    second = handover(events, UNTIL, UNTIL + timedelta(hours=8))
    assert [line.record for line in first] == ["event:1", "event:2"]
    assert [line.record for line in second] == ["event:3"]


@given(st.lists(_INCIDENT, min_size=2, max_size=8, unique_by=lambda one: one.id))
def test_the_worst_of_what_is_open_comes_first(incidents: Sequence[Incident]) -> None:
    shown = [one.source for one in handover(incidents, SINCE, UNTIL) if isinstance(one.source, Incident)]
    rank = {"critical": 0, "high": 1, "low": 2}
    assert shown == sorted(shown, key=lambda one: (rank[one.severity], one.first_seen, one.id))


def test_the_longest_card_fits_into_every_channel() -> None:
    name = "AGT_FIN01#CONTABIL.APURACAO_MENSAL"
    sources: list[Source] = [
        Happened(
            seq=seq,
            at=SINCE + timedelta(minutes=seq),
            actor_id="operator",
            kind="opened" if seq % 2 else "resolve",
            detail="",
            incident_id=seq,
            cause="failed",
            subject=name,
        )
        for seq in range(400)
    ]
    sources += [
        Risk(
            engine="TWS",
            job_id=f"38b3e174-91de-5811-a0c7-ac2b93602{number}",
            subject=name,
            deadline=UNTIL + timedelta(minutes=number - 100),
            expected=None,
            because=name + "2",
        )
        for number in range(100, 200)
    ]
    lines = handover(sources, SINCE, UNTIL)
    reply = card(
        Handover(since=SINCE, until=UNTIL, lines=lines, as_of=UNTIL), Locale.PT, ZoneInfo("America/Sao_Paulo")
    )
    for shown in (json.dumps(to_card(reply, Locale.PT)), json.dumps(to_slack(reply).blocks)):
        assert all(word in shown for word in ("event:399", "event:380", "93602109", "/handover"))
        assert "93602110" not in shown
