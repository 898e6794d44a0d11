"""What an approver reads before pressing, in both languages."""

from __future__ import annotations

import pytest

from brain.actions.consequences import consequences
from brain.actions.policy import Action
from brain.message import Locale
from tests.support.plan import make_dependency, make_job, make_run, make_stream
from tws.objects import CommonStatus, Job, JobStream


def _waiting(*names: str) -> tuple[Job | JobStream, ...]:
    return tuple(
        make_job(id=name, name=name, status="HOLD", common_status=CommonStatus.WAITING, runs=())
        for name in names
    )


def _said(action: Action, job: Job, *successors: Job | JobStream, locale: Locale = Locale.EN) -> str:
    return "\n".join(consequences(action, job, successors, locale))


def test_a_rerun_says_which_run_it_will_be_and_where() -> None:
    job = make_job(workstation="AGT_HR02", runs=(make_run(attempt=3),))
    assert _said(Action.RERUN, job) == (
        "A new run of PAYROLL (run 4) starts on AGT_HR02 as soon as the engine launches it; "
        "the earlier run stays in the history.\n"
        "No waiting successor is affected."
    )


def test_a_rerun_of_a_job_that_ended_well_warns() -> None:
    assert "it would run a second time" in _said(Action.RERUN, make_job(status="SUCC"))
    assert "rodaria uma segunda vez" in _said(Action.RERUN, make_job(status="SUCC"), locale=Locale.PT)
    assert "second time" not in _said(Action.RERUN, make_job(status="ABEND"))


def test_a_running_job_keeps_running_when_it_is_cancelled() -> None:
    for status in ("INTRO", "EXEC", "SUCCP", "ABENP"):
        said = _said(Action.CANCEL, make_job(status=status))
        assert "its process keeps running" in said
        assert "will not run" not in said
        assert "o processo continua rodando" in _said(
            Action.CANCEL, make_job(status=status), locale=Locale.PT
        )


def test_a_waiting_job_will_not_run_when_it_is_cancelled() -> None:
    said = _said(Action.CANCEL, make_job(status="HOLD"))
    assert "PAYROLL will not run in this plan." in said
    assert "keeps running" not in said
    assert "não vai rodar neste plano" in _said(Action.CANCEL, make_job(status="HOLD"), locale=Locale.PT)


@pytest.mark.parametrize("locale", Locale)
def test_a_cancel_says_last_that_it_cannot_be_undone(locale: Locale) -> None:
    undo = {Locale.EN: "cannot be undone", Locale.PT: "não pode ser desfeito"}
    assert undo[locale] in consequences(Action.CANCEL, make_job(), (), locale)[-1]


def test_a_cancel_releases_successors_and_names_them() -> None:
    said = _said(Action.CANCEL, make_job(), *_waiting("GERA_HOLERITE", "PAY_NOTIFY"))
    assert (
        "Successors released at once, as if it had ended well: 2 "
        "(AGT_HR01#PAYDAILY.GERA_HOLERITE, AGT_HR01#PAYDAILY.PAY_NOTIFY)."
    ) in said


@pytest.mark.parametrize(("locale", "rest"), [(Locale.EN, " and 3 more)"), (Locale.PT, " e mais 3)")])
def test_of_many_successors_five_are_named_and_the_rest_is_counted(locale: Locale, rest: str) -> None:
    names = [f"JOB_{number}" for number in range(8)]
    said = _said(Action.RERUN, make_job(), *_waiting(*names), locale=locale)
    assert ": 8 (" in said
    assert rest in said
    assert [name in said for name in names] == [True] * 5 + [False] * 3


def test_five_successors_are_all_named() -> None:
    said = _said(Action.HOLD, make_job(status="HOLD"), *_waiting(*"ABCDE"))
    assert "more" not in said
    assert "PAYDAILY.E)" in said


@pytest.mark.parametrize("action", [Action.RERUN, Action.HOLD, Action.CANCEL])
@pytest.mark.parametrize(
    "successor",
    [
        make_job(status="SUCC"),
        make_job(status="EXEC"),
        make_job(status="HOLD", canceled=True),
        make_stream(status="SUCC"),
    ],
)
def test_successors_that_do_not_wait_are_not_counted(action: Action, successor: Job | JobStream) -> None:
    assert "No waiting successor is affected." in _said(action, make_job(), successor)


def test_a_job_stream_that_waits_is_a_successor_too() -> None:
    stream = make_stream(name="PAGFORN", workstation="AGT_FIN01", status="READY")
    assert "1 (AGT_FIN01#PAGFORN)" in _said(Action.RERUN, make_job(), stream)


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        (
            Locale.EN,
            "PAYROLL gets priority 0 and will not start until it is released (its priority now is 50).",
        ),
        (
            Locale.PT,
            "PAYROLL recebe prioridade 0 e não começa até ser liberado (a prioridade agora é 50).",
        ),
    ],
)
def test_a_hold_says_the_priority_that_is_lost(locale: Locale, sentence: str) -> None:
    assert consequences(Action.HOLD, make_job(status="HOLD", priority=50), (), locale)[0] == sentence


def test_a_hold_names_who_keeps_waiting() -> None:
    said = _said(Action.HOLD, make_job(status="HOLD"), *_waiting("PAY_NOTIFY"))
    assert "Successors that keep waiting: 1 (AGT_HR01#PAYDAILY.PAY_NOTIFY)." in said


@pytest.mark.parametrize("locale", Locale)
def test_the_three_kinds_of_release_are_told_apart(locale: Locale) -> None:
    waits = (make_dependency(target="file.txt"), make_dependency(target="DONE", satisfied=True))
    held = _said(Action.RELEASE, make_job(status="HOLD", priority=0, dependencies=waits), locale=locale)
    waiting = _said(Action.RELEASE, make_job(status="HOLD", dependencies=waits), locale=locale)
    free = _said(Action.RELEASE, make_job(status="SCHED"), locale=locale)
    assert len({held, waiting, free}) == 3
    assert "file.txt" in waiting
    assert "DONE" not in waiting
    assert "file.txt" not in held


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("locale", Locale)
def test_a_critical_job_is_called_critical(action: Action, locale: Locale) -> None:
    word = {Locale.EN: "is a critical job", Locale.PT: "é um job crítico"}[locale]
    assert word in _said(action, make_job(is_critical=True), locale=locale)
    assert word not in _said(action, make_job(is_critical=False), locale=locale)


@pytest.mark.parametrize("action", Action)
def test_no_sentence_is_the_same_in_both_languages(action: Action) -> None:
    said = [consequences(action, make_job(), _waiting("PAY_NOTIFY"), locale) for locale in Locale]
    assert len(said[0]) == len(said[1])
    assert not set(said[0]) & set(said[1])
