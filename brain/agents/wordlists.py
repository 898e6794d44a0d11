"""Lists of words that the grammar treats alike, in lower case and without accents. Data, no logic."""

from __future__ import annotations

__all__ = [
    "ALL_WORDS",
    "ENGLISH_WORDS",
    "NEGATIONS",
    "OTHER_WORDS",
    "PORTUGUESE_WORDS",
    "PRONOUNS",
    "RETRACTIONS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PORTUGUESE_WORDS = _words(
    """
    agora ainda ajuda ao aos atrasado atrasados bom boa cade como da das de dia dos duvida e ela ele
    em entao erro esse essa esta estao estou este eu falhou falharam abendou quebrou favor fazer
    faco foi ha hoje houve isso ja mais mas meu minha muito na nao nas noite nos nossa o oi ola onde
    ontem os ou para pelo pela pode poderia por porque posso pq pra qual quais quando que quem quero
    rodar rodou rodando se sem ser seu sobre sua tem ter terminou uma um vai voce agente estacao
    malha fluxo liberar libere libera soltar solte solta segurar segure segura prender prenda prende
    reter retenha cancelar cancele cancela reprocessar reprocesse reprocessa reexecutar reexecute
    reexecuta reiniciar reinicie reinicia motivo significa resumo situacao obrigado obrigada tudo
    bem
    """
)
"""Frequent in Portuguese and no English word; `do`, `no`, `a` and `status` are of both and left out."""

ENGLISH_WORDS = _words(
    """
    about after again all an and any are because been before but by can could did does doing done
    every failed for from get give had happened has have hello help hey hi how i if in is it last
    late let like list many mean my need not dont now of off on or our please rerun restart cancel
    release run running show since some start started stop tell thanks that the their them then
    there these they this tonight to today until us was we were what when where which while who why
    will with would yes yesterday you your hold waiting stuck never
    """
)
"""Frequent in English and no Portuguese word."""

NEGATIONS = _words(
    """
    not no dont doesnt didnt cant cannot wont shouldnt mustnt wouldnt couldnt never neither nor
    avoid nao naum nunca jamais nem evite evitar evita nope
    """
)
"""Anywhere near a verb these turn a request off: rather ask once too often."""

RETRACTIONS = _words(
    """
    no not nao nope wait stop never espera espere pare calma nevermind esquece esqueca deixa
    """
)
"""At the start of a later clause these take a request back."""

PRONOUNS = _words(
    """
    it its ele ela isso dele dela nele nela
    """
)
"""Stand for the job last spoken of."""

ALL_WORDS = _words("all every everything each todos todas tudo cada")
"""Make many of one."""

OTHER_WORDS = _words(
    """
    a an the this that these those it its he she they them there here me my mine our ours your yours
    and or but if of in on at to from by for with about into over under as than too very really all
    every each some any none both one ones two first last next other another same only again ever
    never always sometimes often please thanks thank could would should might must shall get gets
    got give make take see look check know think tell say ask need want like work works working fine
    ok wrong right bad good new old long time times day days week month hour hours minute minutes
    second morning afternoon evening night daily weekly monthly nightly plan plans batch list name
    names called status state error code codes return exit message messages id log logs file files
    disk space user users system server database db table data run runs because since due reason tws
    iws hwa ibm hcl rc fta dwc mdm sla sql api faq pdf utc brt am pm eta cpu url abend abended fail
    failed succ success successful exec ready hold held stuck done suppr cancl sched wait intro pend
    fence bound rerun kill stop abort start conman composer workload automation scheduler operator
    been without successor successors predecessor predecessors depends dependency dependencies says said
    step steps full notes nobody somebody asap remind previous ignore confirm submit whole instead supervisor teams slack bot resync yes no maybe

    um uma uns umas o os e ou mas se de do da dos das na nos nas em ao aos com sem por para pra pelo
    pela sobre entre ate desde eu tu ele ela eles elas voce voces vc meu minha seu sua nosso nossa
    este esta estes estas esse essa esses essas isso isto aquele aquela aquilo que quem qual quais
    quando onde como quanto quanta muito muita muitos pouco mais menos tudo todo toda todos todas
    nada algo alguem ninguem outro outra mesmo mesma so apenas ainda ja nunca sempre agora hoje
    ontem amanha noite dia dias manha tarde madrugada hora horas minuto minutos semana mes diario
    diaria mensal ser sou foi foram era estar estou estava tem tenho ter teve vai vou ir ficar ficou
    fica ver saber sei dizer diz quero preciso pode posso favor obrigado valeu nome codigo mensagem
    retorno arquivo disco espaco usuario sistema servidor banco dados tabela lote plano lista erro
    falha motivo razao chamado chamada duvida ajuda certo errado bom boa ruim novo nova velho deve devem verifica verifique verificar urgente segundo enche chegou cheio tranquilo
    tranquila sucessor sucessores predecessor predecessores dependencia dependencias depende passo sozinho juntos
    """
)
"""Words that are no job names, beside those of the patterns."""
