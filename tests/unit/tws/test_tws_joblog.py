"""The decisive line of real-looking logs, in both languages, between banners and red herrings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.joblog import _CODE_MARKS, _MARKS, _Mark, read_log

BANNER = """\
===============================================================
= JOB       : MDM#PAYROLL[(0000 11/22/26),(0AAAAAAAAAAAAABC)].CALC_NET
= USER      : payuser
= TASK      : /opt/batch/error_report.sh --fail-on-error
= AGENT     : AGENT07
= Job Number: 318858480
= Sun Nov 22 22:00:01 BRT 2026
===============================================================
"""

TRAILER = """
===============================================================
= Exit Status           : {status}
= Elapsed Time (hh:mm:ss) : 00:00:01
= Sun Nov 22 22:00:03 BRT 2026
===============================================================
"""


def job_log(body: str, status: int) -> str:
    return BANNER + body + TRAILER.format(status=status)


CASES = {
    "oracle": (
        8,
        """\
INFO  validation done, 0 errors
WARN  connection to the pool timed out, retry 1 of 3
ERROR at line 1:
ORA-01653: unable to extend table PAY.TRANS by 128 in tablespace PAY_DATA
ORA-06512: at "PAY.LOAD", line 33
load.sh: ended with rc=8""",
        "ORA-01653: unable to extend table PAY.TRANS by 128 in tablespace PAY_DATA",
    ),
    "db2": (
        4,
        """\
DB21034E  The command was processed as an SQL statement because it was not a valid command.
SQL0911N  The current transaction has been rolled back because of a deadlock. SQLSTATE=40001""",
        "SQL0911N  The current transaction has been rolled back because of a deadlock. SQLSTATE=40001",
    ),
    "disk in Portuguese": (
        1,
        """\
02:13:44 tratamento de erros iniciado
02:13:45 conexão recusada, tentando novamente
02:13:50 cp: erro ao gravar '/dados/saida.dat': Não há espaço disponível no dispositivo
02:13:50 Erro: arquivo incompleto
02:13:50 encerrando com código 1""",
        "02:13:50 cp: erro ao gravar '/dados/saida.dat': Não há espaço disponível no dispositivo",
    ),
    "java": (
        1,
        """\
2026-11-22 22:00:02,100 ERROR Loader - load failed
com.example.LoadException: could not load
	at com.example.Loader.run(Loader.java:12)
Caused by: java.net.ConnectException: Connection refused
	at java.net.Socket.connect(Socket.java:99)
	... 23 more""",
        "Caused by: java.net.ConnectException: Connection refused",
    ),
    "python": (
        1,
        """\
Traceback (most recent call last):
  File "/opt/x/load.py", line 8, in <module>
KeyError: 'CPF'
wrapper: exit code 1""",
        "KeyError: 'CPF'",
    ),
    "killed": (
        137,
        """\
GC overhead 88 %
/opt/batch/extract.sh: line 12:  4411 Killed                  java -jar extract.jar
extract.sh: rc=137""",
        "/opt/batch/extract.sh: line 12:  4411 Killed                  java -jar extract.jar",
    ),
    "morto": (137, "iniciando\n/opt/x.sh: linha 3: 44 Morto", "/opt/x.sh: linha 3: 44 Morto"),
    "terminated": (143, "starting\n/opt/x.sh: line 3: 44 Terminated", "/opt/x.sh: line 3: 44 Terminated"),
    "permission in Portuguese": (
        126,
        "bash: /opt/x/erro.sh: Permissão negada\nERRO passo 1",
        "bash: /opt/x/erro.sh: Permissão negada",
    ),
    "curl": (7, "curl: (7) Failed to connect to host\nERROR no rates", "curl: (7) Failed to connect to host"),
    "abend code": (
        12,
        "IEF450I STEP1 - ABEND=S0C7 U0000\nprocesso encerrado",
        "IEF450I STEP1 - ABEND=S0C7 U0000",
    ),
    "not launched": (
        0,
        """\
AWSBHT001E The job could not be launched. The following gives more details of the error:
AWSBDW009E The following operating system error occurred retrieving the password structure""",
        "AWSBDW009E The following operating system error occurred retrieving the password structure",
    ),
    "message of the site": (
        12,
        "CTB0012I Lendo, 0 erros\nCTB0042E Trailer informa 184220, lidos 184219\ncódigo de retorno 12",
        "CTB0042E Trailer informa 184220, lidos 184219",
    ),
    "first of several errors": (
        1,
        "ERROR control file has no header\nERROR step 1 stopped\njob failed",
        "ERROR control file has no header",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_decisive_line_comes_first(case: str) -> None:
    status, body, decisive = CASES[case]
    text = job_log(body, status)
    findings = read_log(text)
    assert findings.exit_status == status
    assert findings.decisive[0].text == decisive
    assert text.split("\n")[findings.decisive[0].number - 1].strip() == decisive


@pytest.mark.parametrize(
    "line",
    [
        "0 errors",
        "no errors found",
        "finished without errors",
        "ERRORS=0 WARNINGS=3",
        "Errors: 0",
        "0 rows failed",
        "processamento concluído, sem erros, 0 rejeitados",
        "Total de erros: 0",
        "error handling initialised",
        "tratamento de erros ativado",
        "+ grep ERROR /tmp/out",
        "-- WHENEVER SQLERROR EXIT 1",
        "WHENEVER SQLERROR EXIT FAILURE",
        "writing /var/log/errors/failed.log",
        "load.py --on-error=abort",
        "rc=0",
        "código de retorno 0",
        "SQLCODE = 100",
        "SQLSTATE=00000",
        "Errors allowed: 50",
        "	at com.example.ErrorHandler.fail(ErrorHandler.java:1)",
        "WARN  an error was ignored",
        "AWSBIS307I Starting /opt/wa/TWS/jobmanrc",
        "",
    ],
)
def test_a_red_herring_is_not_decisive(line: str) -> None:
    assert read_log(job_log(line, 0)).decisive == ()


def test_a_trouble_that_passed_ranks_below_the_real_error() -> None:
    findings = read_log("connection refused, retrying\nERROR rates are missing")
    assert [line.number for line in findings.decisive] == [2, 1]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR expected 184220 records, found 184219",
        "ERROR attempt 3 of 3, giving up",
        "ERROR retry limit reached",
        "ERROR the file could not be recovered",
        "ERROR file LANCTOS has no trailer",
        "ERRO registro não recuperado",
        "Erro: total de controle diverge",
    ],
)
def test_a_real_error_keeps_its_weight_whatever_else_it_says(line: str) -> None:
    findings = read_log(f"job failed\n{line}")
    assert findings.decisive[0].text == line


def test_a_line_that_the_return_code_confirms_comes_first() -> None:
    body = "x.sh: line 1: /opt/y: Permission denied\nx.sh: line 9: sqlldr: command not found"
    assert read_log(body, 127).decisive[0].number == 2
    assert read_log(body, 126).decisive[0].number == 1


def test_the_trailer_outweighs_the_plan() -> None:
    assert read_log(job_log("ok", 3), 99).exit_status == 3


def test_without_a_trailer_there_is_no_exit_status() -> None:
    assert read_log("Exit Status : 5 was returned before\nrunning", 1).exit_status is None


def test_a_job_cannot_forge_the_trailer() -> None:
    assert read_log(job_log("= Exit Status           : 0", 8)).exit_status == 8


def test_repetition_gives_one_line() -> None:
    body = "\n".join(f"record {number}: ORA-01843: not a valid month" for number in range(5000))
    findings = read_log(body)
    assert [line.number for line in findings.decisive] == [1]


def test_ids_of_the_product_and_of_databases_are_listed_once() -> None:
    findings = read_log("AWSBHT001E x\nORA-01653 y\nSQL0911N z\nORA-01653 again\nAWSBDW019I w")
    assert findings.message_ids == ("AWSBHT001E", "AWSBDW019I", "ORA-01653", "SQL0911N")


@given(
    st.text(max_size=400) | st.lists(st.sampled_from([body for _, body, _ in CASES.values()])).map("\n".join)
)
def test_lines_exist_in_the_text(text: str) -> None:
    findings = read_log(text)
    lines = text.split("\n")
    assert len(findings.decisive) <= 5
    assert all(line.text in lines[line.number - 1] for line in findings.decisive)
    assert len({line.number for line in findings.decisive}) == len(findings.decisive)


@given(st.data())
@pytest.mark.parametrize("mark", [*_MARKS, *_CODE_MARKS.values()], ids=lambda mark: "|".join(mark.stems)[:40])
def test_a_mark_has_a_stem_in_every_line_it_matches(mark: _Mark, data: st.DataObject) -> None:
    line = data.draw(st.from_regex(mark.pattern)).lower()
    if mark.pattern.search(line):
        assert mark.is_in(line)


@pytest.mark.parametrize(
    "line", ["a" * 500, "=" * 500, "/" * 500, "err " * 120, "no " * 160, "x.err" * 100, "err-" * 125]
)
def test_no_line_keeps_a_log_from_being_read(line: str) -> None:
    read = read_log("\n".join([*[f"error {line}"] * 2_000, "ORA-01653: unable to extend"]))
    assert read.message_ids == ("ORA-01653",)
