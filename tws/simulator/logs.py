"""Job logs as jobman and the scripts write them: banner, output, trailer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from random import Random
from zlib import crc32

from .plan import JobPlan, StreamPlan
from .runs import Run

__all__ = ["LOCAL_TIME", "render"]

LOCAL_TIME = timezone(timedelta(hours=-3), "-03")
"""São Paulo; no daylight saving time since 2019."""

_RULE = "=" * 63
_REPEATED = re.compile(r"(\d+)\* (.*)")

_KILLED = "{t} jobman: the job was killed on request of an operator, signal 9"

_ORDINARY = (
    """
{t} início do processamento, ambiente PRD
{t} INFO  parâmetros lidos, 0 erros
{t} WARN  conexão recusada pelo pool, nova tentativa em 5 s
{t} INFO  conexão restabelecida
40* {t} INFO  lote {i:>2} de 40 gravado, {n} registros
{t} INFO  totais conferidos com o arquivo de controle
{t} fim normal do processamento, rc=0
""",
    """
{t} start, profile prod
{t} INFO  configuration loaded, 0 errors
44* {t} INFO  chunk {i:>2} of 44 committed, {n} rows
{t} WARN  lock wait on INDEX_REBUILD exceeded 10 s, retried OK
{t} INFO  statistics gathered
{t} end, rc=0
""",
    """
{t} início, lendo lista de arquivos
{t} AVISO arquivo de controle com data anterior, ignorado por parâmetro
36* {t} arquivo {i:>2}: {n} bytes transferidos, conferência OK
{t} 36 arquivos processados, 0 erros
{t} término normal, código de retorno 0
""",
)


def render(
    job: JobPlan, stream: StreamPlan, run: Run, *, now: datetime, content_only: bool = False
) -> list[str]:
    """The log's lines; of a running job those that are written by `now`. Empty before the launch."""
    if run.started_at is None:
        return []
    body = [line for at, line in _body(job, run) if at <= now]
    if content_only:
        return body
    return [*_banner(job, stream, run), *body, *_trailer(run)]


def _banner(job: JobPlan, stream: StreamPlan, run: Run) -> list[str]:
    assert run.started_at is not None
    scheduled = stream.scheduled_at.astimezone(LOCAL_TIME)
    instance = f"[({scheduled:%H%M %m/%d/%y}),({stream.symphony_id})]"
    banner = [
        _RULE,
        f"= JOB       : {stream.workstation}#{stream.name}{instance}.{job.name}",
        f"= USER      : {job.login}",
        f"= TASK      : {job.script}",
        f"= AGENT     : {run.workstation}",
        f"= Job Number: {run.job_number}",
        f"= {run.started_at.astimezone(LOCAL_TIME):%a %b %d %H:%M:%S %Z %Y}",
        _RULE,
    ]
    if job.fault is None or job.fault.is_launched:
        banner.append(f"= AWSBIS307I Starting /opt/wa/TWS/jobmanrc {job.script}")
    return banner


def _trailer(run: Run) -> list[str]:
    if run.started_at is None or run.ended_at is None or run.return_code is None:
        return []
    elapsed = int((run.ended_at - run.started_at).total_seconds())
    clock = f"{elapsed // 3600:02}:{elapsed // 60 % 60:02}:{elapsed % 60:02}"
    return [
        _RULE,
        f"= Exit Status           : {run.return_code}",
        f"= System Time (Seconds) : {elapsed // 40}     Elapsed Time (hh:mm:ss) : {clock}",
        f"= User Time (Seconds)   : {elapsed // 9}",
        f"= {run.ended_at.astimezone(LOCAL_TIME):%a %b %d %H:%M:%S %Z %Y}",
        _RULE,
    ]


def _body(job: JobPlan, run: Run) -> Iterator[tuple[datetime, str]]:
    """The script's lines with their times, spread over the time the run takes."""
    assert run.started_at is not None
    script = _script(job, run)
    lines = list(_lines(script))
    takes = run.takes
    random = Random(run.id)
    for count, (text, number) in enumerate(lines):
        at = run.started_at + takes * ((count + 1) / (len(lines) + 1))
        local = at.astimezone(LOCAL_TIME)
        if run.ended_at is not None and at > run.ended_at:
            yield run.ended_at, _KILLED.format(t=f"{run.ended_at.astimezone(LOCAL_TIME):%H:%M:%S}")
            return
        yield at, text.format(t=f"{local:%H:%M:%S}", i=number, n=random.randint(10000, 99999))


def _script(job: JobPlan, run: Run) -> Sequence[str]:
    fails = job.fault is not None and not run.heals
    text = job.fault.script if fails and job.fault else _ORDINARY[crc32(job.name.encode()) % len(_ORDINARY)]
    return text.strip().splitlines()


def _lines(script: Sequence[str]) -> Iterator[tuple[str, int]]:
    for line in script:
        if repeated := _REPEATED.fullmatch(line):
            yield from ((repeated[2], number) for number in range(1, int(repeated[1]) + 1))
        else:
            yield line, 1
