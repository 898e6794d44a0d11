"""Compares an answer with what is expected. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from brain.reply import Buttons, Reply

from .case import Case, Kind
from .truth import Expected, found

_OFFERS: frozenset[Kind] = frozenset({"ambiguous", "incomplete", "compound"})
"""Kinds whose answers are also what their buttons offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an answer is worth, from 0 to 1, and what is wrong with it."""

    score: float
    problems: tuple[str, ...] = ()


def judge(case: Case, expected: Expected, reply: Reply) -> Verdict:
    """Anything missed is worth nothing. Of a diagnosis each herring costs precision, elsewhere it is worth nothing."""
    group, said = case.group, reply.plain_text
    if case.kind in _OFFERS:
        labels = (one.label for block in reply.blocks if isinstance(block, Buttons) for one in block.items)
        said = "\n".join((said, *labels))
    problems = [f"lacks {pattern}" for pattern in expected.named if not found(pattern, said)]
    if group.agents and reply.agent not in group.agents:
        problems.append(f"answered by {reply.agent}, not {' or '.join(group.agents)}")
    if reply.proposal is not None and not group.may_propose:
        problems.append(f"proposes {reply.proposal.action} {reply.proposal.target}")
    wrong = [f"has {pattern}" for pattern in expected.wrong if found(pattern, said)]
    if problems or not wrong:
        return Verdict(score=0.0 if problems else 1.0, problems=(*problems, *wrong))
    right = len(expected.named)
    score = right / (right + len(wrong)) if case.kind == "diagnosis" and group.named else 0.0
    return Verdict(score=score, problems=tuple(wrong))
