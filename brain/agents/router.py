"""Chooses the agent for a message: the least autonomous one that does the job."""

from __future__ import annotations

import re
from dataclasses import replace

from brain.agents.approvals import read_approvals
from brain.agents.grammar import Request, read_request
from brain.agents.incidents import read_incidents
from brain.message import InboundMessage, Locale, Verb
from brain.state import Memory

AGENTS = (
    *(
        "status",
        "knowledge",
        "diagnosis",
        "relations",
        "action",
        "incidents",
        "clarify",
        "conversation",
        "planner",
    ),
    "decision",
    "feedback",
    "home",
)
"""All agents by name; `decision` and `feedback` answer presses on buttons only, `home` who opens a page of their own."""
MODEL_AGENTS = frozenset({"status", "diagnosis", "relations", "clarify"})
"""Agents whose work a language model takes over where there is one. Changes never are among them."""

_VALUE = re.compile(r"(?:to |para |em |= ?)?(?P<value>\d{1,4}|hi|go)", re.IGNORECASE)
_AGAIN = re.compile(r"^\s*(?:once again|again|de novo|novamente|outra vez)\s*[:,]?\s+(?=\S)", re.IGNORECASE)
_AGENT_OF_KIND = {
    "diagnosis": "diagnosis",
    "not_started": "diagnosis",
    "what_if": "diagnosis",
    "status": "status",
    "knowledge": "knowledge",
    "relations": "relations",
    "action": "action",
    "help": "conversation",
    "greeting": "conversation",
    "forget": "conversation",
    "incidents": "incidents",
    "approvals": "action",
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
    about = read_incidents(message.text)
    if about is not None:
        arguments = {"wish": about.wish, "number": about.number, "detail": about.detail}
        return Request(kind="incidents", locale=about.locale, arguments=arguments)
    approvals = read_approvals(message.text)
    if approvals is not None:
        return Request(kind="approvals", locale=approvals[0], arguments={"number": approvals[1]})
    request = read_request(split_again(completed(message.text, memory))[0], hint)
    if request.locale is None:
        request = replace(request, locale=hint or fallback)
    return _for_agent(request, message.agent)


def split_again(words: str) -> tuple[str, bool]:
    """What is asked without `again` before it, and whether that stood there."""
    asked = _AGAIN.sub("", words, count=1)
    return asked, asked != words


def completed(words: str, memory: Memory) -> str:
    """The whole sentence where the words only answer a question back: a number, a name or the value asked for."""
    bare = words.strip().strip(".#)")
    value = _VALUE.fullmatch(bare)
    if value is not None and (unfinished := memory.get("unfinished")):
        return f"{unfinished} {value['value']}"
    candidates, sentences = memory.get("candidates", []), memory.get("sentences", [])
    if bare.isdecimal() and 1 <= int(bare) <= len(sentences):
        return sentences[int(bare) - 1]
    matching = [
        sentence
        for one, sentence in zip(candidates, sentences, strict=False)
        if bare and bare.lower() in one.lower() and read_request(words).kind in {"unknown", "status"}
    ]
    return matching[0] if len(matching) == 1 else words


def _for_agent(request: Request, agent: str | None) -> Request:
    """What the words ask of the agent that the caller chose, where they would have gone to another one."""
    match agent:
        case "diagnosis" if request.kind not in {"diagnosis", "not_started", "what_if", "action"}:
            return replace(request, kind="diagnosis")
        case "status" if request.kind not in {"status", "action"}:
            is_named = request.job or request.job_stream
            return replace(request, kind="status", topic=None if is_named else "summary")
    return request


def choose_agent(message: InboundMessage, request: Request) -> str:
    """The agent's name. A caller may force one, but never around the approval."""
    if message.decision is not None:
        return "decision"
    if message.button is not None and message.button.verb in {Verb.RATE, Verb.WHY}:
        return "feedback"
    if message.agent is not None:
        return message.agent
    if request.kind == "action" and (request.negated or request.hypothetical):
        # Nothing that is not plainly asked for gets near a proposal.
        return "knowledge"
    return _AGENT_OF_KIND[request.kind]
