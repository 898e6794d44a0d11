"""Questions of operators with the demo runbook that has to come first, and questions without an answer."""

from __future__ import annotations

from pathlib import Path

ANSWERABLE = {
    "por que o job PAYROLL falhou?": "payroll.md",
    "why did job PAYROLL end in ABEND?": "payroll.md",
    "posso reexecutar o PAYROLL agora?": "payroll.md",
    "what does ORA-1653 on PAY_DATA mean": "payroll.md",
    "tablespace cheia na folha, o que eu faço": "payroll.md",
    "o que é CTB0042E?": "apuracao-fechamento.md",
    "why is FECHAMENTO not starting?": "apuracao-fechamento.md",
    "por que o FECHAMENTO não inicia": "apuracao-fechamento.md",
    "the trailer count of LANCTOS does not match": "apuracao-fechamento.md",
    "DWH_LOAD deu erro, posso rodar de novo?": "dwh-load.md",
    "SQL*Loader rejected rows limit exceeded": "dwh-load.md",
    "registros rejeitados na carga do data warehouse": "dwh-load.md",
    "EXTRACT_CARDS killed rc=137": "extract-cards.md",
    "job de cartões morreu por falta de memória": "extract-cards.md",
    "SFTP_BACEN permission denied publickey, whom do I call?": "sftp-bacen.md",
    "chave recusada no envio ao banco central": "sftp-bacen.md",
    "POS_SETTLE no space left on device": "pos-settle.md",
    "disco cheio na liquidação das lojas": "pos-settle.md",
    "AWSBDW002E": "bkp-catalog.md",
    "BKP_CATALOG em FAIL, usuário inválido": "bkp-catalog.md",
    "why could BKP_CATALOG not be launched": "bkp-catalog.md",
    "curl 60 certificate has expired": "cert-sync.md",
    "certificado vencido no CERT_SYNC": "cert-sync.md",
    "BACKUP_DB do BKPCRM terminou com código de retorno 2": "backup-db.md",
    "tar: file changed as we read it": "backup-db.md",
    "AGT_POS02 is unlinked, what now?": "workstation-unlinked.md",
    "a estação AGT_POS02 está desconectada": "workstation-unlinked.md",
    "jobs em READY e o limite da estação é 0": "esperando.md",
    "the workstation has job limit 0": "esperando.md",
    "BACKUP_MAILBOX espera o recurso FITALTO": "esperando.md",
    "who answers the prompt of LIBERA_REMESSA?": "esperando.md",
    "RETBANCO is waiting for a file": "esperando.md",
    "how many times may I rerun a job in one night?": "rerun-and-escalation.md",
    "qual é a política de reexecução?": "rerun-and-escalation.md",
    "quem eu aciono se ninguém responde em 15 minutos?": "rerun-and-escalation.md",
}
"""File name of the runbook by question."""

UNANSWERABLE = (
    "xyzzy plugh frobnicate",
    "qual a receita de bolo de chocolate?",
    "book a meeting room for 3pm tomorrow",
    "como reseto minha senha do e-mail corporativo?",
    "who won the world cup in 1994?",
    "what does message AWSBHU999E mean?",
    "por que o job INEXISTENTE_X9 falhou?",
    "?",
    "",
)
"""Nothing in the demo runbooks answers these."""

UNRELATED = tuple(
    line.split("\t")[2]
    for line in Path(__file__).with_name("unanswerable.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("live")
)
"""Other subjects, and products that documents about TWS do not name; the confidence was fitted on all of the file."""
