"""The simulator's plans: what is wrong in a file is said by file, line, column and key; each shows what it is named for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.night import START, find, small, states, stream
from tws.simulator.catalogue import FOLDER, CatalogueError, load, scenario
from tws.simulator.definition import PlanDefinition
from tws.simulator.engine import Engine
from tws.simulator.maker import generate

NIGHT = (FOLDER / "plans" / "night.yaml").read_text(encoding="utf-8")


def position(text: str, needle: str, *, value: str = "") -> str:
    """Line and column of the value after the needle."""
    at = text.index(needle) + needle.index(value)
    before = text[:at]
    return f"{before.count(chr(10)) + 1}:{at - before.rfind(chr(10))}"


@pytest.mark.parametrize(
    ("right", "wrong", "value", "message"),
    [
        (
            "limit: 20",
            "limit: many",
            "many",
            r"workstations\.MDM_SP\.limit: Input should be a valid integer.*found 'many'",
        ),
        ("starts: 5\n", "start: 5\n", "", r"streams\.CADCLI\.starts: Field required"),
        (
            "heals: true",
            "heal: true",
            "true",
            r"faults\.PAYDAILY\.PAYROLL\.heal: Unexpected keyword argument",
        ),
        ("follows: [TARIFAS]", "follows: [TARIFA]", "[TARIFA]", r"streams\.COBRANCA\.follows: .* TARIFA"),
        ("needs: [FITALTO]", "needs: [FITA]", "[FITA]", r"streams\.BKPDWH\.jobs\.BACKUP_DB\.needs: .* FITA"),
        ("workstation: MDM_SP", "workstation: MDM", "MDM", r"streams\.FIMNOITE\.workstation: .* MDM"),
        ("  PAYDAILY.PAYROLL:", "  PAYDAILY.PAYROL:", "", r"faults: .* PAYDAILY\.PAYROL"),
        ("      PAYROLL:", "      PAYROL:", "", r"streams\.PAYDAILY\.jobs: .* PAYROL"),
        (
            "priority: 60,",
            "priority: 60, on_until: later,",
            "later",
            r"FECHAMENTO\.on_until: .*'doNotRun'.*found 'later'",
        ),
        ("streams:", "streams: [", "", "expected ',' or ']'"),
    ],
)
def test_what_is_wrong_in_a_plan_is_named_with_its_position(
    tmp_path: Path, right: str, wrong: str, value: str, message: str
) -> None:
    assert right in NIGHT
    file, text = tmp_path / "night.yaml", NIGHT.replace(right, wrong)
    file.write_text(text, encoding="utf-8")
    where = position(text, wrong, value=value) if value else r"\d+:\d+"
    with pytest.raises(CatalogueError, match=rf"(?ms)^night\.yaml:{where}: [^\n]*{message}"):
        scenario(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("events: [{minute: 1, do: unlink, object: AGT9}]", "nothing is named AGT9"),
        (
            "workstations: {P: {type: POOL, os: OTHER, limit: 1, description: '', members: [X]}}\nstreams: {}",
            "named X",
        ),
    ],
)
def test_names_in_events_and_pools_are_checked(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "plan.yaml"
    rest = "" if "streams" in text else "\nworkstations: {}\nstreams: {}"
    file.write_text(text + rest, encoding="utf-8")
    with pytest.raises(CatalogueError, match=message):
        load(file, PlanDefinition)


def test_conditions_are_for_jobs_only(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(
        "workstations: {W: {type: AGENT, os: LINUX, limit: 1, description: ''}}\n"
        "streams:\n"
        "  S: {workstation: W, starts: 0, steps: [A]}\n"
        "  T: {workstation: W, starts: 0, steps: [A], follows: [{name: S, when: [SUCC]}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(
        CatalogueError, match=r"plan\.yaml:4:55: streams\.T\.follows: only jobs have conditions"
    ):
        load(file, PlanDefinition)


def test_an_unknown_plan_is_refused_with_what_was_expected() -> None:
    with pytest.raises(
        CatalogueError, match=r"dawn: there is no such plan; expected a file or a name of .*plans"
    ):
        scenario("dawn")


def test_a_stream_may_be_repeated_through_the_day() -> None:
    streams = {one.name: one for one in scenario("night").instances() if one.name.startswith("PIX")}
    assert len(streams) == 96
    assert [streams[name].starts for name in ("PIX0000", "PIX0015", "PIX2345")] == [2, 17, 1427]
    (name, _), *_ = streams["PIX2345"].definition.expanded(streams["PIX2345"].suffix)[0]
    assert name == "PIX_COLETA_2345"


def test_streams_and_jobs_may_be_multiplied() -> None:
    engine = small(
        "streams: {S: {workstation: AGT1, starts: 0, repeat: 2, steps: ['A*3', B], jobs: {A: {priority: 50}}}}"
    )
    assert [one.plan.name for one in engine.streams.values()] == ["S001", "S002"]
    assert list(states(engine)) == ["A_001", "A_002", "A_003", "B"]
    assert [find(engine, f"S002.{name}").priority for name in ("A_003", "B")] == [50, 10]
    assert len(find(engine, "S002.B").open) == 3


def test_an_instance_follows_the_closest_one_before() -> None:
    engine = small(
        """
streams:
  S: {workstation: AGT1, starts: 60, every: 360, on_overlap: parallel, steps: [A]}
  T: {workstation: AGT1, starts: 500, steps: [B], follows: [S]}
  U: {workstation: AGT1, starts: 0, steps: [C], follows: [S.A]}
"""
    )
    (whole,), (job,) = (stream(engine, name).waits[0].predecessors() for name in "TU")
    assert (whole.starts_at, job) == (START + timedelta(minutes=420), find(engine, "S.A"))


SHOWN = {
    "agent-unlinked": {
        "POSCLOSE.FECHA_CAIXAS": "workstation_unlinked",
        "PRECOS.RECEBE_PRECOS": "workstation_unlinked",
    },
    "credentials-expired": {
        "CADCLI.VALIDA_CPF_CNPJ": "predecessor_failed",
        "SEGUROS.CALC_COMISSAO": "predecessor_failed",
    },
    "failed-load": {"DWHNIGHT.AGGREGATE": "predecessor_failed", "BISALES.CUBE_SALES": "predecessor_failed"},
    "fence-raised": {"PIXREL.PIX_EXTRATO": "fence", "PIXLOTE.PIX_LIQUIDA": "fence"},
    "file-not-arrived": {"RETBANCO.RECEBE_CNAB240": "file"},
    "full-file-system": {
        "POSCLOSE.CONCILIA_TEF": "predecessor_failed",
        "CUPONS.EXPURGA_CUPONS": "predecessor_failed",
    },
    "healthy-night": {"FIMNOITE.CONFERE_NOITE": "stream_time"},
    "late-critical-path": {"CONTABIL.FECHAMENTO": "predecessor"},
    "limit-zero": {"CARDS.POST_CARDS": "workstation_limit_zero"},
    "plan-extension-failed": {
        "FINAL.SWITCHPLAN": "predecessor_failed",
        "POSTERGA.PREPARA_DIA": "predecessor_pending",
    },
    "prompt-pending": {"PAGFORN.LIBERA_REMESSA": "prompt", "TRIBUTOS.APURA_TRIBUTOS": "prompt"},
    "resource-held": {"BKPMAIL.BACKUP_MAILBOX": "resource", "BKPCRM.BACKUP_CRM": "resource"},
    "storm": {"AGENCIA050.POSICAO_039": "predecessor_failed"},
}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("seed", [1, 20])
def test_a_scenario_shows_the_pattern_it_is_named_for(name: str, seed: int) -> None:
    plan = scenario(name)
    engine = Engine(generate(plan, seed=seed, start=START, run_number=7))
    engine.advance(START + timedelta(minutes=plan.seen_at))
    assert {job: engine.reasons(find(engine, job))[0][0] for job in SHOWN[name]} == SHOWN[name]
    assert name == "storm" or 10 <= len(engine.jobs) <= 40


def test_every_plan_is_valid_and_named() -> None:
    files = {Path(file.name).stem for file in (FOLDER / "plans").iterdir()} - {"ordinary"}
    assert files == {*SHOWN, "night"}
    assert all(scenario(name).title for name in SHOWN)


def test_the_storm_is_two_thousand_jobs_that_one_failure_stops() -> None:
    engine = Engine(generate(scenario("storm"), seed=1, start=START, run_number=7))
    engine.advance(START + timedelta(hours=2))
    assert sum(job.status == "HOLD" for job in engine.jobs.values()) == 2001
    assert [job.plan.name for job in engine.jobs.values() if job.has_failed] == ["CARGA_SALDOS"]


def test_a_healthy_night_ends_well() -> None:
    engine = Engine(generate(scenario("healthy-night"), seed=1, start=START, run_number=7))
    engine.advance(START + timedelta(hours=10))
    assert set(states(engine).values()) == {"SUCC"}
    assert not any(job.is_late for job in engine.jobs.values())
