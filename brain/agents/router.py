"""Chooses the agent for a message: the least autonomous one that does the job."""

from __future__ import annotations

from dataclasses import replace

from brain.agents.grammar import Request, read_request
from brain.message import InboundMessage, Locale
from brain.state import Memory

__all__ = ["AGENTS", "MODEL_AGENTS", "choose_agent", "read_message"]

AGENTS = ("status", "knowledge", "diagnosis", "action", "clarify", "conversation", "decision")
"""All agents by name; `decision` answers presses on Approve and Reject only."""
MODEL_AGENTS = frozenset({"status", "knowledge", "diagnosis", "clarify"})
"""Agents whose work a language model takes over where there is one. Changes never are among them."""

_AGENT_OF_KIND = {
    "diagnosis": "diagnosis",
    "not_started": "diagnosis",
    "status": "status",
    "knowledge": "knowledge",
    "action": "action",
    "help": "conversation",
    "greeting": "conversation",
    "unknown": "clarify",
}


def read_message(message: InboundMessage, memory: Memory, fallback: Locale) -> Request:
    """What is asked for. An answer to a question back completes what was asked before."""
    remembered = memory.get("locale")
    hint = message.locale or (Locale(remembered) if remembered else None)
    alert = message.alert
    if alert is not None:
        return Request(
            kind="diagnosis" if alert.job else "status",
            locale=hint or fallback,
            job=alert.job or None,
            job_stream=alert.job_stream or None,
            topic=None if alert.job else "summary",
        )
    request = read_request(message.text, hint)
    if request.locale is None:
        request = replace(request, locale=hint or fallback)
    return _for_agent(_complete(request, message.text, memory), message.agent)


def _complete(request: Request, words: str, memory: Memory) -> Request:
    """Fills in the job when the message answers "which one?": a number or one of the names offered."""
    candidates = memory.get("candidates", [])
    chosen = _chosen(words.strip().strip(".#)"), candidates)
    if chosen is None or request.kind not in {"unknown", "status"}:
        return request
    stream, _, job = chosen.rpartition(".")
    return replace(
        request,
        kind=memory.get("pending_kind", "status"),
        action=memory.get("pending_action"),
        job=job or None,
        job_stream=stream.rpartition("#")[2] or None,
    )


def _chosen(words: str, candidates: list[str]) -> str | None:
    if words.isdecimal() and 1 <= int(words) <= len(candidates):
        return candidates[int(words) - 1]
    lowered = words.lower()
    matching = [one for one in candidates if lowered and lowered in one.lower()]
    return matching[0] if len(matching) == 1 else None


def _for_agent(request: Request, agent: str | None) -> Request:
    """What the words ask of the agent that the caller chose, where they would have gone to another one."""
    match agent:
        case "diagnosis" if request.kind not in {"diagnosis", "not_started", "action"}:
            return replace(request, kind="diagnosis")
        case "status" if request.kind not in {"status", "action"}:
            is_named = request.job or request.job_stream
            return replace(request, kind="status", topic=None if is_named else "summary")
    return request


def choose_agent(message: InboundMessage, request: Request) -> str:
    """The agent's name. A caller may force one, but never around the approval."""
    if message.decision is not None:
        return "decision"
    if message.agent is not None:
        return message.agent
    if request.kind == "action" and (request.negated or request.hypothetical):
        return "knowledge"
    return _AGENT_OF_KIND[request.kind]
