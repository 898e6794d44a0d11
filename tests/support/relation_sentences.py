"""What operators ask about connections, in both languages: English, Portuguese, topic, name."""

from __future__ import annotations

RELATIONS: list[tuple[str, str, str, dict[str, str | None]]] = [
    ("what depends on AGT01?", "o que depende do AGT01?", "impact", {"job": "AGT01"}),
    (
        "what depends on workstation AGT01?",
        "o que depende do agente AGT01?",
        "impact",
        {"workstation": "AGT01"},
    ),
    ("which jobs use resource FITALTO?", "quem usa o recurso FITALTO?", "impact", {"resource": "FITALTO"}),
    ("what depends on resource TAPE?", "o que depende do recurso TAPE?", "impact", {"resource": "TAPE"}),
    ("what is the impact of PAYROLL?", "qual o impacto do PAYROLL?", "impact", {"job": "PAYROLL"}),
    ("who owns PAYROLL?", "quem é o dono do PAYROLL?", "owner", {"job": "PAYROLL"}),
    ("who owns payroll?", "quem é o dono do payroll?", "owner", {"job": "payroll"}),
    ("who is responsible for PAYROLL?", "quem é o responsável pelo PAYROLL?", "owner", {"job": "PAYROLL"}),
    ("who do I call for PAYROLL?", "para quem escalo o PAYROLL?", "owner", {"job": "PAYROLL"}),
    ("has this happened before?", "já aconteceu antes?", "incidents", {"job": None}),
    ("has PAYROLL failed before?", "o PAYROLL já falhou antes?", "incidents", {"job": "PAYROLL"}),
    ("similar incidents of PAYROLL", "incidentes parecidos do PAYROLL", "incidents", {"job": "PAYROLL"}),
    ("which failures have no runbook?", "quais falhas não têm runbook?", "coverage", {"job": None}),
    ("failing jobs without a runbook", "jobs que falham sem runbook", "coverage", {"job": None}),
    ("which runbooks are out of date?", "quais runbooks estão desatualizados?", "coverage", {"job": None}),
    (
        "runbooks with jobs that are no longer in the plan",
        "runbooks com jobs que não existem mais",
        "coverage",
        {"job": None},
    ),
    ("what do you know about PAYROLL?", "o que você sabe sobre o PAYROLL?", "known", {"job": "PAYROLL"}),
    ("everything about PAYROLL", "tudo sobre o PAYROLL", "known", {"job": "PAYROLL"}),
    ("what do you know about AGT01?", "o que vc sabe do AGT01?", "known", {"job": "AGT01"}),
]
