"""What the policy asks for: every cell of a written table, its windows, its patterns, and who may approve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.actions.policy import Decision, Policy, Requirement, why_not
from brain.actions.policy_file import DEFAULT_POLICY, load_policy
from brain.actions.subject import Subject
from brain.rules_file import RulesError
from brain.windows import Window
from security.roles import Actor, Role
from tws.actions import ACTIONS_OF, Action, ObjectKind

_ZONE = ZoneInfo("America/Sao_Paulo")
_DAY = datetime(2026, 3, 4, 10, tzinfo=_ZONE)
_NIGHT = datetime(2026, 3, 4, 23, tzinfo=_ZONE)
_FREEZE = datetime(2026, 12, 31, 10, tzinfo=_ZONE)

_POLICY = """
time_zone: America/Sao_Paulo
windows:
  freeze: {dates: ["2026-12-24..2027-01-02"]}
  night: {from: "22:00", to: "06:00"}
rules:
  - {name: break glass, window: freeze, roles: [admin], requires: four_eyes}
  - {name: freeze, window: freeze, requires: denied}
  - {name: restart at night, window: night, roles: [operator], kinds: [job], actions: [rerun, hold, release],
     requires: self_confirm}
  - {name: other work at night, window: night, roles: [operator], kinds: [job, job_stream], requires: four_eyes}
  - {name: nothing else at night, window: night, roles: [operator], requires: denied}
  - {name: for good, roles: [operator, supervisor, admin], actions: [cancel, kill, reply_no, stop, unlink],
     requires: four_eyes}
  - {name: submissions, roles: [operator], kinds: [job_definition, job_stream_definition], requires: four_eyes}
  - {name: everyday, roles: [operator, supervisor, admin], requires: self_confirm}
"""

_TABLE = """
job                   rerun                -    self self self  -    self self self  -    -    -    two
job                   hold                 -    self self self  -    self self self  -    -    -    two
job                   release              -    self self self  -    self self self  -    -    -    two
job                   release_dependencies -    self self self  -    two  self self  -    -    -    two
job                   cancel               -    two  two  two   -    two  two  two   -    -    -    two
job                   cancel_pending       -    self self self  -    two  self self  -    -    -    two
job                   kill                 -    two  two  two   -    two  two  two   -    -    -    two
job                   confirm_succ         -    self self self  -    two  self self  -    -    -    two
job                   confirm_abend        -    self self self  -    two  self self  -    -    -    two
job                   set_priority         -    self self self  -    two  self self  -    -    -    two
job_stream            hold                 -    self self self  -    two  self self  -    -    -    two
job_stream            release              -    self self self  -    two  self self  -    -    -    two
job_stream            release_dependencies -    self self self  -    two  self self  -    -    -    two
job_stream            cancel               -    two  two  two   -    two  two  two   -    -    -    two
job_stream            cancel_pending       -    self self self  -    two  self self  -    -    -    two
job_stream            set_priority         -    self self self  -    two  self self  -    -    -    two
job_stream            set_limit            -    self self self  -    two  self self  -    -    -    two
workstation           link                 -    self self self  -    -    self self  -    -    -    two
workstation           unlink               -    two  two  two   -    -    two  two   -    -    -    two
workstation           start                -    self self self  -    -    self self  -    -    -    two
workstation           stop                 -    two  two  two   -    -    two  two   -    -    -    two
workstation           set_limit            -    self self self  -    -    self self  -    -    -    two
workstation           set_fence            -    self self self  -    -    self self  -    -    -    two
prompt                reply_yes            -    self self self  -    -    self self  -    -    -    two
prompt                reply_no             -    two  two  two   -    -    two  two   -    -    -    two
resource              set_quantity         -    self self self  -    -    self self  -    -    -    two
job_definition        submit               -    two  self self  -    -    self self  -    -    -    two
job_stream_definition submit               -    two  self self  -    -    self self  -    -    -    two
"""
"""By day, at night, in the freeze: viewer, operator, supervisor, admin each."""

_MEANING = {"-": Requirement.DENIED, "self": Requirement.SELF_CONFIRM, "two": Requirement.FOUR_EYES}
_ROWS = [line.split() for line in _TABLE.strip().split("\n")]
_COLUMNS = list(product((_DAY, _NIGHT, _FREEZE), Role))
_CELLS = [
    (ObjectKind(kind), Action(action), now, role, _MEANING[mark])
    for kind, action, *marks in _ROWS
    for (now, role), mark in zip(_COLUMNS, marks, strict=True)
]


@pytest.fixture(name="load")
def load_fixture(tmp_path: Path) -> Callable[[str], Policy]:
    def load(content: str) -> Policy:
        file = tmp_path / "policy.yaml"
        file.write_text(content, encoding="utf-8")
        return load_policy(file)

    return load


@pytest.fixture(name="matrix", scope="module")
def matrix_fixture(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    file = tmp_path_factory.mktemp("policy") / "policy.yaml"
    file.write_text(_POLICY, encoding="utf-8")
    return load_policy(file)


def _subject(kind: ObjectKind = ObjectKind.JOB, **changes: object) -> Subject:
    fields = {
        "engine": "prod",
        "folder": "/",
        "workstation": "AGT1",
        "job_stream": "PAYDAILY",
        "job": "PAYROLL",
    }
    return Subject(kind=kind, **{**fields, **changes})  # type: ignore[arg-type]  # a test's keywords


@pytest.mark.parametrize(("kind", "action", "now", "role", "requirement"), _CELLS)
def test_every_cell_is_as_in_the_table(
    matrix: Policy, kind: ObjectKind, action: Action, now: datetime, role: Role, requirement: Requirement
) -> None:
    assert matrix.decide(role, action, _subject(kind), now).requirement is requirement


def test_the_table_is_whole() -> None:
    whole = set(product(((kind, one) for kind, all_of in ACTIONS_OF.items() for one in all_of), _COLUMNS))
    assert {((kind, action), (now, role)) for kind, action, now, role, _ in _CELLS} == whole
    assert len(_CELLS) == len(whole)


def test_the_shipped_policy_denies_viewers_everything_and_asks_two_for_what_is_final() -> None:
    shipped = load_policy(DEFAULT_POLICY)
    for kind, actions in ACTIONS_OF.items():
        for action, role, critical in product(actions, Role, (False, True)):
            decision = shipped.decide(role, action, _subject(kind, is_critical=critical), _DAY)
            expected = Requirement.SELF_CONFIRM
            if action in {"cancel", "cancel_pending", "kill", "reply_no", "stop", "unlink"} or (
                critical and action in {"confirm_succ", "confirm_abend"}
            ):
                expected = Requirement.FOUR_EYES
            assert decision.requirement is (Requirement.DENIED if role is Role.VIEWER else expected)
            assert decision.identity == "service"


def test_the_first_rule_that_matches_decides_and_without_one_the_change_is_denied(
    load: Callable[[str], Policy],
) -> None:
    policy = load(
        "identity: own\nrules:\n"
        "  - {name: first, job: 'PAY*', requires: four_eyes, identity: service}\n"
        "  - {name: second, job: 'PAY@', requires: self_confirm}\n"
        "  - {name: third, job: 'HR?', requires: self_confirm}\n"
    )
    two = Decision(requirement=Requirement.FOUR_EYES, rule="first", identity="service")
    assert policy.decide(Role.OPERATOR, Action.HOLD, _subject(), _DAY) == two
    one = Decision(requirement=Requirement.SELF_CONFIRM, rule="third", identity="own")
    assert policy.decide(Role.OPERATOR, Action.HOLD, _subject(job="hr1"), _DAY) == one
    none = Decision(requirement=Requirement.DENIED, rule="", identity="own")
    assert policy.decide(Role.ADMIN, Action.HOLD, _subject(job="HR12"), _DAY) == none


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("engine: prod", {"engine": "PROD"}, {"engine": "test"}),
        ("engine: [prod, 'test*']", {"engine": "test2"}, {"engine": "dev"}),
        ("folder: '/HR/*'", {"folder": "/HR/PAY/"}, {"folder": "/"}),
        ("workstation: 'AGT_@'", {"workstation": "AGT_HR01"}, {"workstation": "MDM"}),
        ("job_stream: PAYDAILY", {"job_stream": "PAYDAILY"}, {"job_stream": ""}),
        ("job: 'PAY*'", {"job": "PAYROLL"}, {"job": ""}),
        ("critical: true", {"is_critical": True}, {"is_critical": False}),
        ("critical: false", {"is_critical": False}, {"is_critical": True}),
        ("kinds: [prompt]", {"kind": ObjectKind.PROMPT}, {"kind": ObjectKind.RESOURCE}),
    ],
)
def test_a_rule_speaks_only_of_what_its_patterns_name(
    load: Callable[[str], Policy], pattern: str, matching: dict[str, object], other: dict[str, object]
) -> None:
    policy = load(f"rules:\n  - name: one\n    requires: self_confirm\n    {pattern}\n")
    for changes, requirement in ((matching, Requirement.SELF_CONFIRM), (other, Requirement.DENIED)):
        subject = _subject(**changes)  # type: ignore[arg-type]  # a test's keywords
        assert policy.decide(Role.OPERATOR, Action.REPLY_YES, subject, _DAY).requirement is requirement


_BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("window", "moment", "is_in"),
    [
        # Over midnight, the span belongs to the day on which it began: from Friday into Saturday.
        ({"weekdays": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-06T21:59", False),
        ({"weekdays": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-06T22:00", True),
        ({"weekdays": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-07T05:59", True),
        ({"weekdays": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-07T06:00", False),
        ({"weekdays": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-06T05:59", False),
        ({"dates": ["2026-12-31"], "from": "18:00", "to": "03:00"}, "2027-01-01T02:59", True),
        ({"dates": ["2026-12-24..2027-01-02"]}, "2027-01-02T23:59", True),
        ({"dates": ["2026-12-24..2027-01-02"]}, "2027-01-03T00:00", False),
        ({"from": "09:00", "to": "17:00"}, "2026-03-04T09:00", True),
        ({"from": "09:00", "to": "17:00"}, "2026-03-04T17:00", False),
        # Clocks go forward at 02:00 on 29 March 2026 and back at 03:00 on 25 October.
        ({"from": "01:00", "to": "02:30"}, "2026-03-29T01:59", True),
        ({"from": "01:00", "to": "02:30"}, "2026-03-29T03:00", False),
        ({"from": "22:00", "to": "03:30"}, "2026-03-29T03:29", True),
        ({"weekdays": ["sat"], "from": "22:00", "to": "06:00"}, "2026-03-29T05:59", True),
        ({"weekdays": ["sat"], "from": "22:00", "to": "06:00"}, "2026-10-25T05:59", True),
    ],
)
def test_a_window_is_what_the_clock_on_the_wall_shows(
    window: dict[str, object],
    moment: str,
    is_in: bool,  # noqa: FBT001  # a column of the table
) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=_BERLIN).astimezone(UTC)
    assert Window.model_validate(window).covers(now, _BERLIN) is is_in


def test_the_hour_that_is_shown_twice_counts_twice() -> None:
    window = Window.model_validate({"from": "02:00", "to": "02:30"})
    first = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    covered = [window.covers(first + timedelta(minutes=minutes), _BERLIN) for minutes in range(0, 120, 30)]
    assert covered == [True, False, True, False]


@given(st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)), st.times(), st.times())  # noqa: DTZ001  # the zone is given beside
def test_a_span_and_the_one_from_its_end_to_its_begin_share_out_the_day(
    moment: datetime, begins: object, ends: object
) -> None:
    there = Window.model_validate({"from": begins, "to": ends})
    back = Window.model_validate({"from": ends, "to": begins})
    assert (there.covers(moment, UTC) != back.covers(moment, UTC)) is (begins != ends)


@pytest.mark.parametrize(
    ("content", "where", "expected"),
    [
        ("", "1:1", "the file: Input should be a valid dictionary"),
        ("rules: [", "1:9", "expected the node content"),
        ("a: b: c", "1:5", "mapping values are not allowed here"),
        ("rules:\n  - name: a\n    requires: deny\n", "3:15", "'denied', 'four_eyes' or 'self_confirm'"),
        ("rules:\n  - requires: denied\n", "2:5", "rules.0.name: Field required"),
        ("rules:\n  - {name: a, requires: denied, acton: [rerun]}\n", "2:33", "expected one of actions, critical,"),
        ("rules:\n  - {name: a, requires: denied, roles: [admin, boss]}\n", "2:48", "'supervisor' or 'admin'"),
        ("rules:\n  - {name: a, requires: denied, window: [x]}\n", "2:41", "the name of a window (none), found 'x'"),
        ("rules:\n  - {name: a, requires: denied, kinds: [prompt], actions: [hold]}\n", "2:59", "one of the kinds"),
        ("rules: []\nrules: []\n", "2:1", "'rules' stands already in line 1"),
        ("windows: {n: {from: 25:00}}\nrules: []\n", "1:21", "windows.n.from: Input should be in a valid time"),
        ("windows: {n: {dates: [2026-13-01]}}\nrules: []\n", "1:23", "windows.n.dates.0.0: Input should be a valid date"),
        ("windows: {n: {day: mon}}\nrules: []\n", "1:15", "expected one of dates, from, time_zone, to, weekdays"),
        ("time_zone: Mars/Base\nrules: []\n", "1:12", "invalid timezone: Mars/Base"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_with_line_column_and_what_was_expected(
    load: Callable[[str], Policy], content: str, where: str, expected: str
) -> None:
    with pytest.raises(RulesError) as refused:
        load(content)
    assert f"policy.yaml:{where}: " in str(refused.value)
    assert expected in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")


_ASKS_ONE, _ASKS_TWO, _DENIED = Requirement.SELF_CONFIRM, Requirement.FOUR_EYES, Requirement.DENIED
_NO, _SAME, _SECOND = "refused_not_permitted", "refused_same_person", "refused_second_person"
_MAY_APPROVE = {
    (_ASKS_ONE, _ASKS_ONE): {"own": (_NO, None, None, None), "other": (_NO, None, None, None)},
    (_ASKS_ONE, _ASKS_TWO): {"own": (_NO, _SAME, _SAME, _SAME), "other": (_NO, _SECOND, None, None)},
    (_ASKS_TWO, _ASKS_ONE): {"own": (_NO, _SAME, _SAME, _SAME), "other": (_NO, _SECOND, None, None)},
    (_ASKS_TWO, _ASKS_TWO): {"own": (_NO, _SAME, _SAME, _SAME), "other": (_NO, _SECOND, None, None)},
    (_ASKS_ONE, _DENIED): {"own": (_NO,) * 4, "other": (_NO,) * 4},
    (_ASKS_TWO, _DENIED): {"own": (_NO,) * 4, "other": (_NO,) * 4},
}
"""By what was asked of the requester and what is asked of the approver: viewer, operator, supervisor, admin."""


@pytest.mark.parametrize(("asked", "now"), _MAY_APPROVE)
@pytest.mark.parametrize("whose", ["own", "other"])
def test_who_may_approve(asked: Requirement, now: Requirement, whose: str) -> None:
    decision = Decision(requirement=now, rule="one", identity="service")
    proposed_by = "ana" if whose == "own" else "rui"
    found = tuple(
        why_not(
            Actor(actor_id="ana", display_name="Ana", role=role),
            decision,
            requires=asked,
            proposed_by=proposed_by,
        )
        for role in Role
    )
    assert found == _MAY_APPROVE[asked, now][whose]


def test_the_same_name_on_the_badge_is_not_the_same_person() -> None:
    namesake = Actor(actor_id="ana.2", display_name="Ana", role=Role.SUPERVISOR)
    decision = Decision(requirement=Requirement.FOUR_EYES, rule="one", identity="service")
    assert why_not(namesake, decision, requires=Requirement.FOUR_EYES, proposed_by="ana") is None
