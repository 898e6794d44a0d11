"""The parts of sentences that the grammar knows, in both languages: tables, no logic.

The pattern language is that of `patterns`. In a line `<n>` stands for a name, `<m>` for a message id and `<c>`
for a return code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "ASKING",
    "COMMANDS",
    "CONDITIONAL",
    "HYPOTHETICAL",
    "IMPERATIVES",
    "MENTIONS",
    "PARTS",
    "POLITE",
    "QUALIFIERS",
    "QUESTION",
    "REASONS",
    "ROLES",
    "Action",
    "Command",
    "Kind",
    "Role",
    "Topic",
]

Kind: TypeAlias = Literal[
    "diagnosis", "not_started", "status", "knowledge", "action", "help", "greeting", "unknown"
]
Action: TypeAlias = Literal["rerun", "hold", "release", "cancel"]
Topic: TypeAlias = Literal[
    "failed", "running", "late", "waiting", "held", "summary", "workstations", "job_streams"
]
Role: TypeAlias = Literal["job", "job_stream", "workstation", "of_stream", "in_stream", "on_workstation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A conman command that people type into the chat."""

    names: str
    """Its names and abbreviations."""
    level: Literal["job", "job_stream", "workstation"]
    """What its selection names when that is a single word."""
    kind: Kind
    topic: Topic | None = None
    action: Action | None = None
    argument: str = ""
    """What must follow the selection, such as the `;0` that makes a priority change a hold."""


PARTS: dict[str, str] = {
    "why": "(why|whys|how come|por que|porque|pq|por qual motivo|por qual razao|qual o motivo|qual foi o motivo)",
    "what": "(what|whats|which|who|how many|any|anything|is there|are there|list|show [me]|give me|tell me|"
    "o que|oque|que|qual|quais|quem|quantos|quantas|algum|alguma|alguns|algo|ha|existe|existem|tem|teve|"
    "liste|lista|listar|mostra|mostre|mostrar|ver|me mostra|me mostre|me diga)",
    "be": "(is|are|was|were|has|have|had|did|do|does|got|still|already|currently|right now|now|"
    "esta|estao|ta|tao|estava|estavam|foi|foram|ja|ainda|que|deu|deram|agora)",
    "job": "(job|jobs|tarefa|tarefas|rotina|rotinas|processo|processos|process|processes)",
    "stream": "(job stream|job streams|jobstream|jobstreams|stream|streams|schedule|schedules|malha|malhas|"
    "fluxo|fluxos|grade|grades)",
    "station": "(workstation|workstations|agent|agents|cpu|cpus|agente|agentes|estacao|estacoes)",
    "not": "(not|dont|didnt|doesnt|hasnt|havent|isnt|arent|wont|wasnt|cant|never|nao|nunca|nem)",
    "start": "(start|started|starting|starts|begin|begun|began|run|running|runs|ran|launch|launched|execute|"
    "executed|kick off|kicked off|comecar|comecou|comecaram|comeca|iniciar|iniciou|iniciaram|inicia|rodar|"
    "rodou|rodaram|roda|rodando|partir|partiu|entrar|entrou|entraram|executar|executou|executaram|disparar|"
    "disparou|subiu)",
    "wait": "(waiting|wait|stuck|blocked|queued|pending|held|hold|frozen|idle|parado|parada|parados|esperando|"
    "aguardando|espera|preso|presa|presos|travado|travada|bloqueado|bloqueada|retido|retida|segurado|segurada|"
    "fila|pendente|hold)",
    "fail": "(fail|failed|fails|failing|failure|abend|abended|abends|abending|error|errors|errored|crash|crashed|"
    "crashing|break|broke|broken|die|died|stopped|blew|falhou|falha|falhar|falharam|falhando|abendou|abendar|"
    "abendaram|abenda|erro|erros|quebrou|quebra|quebrar|quebraram|caiu|cai|cair|cairam|morreu|parou|deu ruim|"
    "deu pau|deu problema|deu errado|problema)",
    "failed": "(failed|abended|errored|crashed|broke|died|gone wrong|went wrong|falhou|falharam|abendou|abendaram|"
    "quebrou|quebraram|caiu|cairam|morreu|deu erro|deram erro|deu pau|deu ruim|deu problema|deu errado)",
    "time": "(tonight|today|last night|yesterday|this morning|overnight|so far|hoje|ontem|esta noite|essa noite|"
    "nesta noite|nessa noite|a noite|de noite|na noite|ate agora|madrugada)",
    "finish": "(finish|finished|finishes|done|complete|completed|completes|end|ended|ends|terminou|terminar|"
    "termina|terminaram|acabou|acabar|acaba|finalizou|finalizar|finaliza|concluiu|concluir|concluido)",
}

IMPERATIVES: Mapping[Action, str] = {
    "rerun": "(rerun|re run|re-run|restart|retry|resubmit|relaunch|reprocess|re-execute|reexecute|"
    "(run|start|execute|launch|submit) ... again|"
    "reprocessar|reprocesse|reprocessa|reprocessem|reexecutar|reexecuta|re-executar|rerodar|reroda|rerode|"
    "reiniciar|reinicie|reinicia|relancar|relance|relanca|ressubmeter|ressubmeta|ressubmete|"
    "(rodar|roda|rode|rodem|executar|executa|processar|processe|processa|iniciar|inicie|inicia|lancar|lance|submeter|submeta) ... "
    "(de novo|denovo|novamente|outra vez|mais uma vez)|"
    "(dar|da|fazer|faz|faca) [um|o] (rerun|restart)|{order} (reprocessamento|reexecucao|rerun))",
    "hold": "(hold|(put|place|set) ... on hold|"
    "segurar|segure|segura|segurem|reter|retenha|retem|prender|prenda|prende|suspender|suspenda|"
    "(colocar|coloque|coloca|por|ponha|poe|deixar|deixe|deixa|botar|bote|bota) ... em (hold|espera)|{order} retencao)",
    "release": "(release|unhold|(take|remove) ... (off|from) hold|(undo|remove|lift|clear|remover|remova|tirar|tire|tira) [the|o] hold|"
    "liberar|libere|libera|liberem|soltar|solte|solta|desprender|desprenda|"
    "(tirar|tire|tira|remover|remova) ... (do|de|da) (hold|espera)|{order} liberacao)",
    "cancel": "(cancel|cancelar|cancele|cancela|cancelem|{order} cancelamento)",
}
"""How somebody tells another to do it; the infinitive is how Portuguese asks politely."""

MENTIONS: Mapping[Action, str] = {
    "rerun": "({rerun}|rerunning|restarting|restarted|reran|reprocessado|reprocessada|reprocessando|reexecutado|reexecutada)",
    "hold": "({hold}|holding|held|segurado|segurada|segurando|retido|retida)",
    "release": "({release}|releasing|released|liberado|liberada|liberando)",
    "cancel": "({cancel}|cancelling|canceling|cancelled|canceled|cancellation|cancelado|cancelada|cancelando|cancelamento)",
}
"""Any form in which the action is spoken of."""

PARTS |= {str(action): pattern for action, pattern in IMPERATIVES.items()}
PARTS |= {
    "greeting": "(hi|hello|hey|good morning|good afternoon|good evening|oi|ola|opa|bom dia|boa tarde|boa noite)",
    "polite": "({greeting}|please|pls|plz|kindly|resync|@resync|bot|ok|okay|now|just|also|so|well|then|yes|sure|urgent|go ahead|"
    "go|lets|let us|do|por favor|favor|pfv|por gentileza|entao|agora|ja|sim|tambem|pessoal|urgente)",
    "order": "((solicito|peco|request|requesting|solicitamos|preciso de|preciso do|providenciar) [o|a|um|uma|the])",
    "infinitive": "(reprocessar|reexecutar|rerodar|reiniciar|rodar|executar|segurar|reter|prender|liberar|soltar|cancelar|"
    "colocar|tirar|relancar|ressubmeter|submeter|criar|configurar|ver|parar|alterar|mudar|consultar)",
}

POLITE = "{polite}"
ASKING = (
    "((can|could|would|will) (you|we|u)|(i|we) (want|need|would like|d like|have) [you] to|id like [you] to|id like|you (can|may|should|must|need to)|"
    "i am asking you to|[you] (pode|poderia|podem|consegue|podes|podia) [me]|(voce|vc) (pode|poderia|consegue|podia)|podemos|vamos|tem como|da para|da pra|"
    "[eu] (preciso|precisamos|quero|queremos|queria|gostaria|gostariamos|necessito|solicito|peco) [de|que] [voce]|"
    "precisa|e para|e pra|para|pra|favor)"
)
"""What makes even a question a request."""

QUESTION = (
    "^[{polite}] (what|whats|why|how|when|where|who|which|is|are|was|were|did|does|has|have|do i|do we|should|o que|oque|por que|pq|"
    "como|quando|onde|quem|qual|quais|sera|devo|deveria|explain|explique|explica)"
)

HYPOTHETICAL = (
    "(what if|what (happens|would|will)|if (i|we|you|one|somebody)|(should|can|may|could|shall|must) i|should we|do (i|we) (need|have) to|"
    "is it|safe to|impact|consequence|consequences|effect|effects|risk|risks|"
    "e se|o que (acontece|aconteceria|acontecera|ocorre|ocorreria|muda)|se (eu|nos|a gente|voce|alguem)|caso (eu|nos|a gente)|"
    "posso|devo|devemos|deveria|deveriamos|sera que|e seguro|e possivel|e arriscado|tem (problema|risco|perigo)|ha (problema|risco)|"
    "vale a pena|convem|impacto|impactos|consequencia|consequencias|efeito|efeitos|risco|riscos|eu poderia|eu posso)"
)

CONDITIONAL = "(if|when|unless|once (it|the|this)|se|caso|quando|assim que|a menos que)"
"""A change on a condition cannot be promised."""

REASONS = (
    "(because|since|reason|due to|porque|pois|pq|motivo|ja que|visto que|uma vez que|por causa|devido a)"
)

ROLES: Mapping[Role, str] = {
    "job_stream": "({stream}|(jobs|tarefas|rotinas) [{be}] (of|in|from|do|da|de|no|na|em))",
    "workstation": "{station}",
    "of_stream": "(of|of the|do|da|de)",
    "in_stream": "(in|in the|from|within|inside)",
    "on_workstation": "(on|at|no|na|em)",
    "job": "{job}",
}
"""What stands beside a name and tells what it names.

The prepositions tell less: `of` a stream only beside a job, `in` and `on` a place only in questions about many jobs.
"""

COMMANDS = (
    Command(names="sj|showj|showjob|showjobs", level="job", kind="status"),
    Command(
        names="ss|showsched|showscheds|showschedules", level="job_stream", kind="status", topic="job_streams"
    ),
    Command(names="sc|showcpu|showcpus", level="workstation", kind="status", topic="workstations"),
    Command(names="rr", level="job", kind="action", action="rerun"),
    Command(names="rj", level="job", kind="action", action="release"),
    Command(names="rs", level="job_stream", kind="action", action="release"),
    Command(names="cj", level="job", kind="action", action="cancel"),
    Command(names="cs", level="job_stream", kind="action", action="cancel"),
    Command(names="ap|altpri", level="job", kind="action", action="hold", argument=";0"),
)

QUALIFIERS: Mapping[Topic, str] = {
    "failed": r"state=(?:abend|fail|error|stuck)",
    "running": r"state=(?:exec|intro)",
    "held": r"priority=0\b",
    "waiting": r"state=(?:hold|wait|ready|sched|add)",
}
"""What conman's `+` qualifiers ask for, as regular expressions."""
