"""Pairs of questions: those that must never share an answer, and those that a person would ask for the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

_NAMES = (
    ("PAYROLL", "PAYROL1"),
    ("PAYROLL", "PAYROLLS"),
    ("BACKUP_DB", "BACKUP_DC"),
    ("AGT01#PAYDAILY.PAYROLL", "AGT01#PAYDAILY.PAYROL"),
    ("AWSBDW002E", "AWSBDW002W"),
    ("AWSBHT001E", "AWSBHT010E"),
    ("ORA-01653", "ORA-01652"),
    ("payroll", "payrol"),
    ("folha_pgto", "folha_pgt0"),
    ("localopts", "localopt"),
    ("-threads", "-thread"),
    ("--all", "-all"),
    ("mm retry link", "mm retrylink"),
    ("bm check file", "bm check status"),
    ("JnextPlan", "JnextPlans"),
    ("RC 8", "RC 12"),
    ("rc=4", "rc=-4"),
)
_ABOUT = (
    "what does {} mean?",
    "how do I fix {}?",
    "where is {} documented?",
    "why does {} appear?",
    "who owns {}?",
    "o que significa {}?",
    "como eu resolvo {}?",
    "onde fica {}?",
    "por que aparece {}?",
    "what is {} on the job stream ACCOUNTS?",
)
_OPPOSITES = (
    ("hold", "release"),
    ("start", "stop"),
    ("link", "unlink"),
    ("cancel", "rerun"),
    ("enable", "disable"),
    ("add", "remove"),
    ("open", "close"),
    ("increase", "decrease"),
    ("install", "uninstall"),
    ("lock", "unlock"),
    ("allow", "deny"),
    ("import", "export"),
    ("upgrade", "downgrade"),
    ("save", "restore"),
    ("submit", "cancel"),
    ("kill", "restart"),
    ("segurar", "liberar"),
    ("iniciar", "parar"),
    ("vincular", "desvincular"),
    ("cancelar", "reexecutar"),
    ("habilitar", "desabilitar"),
    ("adicionar", "remover"),
    ("abrir", "fechar"),
    ("aumentar", "diminuir"),
    ("instalar", "desinstalar"),
    ("bloquear", "desbloquear"),
    ("importar", "exportar"),
    ("hold", "liberar"),
    ("start", "parar"),
    ("cancelar", "rerun"),
)
_DOING = (
    "how do I {} a job stream?",
    "how to {} the agent AGT01",
    "steps to {} a workstation",
    "can I {} PAYROLL during the night?",
    "what happens when I {} a job in the plan?",
    "como faço para {} um job?",
    "como {} a estação AGT01?",
    "posso {} o PAYROLL agora?",
    "passos para {} o agente",
)
_NEGATED = (
    ("can I rerun {}?", "can I not rerun {}?"),
    ("should {} be rerun?", "shouldn't {} be rerun?"),
    ("when does {} run?", "when does {} never run?"),
    ("how do I run {} with the agent?", "how do I run {} without the agent?"),
    ("which jobs use {}?", "which jobs don't use {}?"),
    ("posso reexecutar o {}?", "não posso reexecutar o {}?"),
    ("o {} roda com o calendário?", "o {} roda sem o calendário?"),
    ("quando o {} roda?", "quando o {} nunca roda?"),
    ("why is {} linked?", "why is {} not linked?"),
    ("o que fazer se o {} falhou?", "o que fazer se o {} não falhou?"),
)
_OBJECTS = (
    "PAYROLL",
    "BACKUP_DB",
    "AGT01",
    "FECHAMENTO",
    "SFTP_BACEN",
    "localopts",
    "EXTRACT_CARDS",
    "JnextPlan",
)
_VALUES = (
    ("at 10:30", "at 10:03"),
    ("on 2024-05-01", "on 2024-05-10"),
    ("em 01/05", "em 05/01"),
    ("after 15 minutes", "after 50 minutes"),
    ("version 9.5", "version 10.2"),
    ("in January", "in June"),
    ("on Monday", "on Tuesday"),
    ("na segunda", "na terça"),
    ("with priority 10", "with priority 101"),
    ("before the backup", "after the backup"),
    ("antes do backup", "depois do backup"),
    ("on Windows", "on Linux"),
    ("at least", "at most"),
    ("first", "last"),
)
_SWAPPED = (
    ("does A_JOB run before B_JOB?", "does B_JOB run before A_JOB?"),
    ("how do I move a job from AGT01 to AGT02?", "how do I move a job from AGT02 to AGT01?"),
    ("como copio do servidor X1 para o X2?", "como copio do servidor X2 para o X1?"),
    ("convert a file to a table", "convert a table to a file"),
    ("link from the agent to the master", "link from the master to the agent"),
    ("what is a job?", "what is a job stream?"),
    ("what is a job stream?", "what is a workstation?"),
    ("how do I delete a job?", "how do I delete a job stream?"),
    ("what is the default of limit?", "what is the maximum of limit?"),
    ("why did PAYROLL fail?", "when did PAYROLL fail?"),
    ("who starts PAYROLL?", "when does PAYROLL start?"),
    ("what is AWSBDW002E?", "how do I fix AWSBDW002E?"),
    ("must I rerun PAYROLL?", "may I rerun PAYROLL?"),
    ("devo reexecutar o PAYROLL?", "posso reexecutar o PAYROLL?"),
)

PARAPHRASES = (
    ("how do I restart the agent?", "how can I restart the agent", "what are the steps to restart an agent?"),
    (
        "what does AWSBDW002E mean?",
        "what is AWSBDW002E?",
        "explain AWSBDW002E please",
        "meaning of AWSBDW002E",
    ),
    ("how to release a held job?", "how do I release a job that is held?", "procedure to release a held job"),
    ("where is localopts?", "where do I find localopts", "where can I find the file localopts?"),
    (
        "what should I do about ORA-01653?",
        "what to do with ORA-01653?",
        "how do I handle ORA-01653",
        "what now with ORA-01653",
    ),
    ("how do I increase the job limit of a workstation?", "how can I raise the job limit on a workstation?"),
    ("what is the default of mm retrylink?", "default value of mm retrylink", "mm retrylink default?"),
    ("who do I call when PAYROLL fails?", "who should I call if PAYROLL failed?"),
    ("how many times may I rerun a job?", "how often can I rerun a job?"),
    ("why is AGT_POS02 unlinked?", "what is the reason that AGT_POS02 is unlinked?"),
    ("can I rerun PAYROLL after the backup?", "is it possible to rerun PAYROLL after the backup?"),
    (
        "how do I change the password of the user?",
        "steps to change a user's password",
        "how to modify user password",
    ),
    (
        "how do I stop the plan extension?",
        "how can I stop plan extension?",
        "how to stop extending the plan?",
    ),
    ("what is a job stream?", "define job stream", "what does job stream mean?"),
    (
        "how do I export the calendar definitions?",
        "how to export calendar definitions",
        "export of calendar definitions",
    ),
    (
        "como reinicio o agente?",
        "como faço para reiniciar o agente?",
        "quais os passos para reiniciar o agente",
    ),
    ("o que significa AWSBDW002E?", "o que é AWSBDW002E", "o que quer dizer AWSBDW002E?"),
    ("como liberar um job segurado?", "como eu libero um job retido?"),
    ("o que eu faço com ORA-01653?", "o que fazer com o ORA-01653", "como resolver ORA-01653?"),
    ("onde fica o localopts?", "onde está o arquivo localopts?"),
    ("qual o valor default do mm retrylink?", "qual é o default do mm retrylink"),
    ("quem eu aciono se o PAYROLL falhar?", "quem devo chamar quando o PAYROLL falha?"),
    ("como aumento o limite de jobs da estação?", "como faço para aumentar o limite de jobs de uma estação?"),
    ("posso reexecutar o PAYROLL agora?", "é possível reexecutar o PAYROLL?"),
    ("por que a AGT_POS02 está desconectada?", "qual o motivo da AGT_POS02 estar desconectada?"),
    ("como mudo a senha do usuário?", "como alterar a senha de um usuário"),
)
"""Groups of questions that one answer serves; the lists of words were made with these in sight."""

UNSEEN_PARAPHRASES = (
    (
        "how do I cancel a job stream?",
        "what's the way to cancel a job stream",
        "how can one cancel a job stream?",
    ),
    ("what is the meaning of AWSJPL704E?", "AWSJPL704E meaning", "what does message AWSJPL704E mean?"),
    ("how do I raise the priority of a job?", "how to increase job priority"),
    ("where can I see the log of a job?", "where do I see a job's log?"),
    ("why does JnextPlan fail?", "what causes JnextPlan to fail?", "reason for JnextPlan failing"),
    ("is it allowed to kill EXTRACT_CARDS?", "may I kill EXTRACT_CARDS?"),
    ("steps for unlinking a workstation", "how do I unlink a workstation?"),
    ("who is on call for SFTP_BACEN?", "whom do I call for SFTP_BACEN?"),
    ("how do I add a resource?", "how do I create a new resource?", "how to define a resource"),
    ("what happens when a prompt is not answered?", "what happens if nobody answers the prompt?"),
    ("which option controls the retention of logs?", "what parameter controls log retention?"),
    ("explain what a calendar is", "what is a calendar?", "calendar definition"),
    (
        "how do I upgrade the dynamic agent?",
        "procedure for upgrading the dynamic agent",
        "dynamic agent upgrade: how?",
    ),
    ("how do I save the plan to a file?", "how can I save the plan in a file?"),
    ("when is the plan extended?", "at what time is the plan extended?"),
    (
        "como cancelo uma job stream?",
        "como faço pra cancelar a job stream?",
        "de que jeito eu cancelo uma job stream?",
    ),
    ("o que significa o AWSJPL704E?", "AWSJPL704E, o que é?", "me explica o AWSJPL704E"),
    ("como subo a prioridade de um job?", "como aumentar a prioridade do job?"),
    ("onde vejo o log do job?", "onde eu posso ver o log de um job?"),
    ("por que o JnextPlan falha?", "qual a causa da falha do JnextPlan?"),
    ("posso matar o EXTRACT_CARDS?", "é permitido matar o EXTRACT_CARDS?"),
    ("passos para desvincular uma estação", "como desvinculo a estação?"),
    ("quem é o plantão do SFTP_BACEN?", "quem está de plantão para o SFTP_BACEN?"),
    ("como crio um recurso novo?", "como adicionar um recurso?"),
    ("o que acontece se o prompt não for respondido?", "o que acontece quando ninguém responde o prompt?"),
    ("qual parâmetro controla a retenção dos logs?", "que opção controla a retenção de logs?"),
    ("o que é um calendário?", "me explique o que é calendário", "definição de calendário"),
    ("como atualizo o agente dinâmico?", "qual o procedimento para atualizar o agente dinâmico?"),
    ("quando o plano é estendido?", "a que horas o plano é estendido?"),
    ("qual é a porta do agente?", "que porta o agente usa?"),
)
"""The same, written afterwards; no word was added for them."""


def hostile_pairs() -> Iterator[tuple[str, str]]:
    """Two questions that are near in words and need different answers; well over a thousand."""
    for (one, other), question in product(_NAMES, _ABOUT):
        yield question.format(one), question.format(other)
    for (one, other), question in product(_OPPOSITES, _DOING):
        yield question.format(one), question.format(other)
    for (said, denied), name in product(_NEGATED, _OBJECTS):
        yield said.format(name), denied.format(name)
    for (one, other), name in product(_VALUES, _OBJECTS):
        yield f"what happens to {name} {one}?", f"what happens to {name} {other}?"
        yield f"o que acontece com {name} {one}?", f"o que acontece com {name} {other}?"
    for one, other in combinations(_OBJECTS, 2):
        for question in _ABOUT:
            yield question.format(one), question.format(other)
    yield from _SWAPPED
