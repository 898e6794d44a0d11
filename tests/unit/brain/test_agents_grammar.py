"""What operators write and what it means, sentence by sentence."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.agents.grammar import Request, read_request
from brain.message import Locale

EN, PT = Locale.EN, Locale.PT


def diagnosis(job: str | None, **more: Any) -> dict[str, Any]:
    return {"kind": "diagnosis", "job": job, **more}


def not_started(job: str | None, **more: Any) -> dict[str, Any]:
    return {"kind": "not_started", "job": job, **more}


def status(job: str | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "job": job, "topic": None, **more}


def topic(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "topic": name, "job": None, **more}


def knowledge(*identifiers: str, **more: Any) -> dict[str, Any]:
    return {"kind": "knowledge", "identifiers": identifiers, "hypothetical": False, **more}


def act(action: str, job: str | None, **more: Any) -> dict[str, Any]:
    return {"kind": "action", "action": action, "job": job, "negated": False, "hypothetical": False, **more}


def what_if(action: str, job: str | None, **more: Any) -> dict[str, Any]:
    return {"kind": "knowledge", "action": action, "job": job, "hypothetical": True, **more}


def forbidden(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "negated": True, **more}


PAYROLL = {"job": "PAYROLL", "job_stream": "PAYDAILY", "workstation": "AGT01"}

ENGLISH: list[tuple[str, dict[str, Any]]] = [
    # Why a job failed.
    ("Why did job PAYROLL fail?", diagnosis("PAYROLL")),
    ("why did PAYROLL_01 abend", diagnosis("PAYROLL_01")),
    ("Why did AGT01#PAYDAILY.PAYROLL fail?", diagnosis(**PAYROLL)),
    ("why did payroll fail last night?", diagnosis("payroll", candidates=("payroll",))),
    ("why did the nightly payroll job fail?", diagnosis("payroll")),
    ("WHY DID PAYROLL FAIL", diagnosis("PAYROLL")),
    ("What happened to PAYROLL?", diagnosis("PAYROLL")),
    ("what went wrong with the job PAY_LOAD", diagnosis("PAY_LOAD")),
    ("PAYROLL abended again", diagnosis("PAYROLL")),
    ("payroll failed", diagnosis("payroll")),
    ("show me the log of PAYROLL", diagnosis("PAYROLL")),
    ("diagnose PAYROLL", diagnosis("PAYROLL")),
    ("why did it fail?", diagnosis(None)),
    ("what is the root cause of the PAYROLL abend", diagnosis("PAYROLL")),
    ("why did PAYROLL fail with AWSBDW002E?", diagnosis("PAYROLL", identifiers=("AWSBDW002E",))),
    ("why did PAYROLL end with return code 8?", diagnosis("PAYROLL", identifiers=("RC 8",))),
    ("wy did PAYROLL fial? why did PAYROLL faild", diagnosis("PAYROLL")),
    ("why did job PAYROLL in PAYDAILY fail", diagnosis("PAYROLL", job_stream="PAYDAILY")),
    ("why did the PAYDAILY job stream fail", diagnosis(None, job_stream="PAYDAILY")),
    # Why it has not started.
    ("Why hasn't PAYROLL started?", not_started("PAYROLL")),
    ("why has PAYROLL not started yet", not_started("PAYROLL")),
    ("Why hasn’t payroll started?", not_started("payroll")),
    ("why is PAYROLL still waiting?", not_started("PAYROLL")),
    ("what is PAYROLL waiting for?", not_started("PAYROLL")),
    ("what is blocking PAYROLL", not_started("PAYROLL")),
    ("PAYROLL has not started", not_started("PAYROLL")),
    ("why isn't AGT01#PAYDAILY.PAYROLL running?", not_started(**PAYROLL)),
    ("why is PAYROLL on hold?", not_started("PAYROLL")),
    # How things stand.
    ("What failed tonight?", topic("failed")),
    ("which jobs failed?", topic("failed")),
    ("did anything fail?", topic("failed")),
    ("show failed jobs", topic("failed")),
    ("list jobs in error", topic("failed")),
    ("any abended jobs?", topic("failed")),
    ("What is late?", topic("late")),
    ("which jobs are delayed", topic("late")),
    ("what is running?", topic("running")),
    ("what is running on AGT01?", topic("running", workstation="AGT01")),
    ("which jobs are waiting", topic("waiting")),
    ("which jobs have not started yet?", topic("waiting")),
    ("what is on hold?", topic("held")),
    ("show held jobs", topic("held")),
    ("show workstations", topic("workstations")),
    ("are all agents up?", topic("workstations")),
    ("list the job streams", topic("job_streams")),
    ("status", topic("summary")),
    ("how is the batch going tonight?", topic("summary")),
    ("give me a summary", topic("summary")),
    ("status of the plan", topic("summary")),
    ("what happened last night?", topic("summary")),
    ("Status of PAYROLL", status("PAYROLL")),
    ("how is PAYROLL doing?", status("PAYROLL")),
    ("did PAYROLL finish?", status("PAYROLL")),
    ("is payroll running?", status("payroll")),
    ("when will PAYROLL finish?", status("PAYROLL")),
    ("PAYROLL", status("PAYROLL")),
    ("AGT01#PAYDAILY.PAYROLL", status(**PAYROLL)),
    ("status of job stream PAYDAILY", status(None, job_stream="PAYDAILY")),
    ("status of stream payday", status(None, job_stream="payday")),
    ("is agent agt01 down?", topic("workstations", workstation="agt01")),
    ("workstation AGT01", topic("workstations", workstation="AGT01")),
    ("PAYROLL RC 8", {"kind": "knowledge", "job": "PAYROLL", "identifiers": ("RC 8",)}),
    ("what about PAYROLL?", status("PAYROLL")),
    ("is PAYROLL late?", status("PAYROLL")),
    ("which jobs of PAYDAILY failed?", topic("failed", job_stream="PAYDAILY")),
    ("is AGT01 down?", topic("workstations", workstation="AGT01")),
    ("did the batch finish?", topic("summary")),
    ("status of PAY*", status("PAY@")),
    ("was PAYROLL released?", status("PAYROLL", action=None)),
    # What is written.
    ("What does AWSBHT023E mean?", knowledge("AWSBHT023E")),
    ("awsbht023e", knowledge("AWSBHT023E")),
    ("what is RC 8?", knowledge("RC 8")),
    ("AWSBHT001E AWSBHT001E and exit code 137", knowledge("AWSBHT001E", "RC 137")),
    ("How do I rerun a job?", knowledge(action=None)),
    ("how to hold and release a job", knowledge(action=None)),
    ("what is a job stream", knowledge()),
    ("runbook for a full disk", knowledge()),
    ("where are the mailbox files?", knowledge()),
    ("release notes of TWS", knowledge(action=None)),
    # Changes.
    ("Rerun PAYROLL", act("rerun", "PAYROLL")),
    ("rerun AGT01#PAYDAILY.PAYROLL", act("rerun", **PAYROLL)),
    ("please restart the job PAYROLL", act("rerun", "PAYROLL")),
    ("can you run PAYROLL again?", act("rerun", "PAYROLL")),
    ("could you please re-run payroll", act("rerun", "payroll")),
    ("@Resync rerun PAYROLL", act("rerun", "PAYROLL")),
    ("Hi, rerun it please", act("rerun", None)),
    ("Hold PAYROLL", act("hold", "PAYROLL")),
    ("put PAYROLL on hold", act("hold", "PAYROLL")),
    ("release job PAYROLL on AGT01", act("release", "PAYROLL", workstation="AGT01")),
    ("I want you to cancel PAYROLL", act("cancel", "PAYROLL")),
    ("cancle PAYROLL", act("cancel", "PAYROLL")),
    ("why did PAYROLL fail? Please rerun it.", act("rerun", "PAYROLL")),
    ("go ahead and cancel PAYROLL", act("cancel", "PAYROLL")),
    (
        "rerun PAYROLL because the disk was not mounted, it is now",
        act("rerun", "PAYROLL", reason="the disk was not mounted, it is now"),
    ),
    ("cancel PAYROLL, reason: Duplicate of PAY_02", act("cancel", "PAYROLL", reason="Duplicate of PAY_02")),
    ("rerun PAY_01 and PAY_02", act("rerun", "PAY_01", further=("PAY_02",))),
    (
        "rerun AGT01#PAYDAILY.PAYROLL and AGT01#PAYDAILY.LOAD",
        act("rerun", **PAYROLL, further=("AGT01#PAYDAILY.LOAD",)),
    ),
    ("rerun job AGT01#PAYROLL", act("rerun", "PAYROLL", workstation="AGT01", job_stream=None)),
    ("rerun AGT01#12345", act("rerun", None, workstation="AGT01", job_stream=None)),
    ("rerun PAYROLL of PAYDAILY", act("rerun", "PAYROLL", job_stream="PAYDAILY")),
    ("rerun CANCEL_ORDERS", act("rerun", "CANCEL_ORDERS")),
    ("rerun all failed jobs", act("rerun", "@")),
    ("undo hold on PAYROLL", act("release", "PAYROLL")),
    ("why did CANCEL_ORDERS fail?", diagnosis("CANCEL_ORDERS", action=None)),
    # Questions about changes and what must not be done.
    ("what happens if I cancel PAYROLL?", what_if("cancel", "PAYROLL")),
    ("what if we hold PAYROLL?", what_if("hold", "PAYROLL")),
    ("can I rerun PAYROLL?", what_if("rerun", "PAYROLL")),
    ("should I release PAYROLL", what_if("release", "PAYROLL")),
    ("is it safe to rerun PAYROLL?", what_if("rerun", "PAYROLL")),
    ("what is the impact of cancelling PAYROLL", what_if("cancel", "PAYROLL")),
    ("do not rerun PAYROLL", forbidden("rerun", kind="unknown", job="PAYROLL")),
    ("Don't cancel PAYROLL!", forbidden("cancel", kind="unknown")),
    ("Don’t hold PAYROLL", forbidden("hold", kind="unknown")),
    ("please never release PAYROLL", forbidden("release", kind="unknown")),
    ("cancel PAYROLL. No, wait", forbidden("cancel", kind="unknown")),
    ("if PAYROLL fails, rerun it", {"kind": "unknown", "action": None}),
    ("rerun PAYROLL when PAY_02 is done", {"action": None}),
    ("remind me to cancel PAYROLL", {"kind": "unknown", "action": None}),
    ("hold on a second", {"kind": "unknown", "action": None}),
    ("kill PAYROLL", {"kind": "unknown", "action": None}),
    ("the log says cancel PAYROLL", {"kind": "diagnosis", "action": None}),
    # Talk.
    ("help", {"kind": "help"}),
    ("what can you do?", {"kind": "help"}),
    ("Hello", {"kind": "greeting"}),
    ("good morning team", {"kind": "greeting"}),
    ("", {"kind": "unknown", "job": None}),
    ("payroll", {"kind": "unknown", "candidates": ("payroll",)}),
    ("2", {"kind": "unknown"}),
]

PORTUGUESE: list[tuple[str, dict[str, Any]]] = [
    ("Por que o job PAYROLL falhou?", diagnosis("PAYROLL")),
    ("por que o job AGT01#PAYDAILY.PAYROLL abendou?", diagnosis(**PAYROLL)),
    ("Por que PAYROLL deu erro?", diagnosis("PAYROLL")),
    ("pq o payroll quebrou ontem", diagnosis("payroll", candidates=("payroll",))),
    ("porque o job PAYROLL falhou?", diagnosis("PAYROLL", reason="")),
    ("O que houve com PAYROLL?", diagnosis("PAYROLL")),
    ("o que aconteceu com o job PAYROLL", diagnosis("PAYROLL")),
    ("o PAYROLL abendou", diagnosis("PAYROLL")),
    ("o payroll caiu de novo", diagnosis("payroll")),
    ("qual foi o erro do PAYROLL?", diagnosis("PAYROLL")),
    ("o que deu errado no PAYROLL?", diagnosis("PAYROLL")),
    ("analise a falha do PAYROLL", diagnosis("PAYROLL")),
    ("mostra o log do PAYROLL", diagnosis("PAYROLL")),
    ("por que ele falhou?", diagnosis(None)),
    ("por que o PAYROLL do PAYDAILY falhou", diagnosis("PAYROLL", job_stream="PAYDAILY")),
    ("por que a malha PAYDAILY falhou", diagnosis(None, job_stream="PAYDAILY")),
    ("por que o PAYROLL terminou com código de retorno 8?", diagnosis("PAYROLL", identifiers=("RC 8",))),
    ("por que o job PAYROLL faliou", diagnosis("PAYROLL")),
    ("Por que o job PAYROLL não começou?", not_started("PAYROLL")),
    ("por que o PAYROLL nao rodou ainda", not_started("PAYROLL")),
    ("por que o payroll ainda não iniciou?", not_started("payroll")),
    ("por que PAYROLL está parado?", not_started("PAYROLL")),
    ("o que o PAYROLL está esperando?", not_started("PAYROLL")),
    ("o que está segurando o PAYROLL?", not_started("PAYROLL")),
    ("o PAYROLL não rodou", not_started("PAYROLL")),
    ("por que o PAYROLL está em hold?", not_started("PAYROLL")),
    ("O que falhou esta noite?", topic("failed")),
    ("quais jobs falharam?", topic("failed")),
    ("Quais jobs abendaram hoje", topic("failed")),
    ("algum job falhou?", topic("failed")),
    ("jobs em erro", topic("failed")),
    ("tem algum job com erro?", topic("failed")),
    ("O que está atrasado?", topic("late")),
    ("quais jobs estao atrasados", topic("late")),
    ("o que está rodando agora?", topic("running")),
    ("quais jobs estão executando no AGT01", topic("running", workstation="AGT01")),
    ("o que está esperando?", topic("waiting")),
    ("quais jobs ainda não começaram?", topic("waiting")),
    ("quais jobs estão em hold?", topic("held")),
    ("mostre os agentes", topic("workstations")),
    ("como estão as estações?", topic("workstations")),
    ("quais malhas estão no plano?", topic("job_streams")),
    ("como está o plano?", topic("summary")),
    ("como foi a noite?", topic("summary")),
    ("resumo", topic("summary")),
    ("me dá um resumo da noite", topic("summary")),
    ("o que aconteceu esta noite?", topic("summary")),
    ("Status do job PAYROLL", status("PAYROLL")),
    ("como está o PAYROLL?", status("PAYROLL")),
    ("o PAYROLL já terminou?", status("PAYROLL")),
    ("o payroll já rodou?", status("payroll")),
    ("quando o PAYROLL termina?", status("PAYROLL")),
    ("situação da malha PAYDAILY", status(None, job_stream="PAYDAILY")),
    ("o PAYROLL foi cancelado?", status("PAYROLL", action=None)),
    ("como tá a folha?", status("folha")),
    ("e o PAYROLL?", status("PAYROLL")),
    ("quais jobs do PAYDAILY falharam?", topic("failed", job_stream="PAYDAILY")),
    ("o agente AGT01 está fora?", topic("workstations", workstation="AGT01")),
    ("O que significa AWSBHT001E?", knowledge("AWSBHT001E")),
    ("o que quer dizer RC 137", knowledge("RC 137")),
    ("Como faço para reprocessar um job?", knowledge(action=None)),
    ("como cancelar um job", knowledge(action=None)),
    ("qual é o procedimento para liberar um job?", knowledge(action=None)),
    ("o que é uma malha?", knowledge()),
    ("onde ficam os arquivos mailbox?", knowledge()),
    ("Reexecutar o job AGT01#PAYDAILY.PAYROLL", act("rerun", **PAYROLL)),
    ("reprocessa o PAYROLL", act("rerun", "PAYROLL")),
    ("por favor, rode o PAYROLL de novo", act("rerun", "PAYROLL")),
    ("pode rodar de novo o payroll?", act("rerun", "payroll")),
    ("executa novamente o PAYROLL por favor", act("rerun", "PAYROLL")),
    ("Bom dia! Você pode reiniciar o PAYROLL?", act("rerun", "PAYROLL")),
    ("preciso reprocessar o PAYROLL", act("rerun", "PAYROLL")),
    ("Segurar o job PAYROLL", act("hold", "PAYROLL")),
    ("segura o PAYROLL no AGT01", act("hold", "PAYROLL", workstation="AGT01")),
    ("coloca o PAYROLL em hold", act("hold", "PAYROLL")),
    ("Liberar o job PAYROLL", act("release", "PAYROLL")),
    ("solta o PAYROLL", act("release", "PAYROLL")),
    ("tira o PAYROLL do hold", act("release", "PAYROLL")),
    ("Cancelar o job PAYROLL", act("cancel", "PAYROLL")),
    ("cancele o PAYROLL", act("cancel", "PAYROLL")),
    ("cansele o PAYROLL", act("cancel", "PAYROLL")),
    ("Oi, poderia liberar o PAYROLL?", act("release", "PAYROLL")),
    (
        "cancele o PAYROLL porque não é mais necessário",
        act("cancel", "PAYROLL", reason="não é mais necessário"),
    ),
    ("reprocessa o PAYROLL, motivo: disco cheio", act("rerun", "PAYROLL", reason="disco cheio")),
    ("O job PAYROLL falhou. Reprocesse.", act("rerun", "PAYROLL")),
    ("reprocesse PAY_01 e PAY_02", act("rerun", "PAY_01", further=("PAY_02",))),
    ("o que acontece se eu cancelar o PAYROLL?", what_if("cancel", "PAYROLL")),
    ("posso cancelar o PAYROLL?", what_if("cancel", "PAYROLL")),
    ("e se o PAYROLL for cancelado?", what_if("cancel", "PAYROLL")),
    ("devo reprocessar o PAYROLL?", what_if("rerun", "PAYROLL")),
    ("qual o impacto de segurar o payroll", what_if("hold", "payroll")),
    ("se o PAYROLL falhar, reprocesse", {"kind": "unknown", "action": None}),
    ("solicito o cancelamento do PAYROLL", act("cancel", "PAYROLL")),
    ("reprocesse todos os jobs", act("rerun", "@")),
    ("não cancele o PAYROLL", forbidden("cancel", kind="unknown", job="PAYROLL")),
    ("nao reprocessa o PAYROLL", forbidden("rerun", kind="unknown")),
    ("por favor nunca libere o PAYROLL", forbidden("release", kind="unknown")),
    ("cancelar o PAYROLL não", forbidden("cancel", kind="unknown")),
    ("cancela o PAYROLL, espera", forbidden("cancel", kind="unknown")),
    ("ajuda", {"kind": "help"}),
    ("o que você sabe fazer?", {"kind": "help"}),
    ("Olá, bom dia!", {"kind": "greeting"}),
    ("obrigado", {"kind": "greeting"}),
]

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("sj @#@.@+state=abend", topic("failed", workstation=None, job_stream=None)),
    ("sj @#@.@+state=abend,fail", topic("failed")),
    ("conman sj @#@.@+state=exec", topic("running")),
    ('conman "sj @#PAY@.@+state=hold"', topic("waiting", job_stream="PAY@")),
    ("sj @#@.@+priority=0", topic("held")),
    ("sj AGT01#PAYDAILY.PAYROLL", status(**PAYROLL)),
    ("sj AGT01#PAYDAILY.PAYROLL;stdlist", diagnosis(**PAYROLL)),
    ("sj /FIN/AGT01#/FIN/PAYDAILY(0900 02/19/26).PAYROLL", status(**PAYROLL)),
    ("ss @#@+state=stuck", topic("failed")),
    ("ss AGT01#PAYDAILY", topic("job_streams", job_stream="PAYDAILY")),
    ("sc", topic("workstations")),
    ("sc AGT01", topic("workstations", workstation="AGT01")),
    ("rr AGT01#PAYDAILY.PAYROLL", act("rerun", **PAYROLL)),
    ("rr AGT01#PAYDAILY(0900 02/19/26).PAYROLL;from=X", act("rerun", **PAYROLL)),
    ("rj AGT01#PAYDAILY.PAYROLL", act("release", **PAYROLL)),
    ("cj =AGT01#PAYDAILY.PAYROLL;pend", act("cancel", **PAYROLL)),
    ("cs AGT01#PAYDAILY", act("cancel", None, job_stream="PAYDAILY", workstation="AGT01")),
    ("ap AGT01#PAYDAILY.PAYROLL;0", act("hold", **PAYROLL)),
    ("ap AGT01#PAYDAILY.PAYROLL;50", {"action": None, **PAYROLL}),
    ("rr", {"kind": "unknown", "action": None}),
    ("do not rr AGT01#PAYDAILY.PAYROLL", {"kind": "status", "action": None}),
    ("rr AGT01#PAYDAILY.PAYROLL no wait", {"kind": "status", "action": None}),
]


def check(sentence: str, expected: dict[str, Any]) -> None:
    request = read_request(sentence)
    assert {name: getattr(request, name) for name in expected} == expected, sentence


@pytest.mark.parametrize(("sentence", "expected"), ENGLISH, ids=[pair[0] for pair in ENGLISH])
def test_english(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)
    assert read_request(sentence).locale in {EN, None}


@pytest.mark.parametrize(("sentence", "expected"), PORTUGUESE, ids=[pair[0] for pair in PORTUGUESE])
def test_portuguese(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)
    assert read_request(sentence).locale in {PT, None}


@pytest.mark.parametrize(("sentence", "expected"), COMMANDS, ids=[pair[0] for pair in COMMANDS])
def test_conman(sentence: str, expected: dict[str, Any]) -> None:
    check(sentence, expected)


def test_the_hint_decides_where_the_text_does_not() -> None:
    assert read_request("PAYROLL", PT).locale is PT
    assert read_request("PAYROLL").locale is None
    assert read_request("why did PAYROLL fail?", PT).locale is EN


def test_mark_up_round_a_name_is_not_part_of_it() -> None:
    for sentence in ("why did *PAYROLL* fail?", "why did `PAYROLL` fail?", "why did _PAYROLL_ fail?"):
        assert read_request(sentence).job == "PAYROLL"


def test_addresses_and_mentions_are_no_names() -> None:
    request = read_request("<@U0LAN0Z89> see https://wiki/AGT01#RUN.BOOK and rerun PAYROLL")
    assert (request.job, request.workstation, request.further) == ("PAYROLL", None, ())


def test_a_pasted_text_asks_for_nothing() -> None:
    assert read_request("rerun PAYROLL " + "line of a log " * 20).action is None


ORDERS = [sentence for sentence, expected in ENGLISH + PORTUGUESE if expected.get("kind") == "action"]
NEGATED_BY = [
    "do not ",
    "don't ",
    "Don’t ",
    "please do not ",
    "never ",
    "não ",
    "nao ",
    "nunca ",
    "por favor, não ",
]


@given(order=st.sampled_from(ORDERS), negation=st.sampled_from(NEGATED_BY), upper=st.booleans())
def test_a_negation_in_front_never_leaves_an_action(order: str, negation: str, *, upper: bool) -> None:
    sentence = negation + order
    request = read_request(sentence.upper() if upper else sentence)
    assert request.kind != "action"


@given(order=st.sampled_from(ORDERS), doubt=st.sampled_from(["what happens if I ", "o que acontece se eu "]))
def test_asking_what_would_happen_never_asks_for_it(order: str, doubt: str) -> None:
    assert read_request(doubt + order).kind != "action"


PARTS = """rerun cancel hold o job PAYROLL AGT01#PAYDAILY.PAYROLL não not why por que falhou ? . , AWSBHT001E RC 8
because porque em @#@.@ it if sj rr ;0 posso é"""
WORDS = st.sampled_from([*PARTS.split(), "\n"])


@given(text=st.text(max_size=200) | st.lists(WORDS, max_size=30).map(" ".join))
def test_any_text_is_read(text: str) -> None:
    request = read_request(text)
    assert isinstance(request, Request)
    assert (request.kind == "action") <= (request.action is not None)
    assert not (request.kind == "action" and (request.negated or request.hypothetical))


@pytest.mark.parametrize("name", ["RERUN_PAY", "CANCEL01", "HOLD_RELEASE", "AGT01#CANCEL.RERUN"])
def test_a_verb_inside_a_name_is_no_verb(name: str) -> None:
    for sentence in (f"why did {name} fail", f"por que o {name} falhou", f"status {name}", name):
        assert read_request(sentence).action is None


def test_the_worst_text_is_read_quickly() -> None:
    started = time.perf_counter()
    read_request("what why o que por que has job is " * 200)
    assert time.perf_counter() - started < 1
