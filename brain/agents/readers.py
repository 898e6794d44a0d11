"""Who answers which kind of question about the plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from brain.agents.action import answer_what_if
from brain.agents.asked import Asked
from brain.agents.comparison import answer_why_slower
from brain.agents.diagnosis import answer_diagnosis, answer_not_running
from brain.agents.grammar import Kind
from brain.agents.relations import answer_relations
from brain.agents.status import answer_status
from brain.state import Draft


async def _diagnose(asked: Asked) -> Draft:
    return await (answer_why_slower if asked.request.topic == "slower" else answer_diagnosis)(asked)


READERS: Mapping[Kind, Callable[[Asked], Awaitable[Draft]]] = {
    "status": answer_status,
    "diagnosis": _diagnose,
    "not_started": answer_not_running,
    "what_if": answer_what_if,
    "relations": answer_relations,
}
"""None of them changes anything."""
