"""Every reason why a job does not start has a sentence with its proof, in both languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from brain.agents.reasons import reason_sentence
from brain.message import Locale
from tests.support.plan import (
    AT,
    make_dependency,
    make_job,
    make_prompt,
    make_resource,
    make_stream,
    make_workstation,
)
from tws.contents import PlanContents
from tws.objects import Job
from tws.plan import Plan
from tws.why import Cause, Reason, reasons, why_absent

_UTC = ZoneInfo("UTC")
_WAITING: dict[str, Any] = {"status": "HOLD", "runs": ()}


def _plan(job: Job, **changes: Any) -> Plan:
    objects: dict[str, Any] = {
        "jobs": (job,),
        "job_streams": (make_stream(status="HOLD"),),
        "workstations": (make_workstation(),),
        "resources": (make_resource(),),
        "prompts": (make_prompt(),),
        **changes,
    }
    return Plan(
        PlanContents(engine="e", read_at=AT, run_number=7, starts_at=AT, ends_at=AT.replace(day=3), **objects)
    )


def _said(job: Job, locale: Locale = Locale.EN, **changes: Any) -> list[str]:
    return [reason_sentence(one, locale, _UTC) for one in reasons(_plan(job, **changes), job, AT)]


@pytest.mark.parametrize(
    ("job", "plan", "sentence"),
    [
        ({"priority": 0}, {}, "it is held: its priority is 0"),
        ({"starts_after": AT.replace(hour=5)}, {}, "it may not start before 2026-03-02 05:00 UTC"),
        (
            {"dependencies": (make_dependency(type="FILE", target="/in/x.txt", target_id=None),)},
            {},
            "it waits for the file /in/x.txt",
        ),
        (
            {
                "dependencies": (
                    make_dependency(type="PROMPT", target="PAYOK", target_id=None, id="prompt-1"),
                )
            },
            {},
            "it waits for an answer to the prompt PAYOK: “Pay?”",
        ),
        (
            {"status": "READY"},
            {"workstations": (make_workstation(is_linked=False),)},
            "its workstation AGT_HR01 is not linked",
        ),
        (
            {"status": "READY", "priority": 10},
            {"workstations": (make_workstation(fence=20),)},
            "the fence of AGT_HR01 is 20, the job's priority only 10",
        ),
        (
            {"status": "READY"},
            {"workstations": (make_workstation(limit=0),)},
            "the job limit of AGT_HR01 is 0",
        ),
        (
            {
                "status": "READY",
                "dependencies": (make_dependency(type="RESOURCE", target="AGT_HR01#TAPES", quantity=2),),
            },
            {},
            "it needs 2 units of the resource AGT_HR01#TAPES: 1 of 3 are free",
        ),
        (
            {},
            {
                "job_streams": (
                    make_stream(status="HOLD", dependencies=(make_dependency(type="FILE", target="/in/y"),)),
                )
            },
            "its job stream AGT_HR01#PAYDAILY: it waits for the file /in/y",
        ),
        (
            {},
            {"job_streams": (make_stream(priority=0),)},
            "its job stream AGT_HR01#PAYDAILY is held: its priority is 0",
        ),
    ],
)
def test_a_reason_is_told_with_its_proof(job: dict[str, Any], plan: dict[str, Any], sentence: str) -> None:
    assert sentence in _said(make_job(**{**_WAITING, **job}), **plan)


def test_a_failed_predecessor_is_told_with_its_return_code_and_since_when() -> None:
    failed = make_job(id="job-0", name="CALC_HORAS")
    waiting = make_job(**_WAITING, dependencies=(make_dependency(target_id="job-0"),))
    assert _said(waiting, jobs=(waiting, failed)) == [
        "it waits for AGT_HR01#PAYDAILY.CALC_HORAS, which is in ABEND (return code 8) (since 2026-03-02 03:13 UTC)"
    ]
    assert _said(waiting, Locale.PT, jobs=(waiting, failed)) == [
        (
            "espera por AGT_HR01#PAYDAILY.CALC_HORAS, que está em ABEND (código de retorno 8)"
            " (desde 2026-03-02 03:13 UTC)"
        )
    ]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_in_both_languages(cause: Cause) -> None:
    fact: dict[str, str | int | datetime | None] = {
        "name": "X",
        "run_number": 7,
        "plan_ends_at": AT,
        "members": "A",
    }
    reason = Reason(cause=cause, owner=make_job(), about=make_dependency(), fact=fact)
    english, portuguese = (reason_sentence(reason, locale, _UTC) for locale in Locale)
    assert english != portuguese
    assert "{" not in english + portuguese


@pytest.mark.parametrize(
    ("hour", "previous", "words"),
    [
        (4, None, "GONE is not in this plan (run 7)"),
        (4, True, "GONE was in the plan before and was not carried forward"),
        (30, None, "GONE is not in the plan: the plan ended at 2026-03-03 03:00 UTC"),
    ],
)
def test_a_job_that_is_not_in_the_plan_is_explained(hour: int, previous: bool | None, words: str) -> None:  # noqa: FBT001 -- a row of the table
    now = AT.replace(day=2 + hour // 24, hour=hour % 24)
    absent = why_absent(_plan(make_job()), "GONE", now, was_in_previous_plan=previous)
    assert absent is not None
    assert reason_sentence(absent, Locale.EN, _UTC).startswith(words)
