"""The words and sentence patterns that the grammar knows, in both languages: tables, no logic.

The pattern language is that of `patterns`. In a line `<n>` stands for a name, `<m>` for a message id and `<c>`
for a return code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "ASKING",
    "COMMANDS",
    "HYPOTHETICAL",
    "IMPERATIVES",
    "MENTIONS",
    "NEGATIONS",
    "OTHER_WORDS",
    "PARTS",
    "POLITE",
    "QUESTION",
    "REASONS",
    "RETRACTIONS",
    "ROLES",
    "RULES",
    "Action",
    "Command",
    "Kind",
    "Role",
    "Rule",
    "Topic",
]

Kind: TypeAlias = Literal[
    "diagnosis", "not_started", "status", "knowledge", "action", "help", "greeting", "unknown"
]
Action: TypeAlias = Literal["rerun", "hold", "release", "cancel"]
Topic: TypeAlias = Literal[
    "failed", "running", "late", "waiting", "held", "summary", "workstations", "job_streams"
]
Role: TypeAlias = Literal["job", "job_stream", "workstation", "in_stream", "on_workstation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A sentence pattern and what it means; the first rule that fits is taken."""

    pattern: str
    kind: Kind
    topic: Topic | None = None
    needs: Literal["", "subject", "no_subject", "no_name"] = ""
    """Whether a job or stream must (not) be spoken of; `no_name` lets unknown lower-case words pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A conman command that people type into the chat."""

    names: str
    """Its names and abbreviations."""
    kind: Kind
    topic: Topic | None = None
    action: Action | None = None
    argument: str = ""
    """What must follow the selection, such as the `;0` that makes a priority change a hold."""


PARTS = {
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

_WHOLE = (
    "(plan|plano|batch|night|noite|madrugada|everything|tudo|things|coisas|processing|processamento|production|"
    "producao|schedule|agenda|situation|situacao geral|ambiente|environment|jobs|geral)"
)

RULES = (
    Rule(pattern="^[please] (help|ajuda|socorro|me ajuda|me ajude|help me|comandos|commands|menu) [por favor|please] $",
         kind="help"),
    Rule(pattern="(what|how) can you (do|help)", kind="help"),
    Rule(pattern="what do you do", kind="help"),
    Rule(pattern="(o que|que|como) [e que] (voce|vc|tu) (faz|sabe|pode|consegue|funciona|ajuda)", kind="help"),
    Rule(pattern="(como|how) (te|to|do i) (uso|usar|use you|use this)", kind="help"),
    # Knowledge: what something means, how something is done.
    Rule(pattern="(mean|means|meaning|stand for|stands for|significa|significam|significado|quer dizer)", kind="knowledge"),
    Rule(pattern="{why} ... (happen|happens|ocorre|acontece) ... (<m>|<c>)", kind="knowledge"),
    Rule(pattern="^[{polite}] (how (do|can|should|would|could|does|to)|howto)", kind="knowledge"),
    Rule(pattern="^[{polite}] como (faco|fazer|faz|se faz|fazemos|eu|se|posso|podemos|devo|devemos|a gente|proceder|"
                 "funciona|funcionam|resolver|resolvo|corrigir|corrijo|tratar|{infinitive})", kind="knowledge"),
    Rule(pattern="(procedure|procedures|procedimento|procedimentos|runbook|runbooks|steps|passos|instructions|"
                 "instrucoes|passo a passo|documentation|documentacao|manual|playbook|qual o processo)", kind="knowledge"),
    Rule(pattern="(explain|explains|explica|explique|explicar|what is a|what is an|what are|definition of|difference between|"
                 "diferenca entre|o que e [um|uma]|o que sao|para que serve|pra que serve|what to do|what should i do|"
                 "o que fazer|o que eu faco|o que devo fazer|como resolver)", kind="knowledge", needs="no_name"),
    # Why something has not started.
    Rule(pattern="{what} ({job}|{stream}) ... {not} ... {start}", kind="status", topic="waiting", needs="no_name"),
    Rule(pattern="{why} ... {not} ... {start}", kind="not_started"),
    Rule(pattern="{why} ... {wait}", kind="not_started"),
    Rule(pattern="what ... (waiting for|wait for|waiting on|blocking|blocks|holding|stopping|keeping|delaying|preventing)",
         kind="not_started"),
    Rule(pattern="(o que|oque|quem|que) ... (segurando|bloqueando|bloqueia|travando|trava|impedindo|impede|prendendo|prende)",
         kind="not_started"),
    Rule(pattern="(o que|oque|quem|que) ... (esperando|aguardando|espera|aguarda)", kind="not_started", needs="subject"),
    Rule(pattern="{not} ... {start}", kind="not_started", needs="subject"),
    # What went wrong with one job.
    Rule(pattern="(what happened|o que houve|o que aconteceu|o que rolou|o que teve) ... {time}",
         kind="status", topic="summary", needs="no_subject"),
    Rule(pattern="{why} ... {fail}", kind="diagnosis"),
    Rule(pattern="(what happened|what went wrong|whats wrong|what is wrong|what broke|whats the (problem|error|issue|matter)|"
                 "what [is|was] the (problem|error|issue|matter)|o que houve|o que aconteceu|o que ocorreu|o que rolou|o que deu|"
                 "o que ha com|o que tem|qual [e|foi|era] [o] (erro|problema|defeito))", kind="diagnosis", needs="subject"),
    Rule(pattern="(what happened|what went wrong|o que houve|o que aconteceu|o que ocorreu|o que deu errado)", kind="diagnosis"),
    Rule(pattern="(diagnose|diagnosis|diagnostico|diagnostica|diagnostique|diagnosticar|analyse|analyze|analysis|analise|"
                 "analisa|analisar|investigate|investiga|investigue|investigar|troubleshoot)", kind="diagnosis"),
    Rule(pattern="(cause|causa|caused|causou|reason|motivo|razao|log|logs|joblog|stdlist|saida|output)",
         kind="diagnosis", needs="subject"),
    # What is going on in general.
    Rule(pattern="{what} ... {failed}", kind="status", topic="failed", needs="no_name"),
    Rule(pattern="did ... {fail}", kind="status", topic="failed", needs="no_subject"),
    Rule(pattern="(failed|abended|broken|falhos|falhados|abendados) ({job}|{stream})", kind="status", topic="failed", needs="no_name"),
    Rule(pattern="({job}|^ ...) (em|com|in|with|on) [status|estado] (erro|erros|error|errors|abend|falha|falhas|problema|problemas)",
         kind="status", topic="failed", needs="no_name"),
    Rule(pattern="^[{what}] [os|as|the|todas as|todos os|all] [recent|ultimas|ultimos] (failures|errors|abends|falhas|erros|problemas|problems)",
         kind="status", topic="failed", needs="no_name"),
    Rule(pattern="(late|delayed|overdue|behind|atrasado|atrasada|atrasados|atrasadas|atraso|atrasos|delays|fora do prazo)",
         kind="status", topic="late", needs="no_name"),
    Rule(pattern="({what}|{job}|{stream}) ... (on hold|held|em hold|retido|retidos|retida|retidas|segurado|segurados|presos|"
                 "suspensos)", kind="status", topic="held", needs="no_name"),
    Rule(pattern="held {job}", kind="status", topic="held", needs="no_name"),
    Rule(pattern="({what}|{job}) ... (waiting|queued|pending|esperando|aguardando|pendente|pendentes|na fila|em espera|ready)",
         kind="status", topic="waiting", needs="no_name"),
    Rule(pattern="(waiting|pending) {job}", kind="status", topic="waiting", needs="no_name"),
    Rule(pattern="({what}|{job}|{stream}) ... (running|executing|active|rodando|executando|em execucao|ativos|em andamento|roda)",
         kind="status", topic="running", needs="no_name"),
    Rule(pattern="running {job}", kind="status", topic="running", needs="no_name"),
    Rule(pattern="({what}|^|status|how|state|como|health|estado|situacao|all|the) ... (workstations|agents|cpus|agentes|estacoes)",
         kind="status", topic="workstations", needs="no_name"),
    Rule(pattern="({what}|status) ... {station} ... (down|up|offline|online|unlinked|linked|fora|desconectad*)",
         kind="status", topic="workstations", needs="no_name"),
    Rule(pattern="({what}|^|status|how|state|como|estado|situacao|all) ... (job streams|jobstreams|streams|schedules|malhas|fluxos|grades)",
         kind="status", topic="job_streams", needs="no_name"),
    Rule(pattern="(status|state|summary|overview|resumo|situacao|estado|panorama|visao geral|report|relatorio|how [is|are|was|were|did]|"
                 "hows|como (esta|estao|ta|foi|vai|anda|andam|correu)) ... " + _WHOLE, kind="status", topic="summary", needs="no_subject"),
    Rule(pattern="^[{polite}] [qual] [give me|me da|me de|show] [o|a|the] (status|summary|overview|resumo|situacao|panorama|"
                 "visao geral) [geral|atual|{time}] $", kind="status", topic="summary"),
    Rule(pattern="(how are we doing|hows it going|how is it going|whats going on|what is going on|como estamos|como vao as coisas|"
                 "o que esta acontecendo|ta tudo bem|esta tudo bem|tudo certo|is everything ok|everything ok)",
         kind="status", topic="summary", needs="no_subject"),
    # One job.
    Rule(pattern="^(did|has|have|is|was|were|does|will|are) ...", kind="status", needs="subject"),
    Rule(pattern="{failed}", kind="diagnosis", needs="subject"),
    Rule(pattern="(status|state|situacao|estado|progress|andamento|progresso|how is|hows|how are|how did|como (esta|ta|vai|anda|foi|"
                 "estao|andam)|eta)", kind="status", needs="subject"),
    Rule(pattern="(when|quando|que horas|a que horas|what time|ja|ainda|still|already) ... ({start}|{finish}|executando)",
         kind="status", needs="subject"),
    Rule(pattern="({start}|{finish}|executando)", kind="status", needs="subject"),
    Rule(pattern="{why}", kind="diagnosis", needs="subject"),
    # Small talk.
    Rule(pattern="^({polite}|there|todos|pessoal|all|everyone|team|time|thanks|thank you|obrigado|obrigada|valeu|tudo bem|"
                 "how are you|como vai) [resync|bot|there|all|everyone|tudo bem|pessoal|team|a todos|how are you|very much|muito] "
                 "[{polite}] $", kind="greeting"),
    # Whatever else is asked may stand in a document.
    Rule(pattern="^[{polite}] (what|whats|where|when|which|who|how|is there|are there|does|can|why|o que|oque|onde|como|quando|qual|quais|quem|por que|"
                 "porque|pq|existe|tem|ha|tell me about|me fale|fale sobre)", kind="knowledge", needs="no_name"),
)

IMPERATIVES: dict[Action, str] = {
    "rerun": "(rerun|re run|re-run|restart|retry|resubmit|relaunch|reprocess|re-execute|reexecute|"
    "(run|start|execute|launch|submit) ... again|"
    "reprocessar|reprocesse|reprocessa|reprocessem|reexecutar|reexecuta|re-executar|rerodar|reroda|rerode|"
    "reiniciar|reinicie|reinicia|relancar|relance|relanca|ressubmeter|ressubmeta|ressubmete|"
    "(rodar|roda|rode|rodem|executar|executa|processar|processe|processa|iniciar|inicie|inicia|lancar|lance|submeter|submeta) ... "
    "(de novo|denovo|novamente|outra vez|mais uma vez)|"
    "(dar|da|fazer|faz|faca) [um|o] (rerun|restart))",
    "hold": "(hold|(put|place|set) ... on hold|"
    "segurar|segure|segura|segurem|reter|retenha|retem|prender|prenda|prende|suspender|suspenda|"
    "(colocar|coloque|coloca|por|ponha|poe|deixar|deixe|deixa|botar|bote|bota) ... em (hold|espera))",
    "release": "(release|unhold|(take|remove) ... (off|from) hold|"
    "liberar|libere|libera|liberem|soltar|solte|solta|desprender|desprenda|"
    "(tirar|tire|tira|remover|remova) ... (do|de|da) (hold|espera))",
    "cancel": "(cancel|cancelar|cancele|cancela|cancelem)",
}
"""How somebody tells another to do it; the infinitive is how Portuguese asks politely."""

MENTIONS: dict[Action, str] = {
    "rerun": "({rerun}|rerunning|restarting|restarted|reran|reprocessado|reprocessada|reprocessando|reexecutado|reexecutada)",
    "hold": "({hold}|holding|held|segurado|segurada|segurando|retido|retida)",
    "release": "({release}|releasing|released|liberado|liberada|liberando)",
    "cancel": "({cancel}|cancelling|canceling|cancelled|canceled|cancellation|cancelado|cancelada|cancelando|cancelamento)",
}
"""Any form in which the action is spoken of."""

PARTS |= {
    "polite": "(please|pls|plz|kindly|hi|hello|hey|resync|@resync|bot|ok|okay|now|just|also|so|well|then|yes|sure|good morning|"
    "good afternoon|good evening|go ahead|go|lets|let us|do|por favor|favor|pfv|por gentileza|oi|ola|opa|bom dia|boa tarde|"
    "boa noite|entao|agora|ja|sim|tambem|pessoal)",
    "infinitive": "(reprocessar|reexecutar|rerodar|reiniciar|rodar|executar|segurar|reter|prender|liberar|soltar|cancelar|"
    "colocar|tirar|relancar|ressubmeter|submeter|criar|configurar|ver|parar|alterar|mudar|consultar)",
    **IMPERATIVES,
}

POLITE = "{polite}"
ASKING = (
    "((can|could|would|will) (you|we)|(i|we) (want|need|would like|d like|have) [you] to|id like [you] to|id like|you (can|may|should|must|need to)|"
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

NEGATIONS = frozenset(
    "not no dont doesnt didnt cant cannot wont shouldnt mustnt wouldnt couldnt never without neither nor avoid nao nunca jamais "
    "nem sem evite evitar evita nada nope ne naum"
    .split()
)
"""Anywhere near a verb these turn a request off: rather ask once too often."""

RETRACTIONS = frozenset("no not nao nope wait stop never espera espere pare calma nevermind esquece esqueca deixa".split())
"""At the start of a later clause these take a request back."""

REASONS = "(because|since|reason|due to|as the|porque|pois|pq|motivo|ja que|visto que|uma vez que|por causa|devido a)"

ROLES: dict[Role, str] = {
    "job_stream": "{stream}",
    "workstation": "{station}|(on|at)",
    "in_stream": "(in|from|of|of the|within|inside|do|da|de)",
    "on_workstation": "(no|na|em)",
    "job": "{job}",
}
"""What stands before a name and tells what it names; the last two-word kinds count only beside a named job."""

COMMANDS = (
    Command(names="sj|showj|showjob|showjobs", kind="status"),
    Command(names="ss|showsched|showscheds|showschedules", kind="status", topic="job_streams"),
    Command(names="sc|showcpu|showcpus", kind="status", topic="workstations"),
    Command(names="rr|rerun", kind="action", action="rerun"),
    Command(names="rj|rs|release", kind="action", action="release"),
    Command(names="cj|cs|cancel", kind="action", action="cancel"),
    Command(names="ap|altpri", kind="action", action="hold", argument=";0"),
)

OTHER_WORDS = frozenset(
    """a an the this that these those it its he she they them there here me my mine our ours your yours and or but if of in on at
    to from by for with about into over under as than too very really all every each some any none both one ones two first last
    next other another same only again ever never always sometimes often please thanks thank could would should might must shall
    get gets got give make take see look check know think tell say ask need want like work works working fine ok wrong right bad
    good new old long time times day days week month hour hours minute minutes second morning afternoon evening night daily
    weekly monthly nightly plan plans batch list name names called status state error code codes return exit message messages id
    job's log logs file files disk space user users system server database db table data run runs because since due reason
    tws iws hwa ibm hcl rc fta dwc mdm sla sql api faq pdf utc brt am pm eta cpu id url abend abended fail failed succ success
    successful exec ready hold held stuck done suppr cancl sched wait intro pend error fence bound rerun kill stop abort start conman
    composer workload automation scheduler operator supervisor teams slack bot resync yes no maybe
    um uma uns umas o os as e ou mas se de do da dos das no na nos nas em ao aos com sem por para pra pelo pela sobre entre ate desde
    eu tu ele ela nos eles elas voce voces vc meu minha seu sua nosso nossa este esta estes estas esse essa esses essas isso isto
    aquele aquela aquilo que quem qual quais quando onde como quanto quanta muito muita muitos pouco mais menos tudo todo toda todos
    todas nada algo alguem ninguem outro outra mesmo mesma so apenas ainda ja nunca sempre agora hoje ontem amanha noite dia dias
    manha tarde madrugada hora horas minuto minutos semana mes diario diaria mensal ser sou foi foram era estar estou estava tem
    tenho ter teve vai vou ir ficar ficou fica ver saber sei dizer diz quero preciso pode posso favor obrigado valeu nome codigo
    mensagem retorno arquivo disco espaco usuario sistema servidor banco dados tabela lote plano lista erro falha motivo razao
    chamado chamada duvida ajuda certo errado bom boa ruim novo nova velho
    """.split()
)
"""Words that are no job names, beside those of the patterns."""
