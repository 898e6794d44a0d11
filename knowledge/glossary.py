"""The words of operations in Portuguese and English, so that a question in one finds a text in the other.

Each line is one notion; the words of a line stand for each other in the word search. Written without
accents, in any inflection: they are folded and stemmed like every other word. Words
that have one stem in both languages (job, limit, memory) need no line.
"""

from __future__ import annotations

__all__ = ["NOTIONS"]

NOTIONS: tuple[str, ...] = (
    "falhou falha failed failure abend abended abendou",
    "erro error",
    "motivo causa razao cause reason",
    "reiniciar reexecutar rerodar restart rerun",
    "executar rodar execucao run execute",
    "comecar iniciar iniciou subir start begin launch",
    "parar parado stop stopped halt",
    "liberar release",
    "segurar reter hold held",
    "esperar espera esperando aguardar aguardando wait waiting",
    "atrasado atraso late delay delayed",
    "travado preso stuck hung blocked",
    "fila queue",
    "fluxo cadeia stream schedule",
    "agendar agendamento scheduling scheduled",
    "arquivo file",
    "pasta diretorio directory folder",
    "disco disk",
    "cheio lotado full",
    "espaco space",
    "chave key",
    "senha password",
    "usuario user",
    "certificado certificate",
    "vencido expirado expirou venceu expired expiry",
    "rede network",
    "conexao ligacao connection",
    "servidor server",
    "estacao maquina workstation agent agente",
    "desconectado desligado desvinculado deslinkado unlinked unlink",
    "vincular linkar conectar link linked",
    "recurso resource",
    "dependencia dependency",
    "predecessor antecessor predecessors",
    "sucessor successor",
    "prioridade priority",
    "banco bank database",
    "tabela table",
    "registro linha record row",
    "rejeitado recusado rejected refused",
    "carga load loading",
    "cartao card",
    "folha payroll",
    "apagar excluir remover delete remove",
    "mudar alterar trocar change modify",
    "responder resposta answer reply",
    "avisar chamar acionar call notify escalate",
    "equipe time team",
    "plantao sobreaviso on-call",
    "fechamento closing close",
    "contabilidade contabil accounting ledger",
    "remessa envio transfer transmission",
    "copia backup salvaguarda",
    "aprovar aprovacao approve approval",
    "mensagem message",
)
