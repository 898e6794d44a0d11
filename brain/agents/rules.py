"""What sentences mean: a table of patterns in both languages, the first that fits is taken. No logic.

The pattern language is that of `patterns`, the parts in braces are those of `vocabulary`. In a line `<n>` stands
for a name, `<m>` for a message id and `<c>` for a return code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .vocabulary import Kind, Topic

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A sentence pattern and what it means; the first rule that fits is taken."""

    pattern: str
    kind: Kind
    topic: Topic | None = None
    needs: Literal["", "subject", "no_subject", "no_name"] = ""
    """Whether a job or stream must (not) be spoken of; `no_name` lets unknown lower-case words pass."""


_WHOLE = (
    "(plan|plano|batch|night|noite|madrugada|everything|tudo|things|coisas|processing|processamento|production|"
    "producao|schedule|agenda|situation|situacao geral|ambiente|environment|jobs|geral)"
)

RULES = (
    Rule(
        pattern="^[please] (help|ajuda|socorro|me ajuda|me ajude|help me|comandos|commands|menu) [por favor|please] $",
        kind="help",
    ),
    Rule(pattern="(what|how) can you (do|help)", kind="help"),
    Rule(pattern="what do you do", kind="help"),
    Rule(
        pattern="(o que|que|como) [e que] (voce|vc|tu) (faz|sabe|pode|consegue|funciona|ajuda)", kind="help"
    ),
    Rule(pattern="(como|how) (te|to|do i) (uso|usar|use you|use this)", kind="help"),
    # What cannot be done here.
    Rule(
        pattern="^[{polite}] (kill|killed|abort|terminate|stop|submit|confirm|delete|remove|add|create|change|mata|mate|matar|aborta|aborte|abortar|parar|pare|submeta|submeter|confirma|confirme|confirmar|apaga|apague|apagar|exclui|exclua|excluir|altera|altere|alterar|criar|crie|cria)",
        kind="unknown",
    ),
    # Knowledge: what something means, how something is done.
    Rule(
        pattern="(mean|means|meaning|stand for|stands for|significa|significam|significado|quer dizer)",
        kind="knowledge",
    ),
    Rule(pattern="{why} ... (happen|happens|ocorre|acontece) ... (<m>|<c>)", kind="knowledge"),
    Rule(pattern="^[{polite}] (how (do|can|should|would|could|does|to)|howto)", kind="knowledge"),
    Rule(
        pattern="^[{polite}] como (faco|fazer|faz|se faz|fazemos|eu|se|posso|podemos|devo|devemos|a gente|proceder|"
        "funciona|funcionam|resolver|resolvo|corrigir|corrijo|tratar|{infinitive})",
        kind="knowledge",
    ),
    Rule(
        pattern="(procedure|procedures|procedimento|procedimentos|runbook|runbooks|steps|passos|instructions|"
        "instrucoes|passo a passo|documentation|documentacao|manual|playbook|qual o processo)",
        kind="knowledge",
    ),
    Rule(
        pattern="(explain|explains|explica|explique|explicar|what is a|what is an|what are|definition of|difference between|"
        "diferenca entre|o que e [um|uma]|o que sao|para que serve|pra que serve|what to do|what should i do|"
        "o que fazer|o que eu faco|o que devo fazer|como resolver)",
        kind="knowledge",
        needs="no_name",
    ),
    Rule(pattern="release (notes|note)", kind="knowledge"),
    # Why something has not started.
    Rule(
        pattern="{what} ({job}|{stream}) ... {not} ... {start}",
        kind="status",
        topic="waiting",
        needs="no_name",
    ),
    Rule(pattern="{why} ... {not} ... {start}", kind="not_started"),
    Rule(pattern="{why} ... {wait}", kind="not_started"),
    Rule(
        pattern="what ... (waiting for|wait for|waiting on|blocking|blocks|holding|stopping|keeping|delaying|preventing)",
        kind="not_started",
    ),
    Rule(
        pattern="(o que|oque|quem|que) ... (segurando|bloqueando|bloqueia|travando|trava|impedindo|impede|prendendo|prende)",
        kind="not_started",
    ),
    Rule(
        pattern="(o que|oque|quem|que) ... (esperando|aguardando|espera|aguarda)",
        kind="not_started",
        needs="subject",
    ),
    Rule(pattern="{not} ... {start}", kind="not_started", needs="subject"),
    # What went wrong with one job.
    Rule(
        pattern="(what happened|o que houve|o que aconteceu|o que rolou|o que teve) ... {time}",
        kind="status",
        topic="summary",
        needs="no_subject",
    ),
    Rule(pattern="{why} ... {fail}", kind="diagnosis"),
    Rule(
        pattern="(what happened|what went wrong|whats wrong|what is wrong|what broke|whats the (problem|error|issue|matter)|"
        "what [is|was] the (problem|error|issue|matter)|o que houve|o que aconteceu|o que ocorreu|o que rolou|o que deu|"
        "o que ha com|o que tem|qual [e|foi|era] [o] (erro|problema|defeito))",
        kind="diagnosis",
        needs="subject",
    ),
    Rule(
        pattern="(what happened|what went wrong|o que houve|o que aconteceu|o que ocorreu|o que deu errado)",
        kind="diagnosis",
    ),
    Rule(
        pattern="(diagnose|diagnosis|diagnostico|diagnostica|diagnostique|diagnosticar|analyse|analyze|analysis|analise|"
        "analisa|analisar|investigate|investiga|investigue|investigar|troubleshoot)",
        kind="diagnosis",
    ),
    Rule(
        pattern="(cause|causa|caused|causou|reason|motivo|razao|log|logs|joblog|stdlist|saida|output)",
        kind="diagnosis",
        needs="subject",
    ),
    # What is going on in general.
    Rule(pattern="{what} ... {failed}", kind="status", topic="failed", needs="no_name"),
    Rule(pattern="did ... {fail}", kind="status", topic="failed", needs="no_subject"),
    Rule(
        pattern="(failed|abended|broken|falhos|falhados|abendados) ({job}|{stream})",
        kind="status",
        topic="failed",
        needs="no_name",
    ),
    Rule(
        pattern="({job}|^ ...) (em|com|in|with|on) [status|estado] (erro|erros|error|errors|abend|falha|falhas|problema|problemas)",
        kind="status",
        topic="failed",
        needs="no_name",
    ),
    Rule(
        pattern="^[{what}] [os|as|the|todas as|todos os|all] [recent|ultimas|ultimos] (failures|errors|abends|falhas|erros|problemas|problems)",
        kind="status",
        topic="failed",
        needs="no_name",
    ),
    Rule(
        pattern="(late|delayed|overdue|behind|atrasado|atrasada|atrasados|atrasadas|atraso|atrasos|delays|fora do prazo)",
        kind="status",
        topic="late",
        needs="no_name",
    ),
    Rule(
        pattern="({what}|{job}|{stream}) ... (on hold|held|em hold|retido|retidos|retida|retidas|segurado|segurados|presos|"
        "suspensos)",
        kind="status",
        topic="held",
        needs="no_name",
    ),
    Rule(pattern="(held|on hold|em hold) {job}", kind="status", topic="held", needs="no_name"),
    Rule(
        pattern="({what}|{job}) ... (waiting|queued|pending|esperando|aguardando|pendente|pendentes|na fila|em espera|ready)",
        kind="status",
        topic="waiting",
        needs="no_name",
    ),
    Rule(pattern="(waiting|pending) {job}", kind="status", topic="waiting", needs="no_name"),
    Rule(
        pattern="({what}|{job}|{stream}) ... (running|executing|active|rodando|executando|em execucao|ativos|em andamento|roda)",
        kind="status",
        topic="running",
        needs="no_name",
    ),
    Rule(pattern="running {job}", kind="status", topic="running", needs="no_name"),
    Rule(
        pattern="({what}|^|status|how|state|como|health|estado|situacao|all|the) ... (workstations|agents|cpus|agentes|estacoes)",
        kind="status",
        topic="workstations",
        needs="no_name",
    ),
    Rule(
        pattern="({what}|status) ... {station} ... (down|up|offline|online|unlinked|linked|fora|desconectad*)",
        kind="status",
        topic="workstations",
        needs="no_name",
    ),
    Rule(
        pattern="({what}|^|status|how|state|como|estado|situacao|all) ... (job streams|jobstreams|streams|schedules|malhas|fluxos|grades)",
        kind="status",
        topic="job_streams",
        needs="no_name",
    ),
    Rule(
        pattern="(status|state|summary|overview|resumo|situacao|estado|panorama|visao geral|report|relatorio|how [is|are|was|were|did]|"
        "hows|como (esta|estao|ta|foi|vai|anda|andam|correu)) ... " + _WHOLE,
        kind="status",
        topic="summary",
        needs="no_subject",
    ),
    Rule(
        pattern="^[{polite}] [qual] [give me|me da|me de|show] [o|a|the] (status|summary|overview|resumo|situacao|panorama|"
        "visao geral) [geral|atual|{time}] $",
        kind="status",
        topic="summary",
    ),
    Rule(
        pattern="(how are we doing|hows it going|how is it going|whats going on|what is going on|como estamos|como vao as coisas|"
        "o que esta acontecendo|ta tudo bem|esta tudo bem|tudo certo|is everything ok|everything ok)",
        kind="status",
        topic="summary",
        needs="no_subject",
    ),
    Rule(
        pattern="(down|offline|unlinked|fora do ar|fora|desconectado|desconectada)",
        kind="status",
        topic="workstations",
    ),
    Rule(
        pattern=_WHOLE + " ... ({finish}|doing|going|fazendo|indo|foi)",
        kind="status",
        topic="summary",
        needs="no_subject",
    ),
    Rule(pattern="^{why} [not|nao] $", kind="diagnosis"),
    # One job.
    Rule(pattern="{why}", kind="diagnosis", needs="subject"),
    Rule(pattern="^(did|has|have|is|was|were|does|will|are) ...", kind="status", needs="subject"),
    Rule(pattern="{failed}", kind="diagnosis", needs="subject"),
    Rule(
        pattern="(status|state|situacao|estado|progress|andamento|progresso|how is|hows|how are|how did|como (esta|ta|vai|anda|foi|"
        "estao|andam)|eta)",
        kind="status",
        needs="subject",
    ),
    Rule(
        pattern="(when|quando|que horas|a que horas|what time|ja|ainda|still|already) ... ({start}|{finish}|executando)",
        kind="status",
        needs="subject",
    ),
    Rule(pattern="({start}|{finish}|executando)", kind="status", needs="subject"),
    Rule(
        pattern="(cancelled|canceled|released|held|reran|cancelado|cancelada|liberado|liberada|retido|retida|segurado|"
        "segurada|reprocessado|reprocessada)",
        kind="status",
        needs="subject",
    ),
    # Small talk.
    Rule(
        pattern="^({greeting}|there|todos|pessoal|all|everyone|team|time|thanks|thank you|obrigado|obrigada|valeu|tudo bem|"
        "how are you|como vai) [resync|bot|there|all|everyone|tudo bem|pessoal|team|a todos|how are you|very much|muito] "
        "[{greeting}] $",
        kind="greeting",
    ),
    # Whatever else is asked may stand in a document.
    Rule(
        pattern="^[{polite}] (what|whats|where|when|which|who|how|is there|are there|does|can|why|o que|oque|onde|como|quando|qual|quais|quem|por que|"
        "porque|pq|existe|tem|ha|tell me about|me fale|fale sobre)",
        kind="knowledge",
        needs="no_name",
    ),
)
