"""Why jobs of the night fail, and the output their scripts leave behind.

A script's text is a small template. `N* text` stands for N lines; `{t}` is the line's time of day,
`{i}` its number among the N and `{n}` a drawn number of five digits.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a job ends badly."""

    return_code: int | None
    """None where nothing was launched."""
    minutes: int
    """How long the first run lasts."""
    script: str
    """The output, a template."""
    heals: bool = False
    """Whether a rerun succeeds, because the cause went away meanwhile."""
    is_launched: bool = True
    """False: the job could not even be launched, its status is FAIL and not ABEND."""


_PAYROLL = """
{t} payroll.sh: environment HR_PROD loaded, ORACLE_SID=HRPRD1, ciclo=diario
{t} SQL*Plus: Release 19.0.0.0.0 - Production
{t} Connected to: Oracle Database 19c Enterprise Edition Release 19.0.0.0.0
{t} INFO  step 1/4 load parameters: 214 rubricas, 37 sindicatos
{t} WARN  HR-2207 connection to TIMESHEET pool timed out, retry 1 of 3
{t} INFO  HR-2208 connection to TIMESHEET pool re-established
{t} INFO  step 2/4 validate time sheets: 18442 read, 0 errors
{t} INFO  step 3/4 calculate
40* {t} INFO  batch {i:>3}/96 committed, {n} rows into HR.PAY_TRANS
{t} WARN  HR-3110 statistics of HR.PAY_TRANS are stale, ignored
18* {t} INFO  batch 4{i:02}/496 committed, {n} rows into HR.PAY_TRANS
{t} ERROR at line 1:
{t} ORA-01653: unable to extend table HR.PAY_TRANS by 8192 in tablespace PAY_DATA
{t} ORA-06512: at "HR.PKG_PAYROLL", line 1187
{t} ORA-06512: at line 1
{t} ERROR HR-9001 step 3/4 ended abnormally, last checkpoint 418, restart is possible
{t} Disconnected from Oracle Database 19c Enterprise Edition
{t} payroll.sh: ended with rc=8
"""

_APURACAO = """
{t} apuracao.sh - Apuração contábil diária - versão 7.4.2
{t} CTB0001I Início da apuração. Empresa 001, exercício corrente
{t} CTB0007I Plano de contas carregado: 4118 contas analíticas
{t} CTB0010I Arquivo LANCTOS localizado em /dados/contabil/entrada/LANCTOS.DAT
{t} CTB0031W Centro de custo 8812 sem responsável, assumido 8800
{t} CTB0012I Lendo lançamentos
46* {t} CTB0013I Bloco {i:>3}: 4000 lançamentos lidos, 0 erros
{t} CTB0033W Lock na tabela SALDOS, nova tentativa em 5 s
{t} CTB0034I Lock liberado, processamento retomado
{t} CTB0014I Bloco  47: 219 lançamentos lidos, 0 erros
{t} CTB0020I Fim de arquivo. Conferindo trailer
{t} CTB0042E Trailer do arquivo LANCTOS informa 184220 registros, lidos 184219
{t} CTB0099E Apuração interrompida, nenhum saldo foi atualizado
{t} CTB0100I Rollback efetuado
{t} apuracao.sh: código de retorno 12
"""

_DWH_LOAD = """
{t} dwh_load.sh: target DWH.FATO_VENDAS, partition of the day
{t} SQL*Loader: Release 19.0.0.0.0 - Production on DWHPRD
{t} INFO  control file checked, 0 errors
{t} Control File:   /opt/dwh/ctl/fato_vendas.ctl
{t} Data File:      /dados/dwh/stage/fato_vendas.dat
{t}   Bad File:     /dados/dwh/bad/fato_vendas.bad
{t}   Discard File: none specified
{t} Number to load: ALL, Errors allowed: 50, Bind array: 5000 rows
{t} WARN  index DWH.FATO_VENDAS_IX3 unusable, will be rebuilt after the load
50* {t} Commit point reached - logical record count {i}0000
{t} WARN  network read stalled 12 s, resumed
51* {t} Record 5{n}: Rejected - Error on table DWH.FATO_VENDAS, column DT_VENDA. ORA-01843: not a valid month
{t} MAXIMUM ERROR COUNT EXCEEDED - Above statistics reflect partial run.
{t} SQL*Loader-00510: rejected rows limit exceeded, load discontinued
{t} Table DWH.FATO_VENDAS: 500000 Rows successfully loaded. 51 Rows not loaded due to data errors.
{t} Total logical records rejected: 51, discarded: 0
{t} dwh_load.sh: sqlldr ended with rc=8
"""

_EXTRACT_CARDS = """
{t} extract_cards.sh: JVM options -Xms2g -Xmx14g, host memory 16 GB
{t} INFO  CardExtract 5.12.0 starting, profile prod
{t} INFO  connected to CARDDB (read replica), lag 0.4 s
{t} WARN  replica lag 31 s, waiting
{t} INFO  replica lag 0.6 s, continuing
{t} INFO  clearing files found: VISA 1, MASTER 1, ELO 2; 0 errors in headers
54* {t} INFO  chunk {i:>3}: {n} transactions buffered
{t} WARN  GC overhead 71 %, heap 13.6 of 14.0 GB
{t} WARN  GC overhead 88 %, heap 13.9 of 14.0 GB
{t} extract_cards.sh: line 88: 24713 Killed                  java $JVM_OPTS -jar cardextract.jar
{t} kernel: oom-kill:constraint=CONSTRAINT_NONE,task=java,pid=24713,uid=1104
{t} kernel: Out of memory: Killed process 24713 (java) total-vm:19220412kB, anon-rss:15433920kB
{t} extract_cards.sh: java ended by signal 9, rc=137
{t} extract_cards.sh: temporary files kept in /var/tmp/cardextract.24713
"""

_SFTP_BACEN = """
{t} sftp_bacen.sh: envio do documento 3040 ao Banco Central
{t} INFO  arquivo SCR3040.zip, 18.442.113 bytes, hash conferido, 0 erros
{t} INFO  tentativa 1 de 3
{t} OpenSSH_9.6p1, OpenSSL 3.0.13
{t} debug1: Reading configuration data /home/batch_fin/.ssh/config
{t} debug1: Connecting to sta.bcb.example port 22.
{t} debug1: Connection established.
28* {t} debug1: kex negotiation step {i}, proposal {n}
{t} debug1: Server host key: ssh-ed25519 SHA256:kq0nU2m6cZb1, found in known_hosts
{t} debug1: Offering public key: /home/batch_fin/.ssh/id_bacen ED25519
{t} debug1: Authentications that can continue: publickey
{t} batch_fin@sta.bcb.example: Permission denied (publickey).
{t} Connection closed
{t} WARN  tentativa 2 de 3 em 30 s
{t} batch_fin@sta.bcb.example: Permission denied (publickey).
{t} WARN  tentativa 3 de 3 em 30 s
{t} batch_fin@sta.bcb.example: Permission denied (publickey).
{t} Connection closed
{t} ERRO  transmissão não efetuada, arquivo mantido em /dados/regulat/saida
{t} sftp_bacen.sh: sftp terminou com rc=255
"""

_POS_SETTLE = """
{t} pos_settle: settlement of stores 001-180, business day closed
{t} INFO  acquirers online: 4 of 4
{t} WARN  store 077 answered late, retried, OK
{t} INFO  work directory /var/pos/work (filesystem 120 GB, 97 % used)
60* {t} INFO  store {i:03}: {n} tickets settled, 0 errors
{t} WARN  store 061 checksum mismatch, file fetched again, OK
{t} pos_settle: write error on /var/pos/work/settle_061.tmp
{t} pos_settle: cannot append to /var/pos/work/settle_061.tmp: No space left on device
{t} ERROR settlement stopped after 60 of 180 stores, settled stores are committed
{t} df: /dev/mapper/vgpos-work 125829120 125829120 0 100% /var/pos/work
{t} pos_settle: exit 1
"""

_BKP_CATALOG = """
{t} jobman: launch request for the job received from batchman
{t} jobman: reading the job environment
48* {t} jobman: environment variable {i:>2} of 48 set, length {n}
{t} jobman: UNISON_EXEC_PATH, UNISON_SCHED and UNISON_JOBNUM set
{t} jobman: stdlist directory is writable, 0 errors
{t} jobman: WARNING ulimit nofile raised from 1024 to 4096
{t} jobman: looking up the user of the job
{t} AWSBHT001E The job could not be launched. The following gives more details of the error:
{t} AWSBDW002E The user ID "bkpcat" of the job is not valid on this workstation, or its logon is locked.
{t} jobman: no process was started
"""

_CERT_SYNC = """
{t} cert_sync.sh: inventory of certificates, 42 endpoints
{t} INFO  vault session opened, ttl 3600 s
{t} WARN  vault answered 429, retry in 2 s
{t} INFO  vault answered 200
41* {t} INFO  endpoint {i:>2} of 42: chain verified, serial {n}, 0 errors
{t} INFO  endpoint 42 of 42: https://pki.intra.example/v1/crl
{t} * TLSv1.3 (OUT), TLS handshake, Client hello (1)
{t} * TLSv1.3 (IN), TLS handshake, Certificate (11)
{t} * TLSv1.3 (OUT), TLS alert, certificate expired (557)
{t} * SSL certificate problem: certificate has expired
{t} curl: (60) SSL certificate problem: certificate has expired
{t} More details here: https://curl.se/docs/sslcerts.html
{t} ERROR CRL not refreshed, the previous list stays in force
{t} cert_sync.sh: ended with rc=60
"""

_BACKUP_CRM = """
{t} backup_db.sh: banco CRMPRD, destino /backup/crm, modo full
{t} INFO  snapshot criado, 0 erros
{t} WARN  canal 2 reiniciado, retomado com sucesso
52* {t} INFO  datafile {i:>2} de 53 copiado, {n} blocos
{t} tar: /u02/crm/arch/redo_8841.arc: file changed as we read it
{t} tar: Exiting with failure status due to previous errors
{t} ERRO  conjunto de backup incompleto, marcado como inválido
{t} backup_db.sh: código de retorno 2
"""

FAULTS: dict[str, Fault] = {
    "PAYDAILY.PAYROLL": Fault(return_code=8, minutes=13, script=_PAYROLL, heals=True),
    "CONTABIL.APURACAO": Fault(return_code=12, minutes=11, script=_APURACAO),
    "DWHNIGHT.DWH_LOAD": Fault(return_code=8, minutes=17, script=_DWH_LOAD),
    "CARDS.EXTRACT_CARDS": Fault(return_code=137, minutes=14, script=_EXTRACT_CARDS),
    "REGULAT.SFTP_BACEN": Fault(return_code=255, minutes=2, script=_SFTP_BACEN),
    "POSCLOSE.POS_SETTLE": Fault(return_code=1, minutes=9, script=_POS_SETTLE, heals=True),
    "BACKUP.BKP_CATALOG": Fault(return_code=None, minutes=0, script=_BKP_CATALOG, is_launched=False),
    "SECOPS.CERT_SYNC": Fault(return_code=60, minutes=3, script=_CERT_SYNC),
    "BKPCRM.BACKUP_DB": Fault(return_code=2, minutes=19, script=_BACKUP_CRM, heals=True),
}
"""By `STREAM.JOB`."""
