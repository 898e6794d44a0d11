"""Who is told, by the rules alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.incidents.routes import Delivery, Routes, Subject, Told, load_routes
from brain.incidents.settings import IncidentSettings
from brain.incidents.troubles import SEVERITIES
from brain.patterns import is_like
from brain.rules_file import RulesError

_NIGHT = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
_DAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_RULES = """
windows:
  night: {from: "22:00", to: "06:00"}
maintenance:
  - {name: patching, window: night, workstation: "AGT_POS*"}
routes:
  - {name: payroll, job_stream: "PAY*", to: ["slack:T:C"], severity: high, last: true}
  - {name: nobody came, unacknowledged_for: PT15M, to: "person:sue"}
  - {name: finance, folder: "/FIN/*", job: "re:LOAD_[0-9]+", to: ["teams:t:c", "slack:T:C"], quiet: night}
  - {name: reported, source: monitor, to: "mail:night@bank.example", digest: PT1H}
  - {name: all, per_hour: 2, per_job_hour: 1, to: "webhook:pager"}
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Routes]:
    def loaded(content: str) -> Routes:
        path = tmp_path / "routes.yaml"
        path.write_text(content)
        return load_routes(path)

    return loaded


@pytest.fixture
def rules(load: Callable[[str], Routes]) -> Routes:
    return load(_RULES)


def _told(
    rules: Routes,
    now: datetime = _DAY,
    *,
    waits: float | None = 0,
    told: Told | None = None,
    **about: object,
) -> list[Delivery]:
    subject = Subject(**{"engine": "PROD", "what": "X", **about})
    unacknowledged_for = None if waits is None else timedelta(minutes=waits)
    reach = {"person:sue": ("slack:T:U1", "teams:t:sue")}
    return list(
        rules.deliveries(
            subject, now, unacknowledged_for=unacknowledged_for, told=told or Told(), reach=reach
        )
    )


def test_the_rules_that_match_are_followed_up_to_the_last(rules: Routes) -> None:
    assert [one.target for one in _told(rules, job_stream="PAYDAILY", severity="high")] == ["slack:T:C"]
    assert [one.target for one in _told(rules, job_stream="PAYDAILY", severity="medium")] == ["webhook:pager"]
    fin = _told(rules, folder="/FIN/X", job="load_12", job_stream="Z")
    assert [one.target for one in fin] == ["teams:t:c", "slack:T:C", "webhook:pager"]
    assert [one.target for one in _told(rules, folder="/FIN/X", job="load_x")] == ["webhook:pager"]


def test_a_person_is_told_wherever_they_are_once_nobody_came(rules: Routes) -> None:
    late = [one.target for one in _told(rules, waits=15)]
    assert late == ["slack:T:U1", "teams:t:sue", "webhook:pager"]
    assert [one.target for one in _told(rules, waits=14)] == ["webhook:pager"]
    assert [one.target for one in _told(rules, waits=None)] == ["webhook:pager"]


def test_in_quiet_hours_all_but_what_is_critical_waits_for_a_list(rules: Routes) -> None:
    about = {"folder": "/FIN/X", "job": "LOAD_1"}
    assert [one.way for one in _told(rules, _NIGHT, **about)][:2] == ["digest", "digest"]
    assert [one.way for one in _told(rules, _DAY, **about)][:2] == ["card", "card"]
    assert {one.way for one in _told(rules, _NIGHT, severity="critical", **about)} == {"card"}
    assert rules.is_quiet("finance", _NIGHT)
    assert not rules.is_quiet("finance", _DAY)
    assert not rules.is_quiet("payroll", _NIGHT)


def test_what_a_source_reports_comes_as_a_list_every_hour(rules: Routes) -> None:
    (mail, _) = _told(rules, sources=frozenset({"monitor"}))
    assert mail == Delivery(
        route="reported", target="mail:night@bank.example", way="digest", wait=timedelta(hours=1)
    )
    (mail, _) = _told(rules, sources=frozenset({"monitor"}), severity="critical")
    assert mail.way == "card"


def test_more_than_the_limit_comes_as_a_list(rules: Routes) -> None:
    told = Told()
    told.count("webhook:pager", "X")
    assert [one.way for one in _told(rules, told=told)] == ["digest"]
    assert [one.way for one in _told(rules, told=told, what="Y")] == ["card"]
    assert [one.way for one in _told(rules, told=told, severity="critical")] == ["card"]
    told.count("webhook:pager", "Y")
    assert [one.way for one in _told(rules, told=told, what="Z")] == ["digest"]


def test_maintenance_holds_in_its_window_for_what_it_is_about(rules: Routes) -> None:
    there = Subject(engine="PROD", workstation="agt_pos01", severity="critical")
    assert rules.under_maintenance(there, _NIGHT) == "patching"
    assert rules.under_maintenance(there, _DAY) is None
    assert rules.under_maintenance(Subject(engine="PROD", workstation="AGT_FIN"), _NIGHT) is None


@given(severity=st.sampled_from(SEVERITIES), least=st.sampled_from(SEVERITIES))
def test_a_rule_holds_from_its_severity_on(severity: str, least: str) -> None:
    rules = Routes.model_validate({"routes": [{"name": "a", "to": "webhook:x", "severity": least}]})
    is_told = bool(_told(rules, severity=severity))
    assert is_told == (SEVERITIES.index(severity) <= SEVERITIES.index(least))  # type: ignore[arg-type]  # one of them


@given(st.text(max_size=20))
def test_a_star_matches_all_and_a_regular_expression_only_the_whole(name: str) -> None:
    assert is_like(name, ("*",))
    assert not is_like(f"A{name}", ("re:B.*",))
    assert not is_like("", ("re:.*",))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('routes:\n  - {name: a, to: "slack:C1"}\n', "2:19: routes.0.to: Value error, 'slack:C1' is none of"),
        ("routes:\n  - {name: a}\n", "routes.0.to: Field required"),
        ('routes:\n  - {name: a, to: "webhook:x", job: "re:["}\n', "no regular expression"),
        ('routes:\n  - {name: a, to: "webhook:x", quiet: noon}\n', "name of a window (none), found 'noon'"),
        ('routes:\n  - {name: a, to: "webhook:x"}\n  - {name: a, to: "webhook:x"}\n', "3:12: the name 'a'"),
        ('routes:\n  - {name: a, to: "webhook:x", sever: high}\n', "expected one of digest, engine"),
        ("maintenance:\n  - {name: a}\n", "maintenance.0.window: Field required"),
    ],
)
def test_a_broken_file_is_told_with_its_place(
    load: Callable[[str], Routes], content: str, expected: str
) -> None:
    with pytest.raises(RulesError) as refused:
        load(content)
    assert expected in str(refused.value)


def test_what_the_settings_say_comes_before_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(_RULES)
    settings = IncidentSettings(notify=("slack:T:all",), routes=path)
    rules = settings.load_routes({"night": ("teams:t:n",), "none": ()})
    told = [one.target for one in _told(rules, sources=frozenset({"night"}))]
    assert told == ["slack:T:all", "teams:t:n", "webhook:pager"]


def test_the_server_does_not_start_with_rules_that_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(_RULES)
    assert IncidentSettings(routes=path).unsafe() == [
        "RESYNC_INCIDENTS__MAIL__HOST is not set, and rule 'reported' names mail:night@bank.example",
        "RESYNC_INCIDENTS__WEBHOOKS has no 'pager', which rule 'all' names",
    ]
    path.write_text("routes: 7")
    (problem,) = IncidentSettings(routes=path).unsafe()
    assert problem.startswith(f"RESYNC_INCIDENTS__ROUTES: {path}:1:9: routes: ")
    assert IncidentSettings().unsafe() == []
