"""What real errors look like in job logs, in Portuguese and English, and what only looks like one: pure data.

Everything here is matched against lower-case lines. Portuguese words match without accents as well, since agents
often lose them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "BANNER",
    "CODE_MARKS",
    "EXIT_STATUS",
    "MARKS",
    "NOISE",
    "RED_HERRINGS",
    "SOFTENERS",
    "VENDOR_ID",
    "Mark",
]


@dataclass(frozen=True, slots=True)
class Mark:
    """One way in which a line tells of a failure."""

    weight: int
    """A named cause (a full disk, a database message) outweighs the word "error", that outweighs the sentence that
    the job ends now."""
    stems: tuple[str, ...]
    """One of these is in every line that the pattern matches: looking for them is a hundred times faster."""
    pattern: re.Pattern[str]

    def is_in(self, line: str) -> bool:
        """Whether the lower-case line has the mark."""
        return any(stem in line for stem in self.stems) and self.pattern.search(line) is not None


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


def _mark(weight: int, stems: str, *alternatives: str) -> Mark:
    """A mark with its stems separated by `|`."""
    return Mark(weight, tuple(stems.split("|")), _any(*alternatives))


EXIT_STATUS = re.compile(r"=\s*exit status\s*:\s*(-?[0-9]{1,10})\s*$")
"""The engine's trailer, `= Exit Status           : 12`."""

VENDOR_ID = re.compile(r"\b(?:ORA|TNS|PLS|RMAN|SP2)-\d{4,5}\b|\bSQL\d{4,5}[NC]\b")
"""Messages of databases in the line as written; people search runbooks for them."""

TIMESTAMP = re.compile(
    r"[\[(]?(?:\d{4}[-/.]\d\d[-/.]\d\d[t ]|\d\d[-/.]\d\d[-/.]\d{4} )?"
    r"\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:z|[+-]\d\d:?\d\d)?[\])]?\s+"
)
"""The time that many programs begin their lines with."""

BANNER = re.compile(r"=|<\?xml|</?jsdl|$")
"""Beginnings of the engine's header and trailer, the task's XML among them; or nothing at all."""

NOISE = _any(
    r"\++ ",  # the shell's trace of commands
    r"at [\w$.<>/]+\(",  # stack frames: the message above them says more
    r"\.\.\. \d+ more",
    r"#|--|rem ",  # comments echoed by interpreters
    r"[a-z]:\\[^>]*>",  # the prompt of Windows
)
"""Beginnings of lines that quote or repeat instead of telling."""

RED_HERRINGS = _any(
    r"\b(?:0|no|zero|without|nenhuma?|sem)\s+(?:\w+\s+)?(?:errors?|erros?|failures?|falhas?|failed|exceptions?|rejected|rejeitad[oa]s?)\b",
    r"\b(?:errors?|erros?|failures?|falhas?|failed|rejected|rejeitad[oa]s|exceptions?)\s*(?:count|found)?\s*[:=]\s*0+\b(?![.,]?\d)",
    r"\berror[- ]handl\w*",
    r"(?<=\w )errors? (?:log|file|report|check|rate|level|recovery|threshold|limit|count)\w*",  # not the level ERROR
    r"\bdue to previous errors\b|\berrors? allowed\b|\berros? permitidos?\b",
    r"\b(?:tratamento|log|arquivo|contador|limite|n[ií]vel) de erros?\b",
    r"\bwhenever (?:sql|os)error .*",
    r"\b(?:on|if|ignore|em caso de|se houver)[- ](?:any )?(?:sql)?err(?:ors?|os?)\b",
    r"(?<!\S)--?[a-z]\S*",  # options of commands
    r"(?<![^\s'\"(=])[/.~\\]\S*(?:err|fail|exception|abend)\S*",  # paths
    r"(?<![\w-])[\w-]*(?:err|fail|exception)[\w-]*\.(?:log|txt|csv|err|out|sh|py|sql|dat)\b",
    r"\b(?:rc|(?:return|exit) code|exit status|c[oó]digo de (?:retorno|sa[ií]da)|sqlcode|errorlevel)\s*[:=]?\s*\+?(?:0+|100)\b",
    r"\bora-0{4,5}\b",
    r"\bsqlstate\s*[:=]?\s*(?:00000|02000)\b",
)
"""Phrases that name errors without one having happened; they are cut out of a line before it is judged."""

SOFTENERS = _any(
    r"\bretry(?:ing)?\b(?! limit)|\bwill try again|\btentando novamente|\bnova tentativa",
    r"\b(?:attempt|tentativa) (\d+) (?:of|de) (?!\1\b)\d",  # but not the last one
    r"\bwarn(?:ing)?\b|\baviso\b|\badvert[eê]ncia",
    r"\bignor(?:ed|ing|ad[oa]s?|ando)\b|(?<!be )(?<!not )\brecovered\b|(?<!n[aã]o )\brecuperad[oa]\b",
)
"""Words of lines that speak of a trouble that passed."""

_MEMORY = _mark(
    100,
    "killed|morto|sigkill|signal 9|oom|memory|memor|memór",
    r"^killed\b|\bkilled$|\b\d+ killed\b|\bmorto$|\bsigkill\b|\bsignal 9\b|\boom[- ]?kill",
    r"\bout of memory\b|outofmemoryerror|cannot allocate memory|mem[oó]ria (?:insuficiente|esgotada)",
)
_PERMISSION = _mark(
    100,
    "denied|negad",
    r"permission denied|permiss[aã]o negada|access (?:is )?denied|acesso negado",
)
_CRASH = _mark(100, "segment|core dumped", r"segmentation fault|falha de segmenta[cç][aã]o|core dumped")
_MISSING = _mark(
    90,
    "no such|not found|cannot find|not recog|não|nao|inexistente",
    r"no such file or directory|file not found|cannot find the (?:file|path)|command not found",
    r"arquivo (?:ou diret[oó]rio )?(?:n[aã]o (?:foi )?encontrado|inexistente)|comando n[aã]o encontrado",
    r"is not recognized as an internal|n[aã]o [eé] reconhecido como",
)

MARKS: tuple[Mark, ...] = (
    _MEMORY,
    _PERMISSION,
    _CRASH,
    _mark(
        100,
        "space left|disk|espa|disco",
        r"no space left on device|disk (?:is )?full|disk quota exceeded|n[aã]o h[aá] espa[cç]o|disco cheio",
        r"espa[cç]o insuficiente",
    ),
    _mark(
        100,
        "ora-|tns-|pls-|rman-|sp2-|loader-|sql|msg ",
        r"\bora-(?!06512)\d{5}\b|\b(?:tns|pls|rman|sql\*loader)-\d{5}\b|\bsp2-\d{4}\b",
        r"\bsql\d{4,5}[nc]\b|\bsqlcode\s*[:=]?\s*-\d+|\bmsg \d+, level 1[1-9]",
    ),
    _mark(100, "curl: (", r"\bcurl: \(\d+\)"),
    _mark(100, "abend|s0c", r"\babend(?:ed)?(?: code)?\s*[=:]?\s*(?:s[0-9a-f]{3}|u\d{4})\b|\bs0c[0-9a-f]\b"),
    _mark(
        95,
        "aws|awk|eqq|eew",
        r"\b(?!awsbht001e|awsbdw057e|awsjcl054e|awsjsy404e)(?:aws|awk|eqq|eew)[a-z]{0,4}\d{3,4}[est]\b",
    ),
    _mark(95, "caused by:", r"^caused by:"),
    _mark(
        95,
        "certif|expir",
        r"certificate (?:has )?(?:expired|verify failed)|certificado (?:expirado|vencido)",
        r"password (?:has )?expired|senha expirada",
    ),
    _mark(95, "deadlock|lock timeout|resource busy", r"deadlock|lock timeout|resource busy"),
    _MISSING,
    _mark(
        90,
        "connection|conex|no route|resolve host|not known|host key",
        r"connection (?:refused|reset|timed out|closed by)|conex[aã]o (?:recusada|expirou|encerrada)",
        r"no route to host|could not resolve host|name or service not known|host key verification failed",
    ),
    _mark(
        90,
        "authentication|log|autentica|invalid username|senha inv",
        r"(?:authentication|login|logon) failed|falha (?:na|de) autentica[cç][aã]o|invalid username",
        r"usu[aá]rio ou senha inv[aá]lid",
    ),
    _mark(90, "error: |exception: ", r"^(?:[a-z_]\w*\.)*[a-z_]\w*(?:error|exception): "),
    _mark(85, "exception|error", r"^exception in thread\b|^(?:[\w$]+\.)+[\w$]*(?:exception|error)\b"),
    _mark(80, "http", r"\bhttp(?:/[\d.]+)?\s*(?:status|error|erro)?\s*[:=]?\s*[45]\d\d\b"),
    _mark(
        80,
        "as we read it|before we read it|cannot stat|cannot open",
        r"file changed as we read it|file removed before we read it|cannot (?:stat|open)\b",
    ),
    _mark(
        80,
        "unique constraint|duplicate key|duplicada|mismatch|diverg",
        r"unique constraint|duplicate key|chave duplicada|(?:checksum|count|totals?) mismatch|\bdiverg[eê]ncia\b",
    ),
    _mark(
        75, "fatal|severe|critical|panic|crítico|critico", r"\b(?:fatal|severe|critical|panic|cr[ií]tico)\b"
    ),
    _mark(
        75,
        "|".join(f"{digit}{severity}" for digit in range(10) for severity in "es"),
        r"^[a-z]{2,8}[0-9]{3,5}[es]\b",  # a message id of any program, with the severity as its last letter
    ),
    _mark(70, "err", r"\b(?:err|errors?|erros?)\b"),
    _mark(
        45,
        "fail|abort|cannot|unable|could not|reject|denied|invalid|abend|timeout|timed out|ora-06512",
        r"\b(?:failed|failure|abort(?:ed|ing)|cannot|unable to|could not|rejected|denied|invalid|abend(?:ed)?)\b",
        r"\btimeout\b|\btimed out\b|\bora-06512\b",
    ),
    _mark(
        45,
        "falh|abort|rejeit|negad|invalid|inválid|possív|possiv|consegu|não p|nao p",
        r"\b(?:falh(?:a|as|ou|aram)|abortad[oa]|abortando|rejeitad[oa]s?|negad[oa]|inv[aá]lid[oa]s?)\b",
        r"\bn[aã]o (?:foi poss[ií]vel|conseguiu|p[oô]de)\b",
    ),
    _mark(
        30,
        "rc|exit|return|retorno|terminat|ended|finish|código|codigo|encerrando|finalizado",
        r"\b(?:rc|exit(?:ing)?|return|terminat\w+|ended|finished)\s*(?:with\s+)?(?:code|status|rc)?\s*[:=]?\s*-?[1-9]\d*\b",
        r"\b(?:c[oó]digo(?: de (?:retorno|sa[ií]da))?|retorno|encerrando|finalizado com)\s*[:=]?\s*-?[1-9]\d*\b",
    ),
)
"""Heaviest first."""

CODE_MARKS: dict[int, Mark] = {
    9: _MEMORY,
    126: _PERMISSION,
    127: _MISSING,
    137: _MEMORY,
    139: _CRASH,
    143: _mark(
        0, "terminat|terminad|sigterm|signal 15", r"\bterminated\b|\bterminado\b|\bsigterm\b|\bsignal 15\b"
    ),
}
"""What the shell's own return codes say happened."""
