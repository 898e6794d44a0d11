"""The brain: one compiled graph, router → specialist → synthesis. Wiring and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias, cast
from zoneinfo import ZoneInfo

import psycopg
import psycopg_pool
import structlog
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from brain.agents.action import answer_action
from brain.agents.approvals import answer_approvals
from brain.agents.asked import Asked
from brain.agents.assistant import answer_with_model
from brain.agents.conversation import answer_conversation, answer_help
from brain.agents.decision import answer_decision
from brain.agents.engines import named_engine
from brain.agents.feedback import RATED, answer_feedback, rating_row
from brain.agents.grammar import Request
from brain.agents.home import answer_home
from brain.agents.incidents import answer_incidents
from brain.agents.knowledge import answer_knowledge
from brain.agents.readers import READERS
from brain.agents.router import AGENTS, MODEL_AGENTS, choose_agent, completed, read_message
from brain.agents.status import answer_status, overview_table
from brain.agents.synthesis import compose
from brain.conversations import Conversations
from brain.llm.loop import ToolLoop
from brain.llm.model import ModelUnavailableError
from brain.llm.payer import paying
from brain.llm.settings import Task
from brain.message import Channel, InboundMessage, Locale
from brain.phrases import phrase, say
from brain.planner.answer import answer_request
from brain.planner.dividing import divide
from brain.planner.graph import Planner
from brain.planner.parting import is_compound
from brain.reply import Block, Notice, Reply, strong
from brain.state import Draft, Memory, TurnContext, TurnState, understood
from brain.times import clock, span
from brain.toolbox import NotPermittedError, Tools
from brain.turns.ledger import Turn
from brain.turns.outbox import Outbox
from security.roles import Actor
from tws.errors import TwsError, TwsUnreachableError

_PLAN_READERS = frozenset({"status", "diagnosis", "assistant"})
_SPECIALISTS = {"relations": READERS["relations"], "incidents": answer_incidents, "home": answer_home}
_PRESSES = {"decision": answer_decision, "feedback": answer_feedback}
_log = structlog.get_logger(__name__)
_Graph: TypeAlias = "CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]"


class Brain:
    """Answers turns. A conversation's memory is a LangGraph thread in PostgreSQL."""

    def __init__(
        self,
        *,
        tools: Tools,
        conversations: Conversations,
        loops: Mapping[Task, ToolLoop],
        planner: Planner,
        zone: ZoneInfo,
    ) -> None:
        self._tools = tools
        self._loops = loops
        self._planner = planner
        self._zone = zone
        self._conversations = conversations
        self._graph = self._wire()

    async def answer(
        self, turn: Turn, actor: Actor, locale: Locale, outbox: Outbox, degraded: frozenset[str]
    ) -> Reply:
        """The reply to a turn. Raises ConnectionError when the database is away."""
        message = turn.message
        context = TurnContext(
            turn_id=turn.turn_id,
            message=message,
            locale=locale,
            tools=self._tools.for_turn(
                actor=actor, channel=message.conversation.channel, turn_id=turn.turn_id
            ),
            progress=outbox.progress,
            delta=outbox.delta,
        )
        try:
            # What a turn must not lose is in tables of its own; the memory is written once, at the end.
            with paying(
                turn_id=turn.turn_id, actor_id=actor.actor_id, channel=message.conversation.channel.value
            ):
                state = await self._remembering(TurnState(degraded=degraded), context)
            if state["draft"].forgets:
                notice = say(state["request"].locale or locale, "forgotten_turn")
                await self._conversations.forget(message.conversation, by=actor, notice=notice)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            raise ConnectionError("the checkpointer's database is away") from error
        reply: Reply = state["reply"]
        return reply

    async def _remembering(self, state: TurnState, context: TurnContext) -> TurnState:
        """The state at the end of the turn; a memory that nobody can read any more is begun anew."""
        conversation = context.message.conversation

        async def run() -> TurnState:
            ended = await self._graph.ainvoke(
                state,
                {"configurable": {"thread_id": conversation.key}},
                context=context,
                durability="exit",
            )
            return cast("TurnState", ended)

        try:
            return await run()
        except Exception:
            if await self._conversations.is_readable(conversation):
                raise
            _log.exception("memory_unreadable", conversation=conversation.key)
            await self._conversations.saver.adelete_thread(conversation.key)
            return await run()

    def _wire(self) -> _Graph:
        graph = StateGraph(TurnState, context_schema=TurnContext)
        graph.add_node("router", self._route)
        graph.add_node("assistant", self._assist)
        graph.add_node("synthesis", _synthesise)
        for name in AGENTS:
            graph.add_node(name, self._specialist)
            graph.add_edge(name, "synthesis")
        graph.add_edge(START, "router")
        graph.add_conditional_edges("router", self._after_router, [*AGENTS, "assistant"])
        graph.add_conditional_edges("assistant", _after_assistant, [*AGENTS, "synthesis"])
        graph.add_edge("synthesis", END)
        return graph.compile(checkpointer=self._conversations.saver, name="resync")

    async def _route(self, state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        context = runtime.context
        memory, tools = understood(state.get("memory")), context.tools
        engine, words = named_engine(context.message.text, tools.engines)
        engine = engine or memory.get("engine")
        if engine in tools.engines:
            tools.use(engine)
        message = replace(context.message, text=words)
        request, agent = choose_route(message, words, memory, context.locale)
        return TurnState(memory=memory, request=request, agent=agent)

    def _after_router(self, state: TurnState, runtime: Runtime[TurnContext]) -> str:
        # What an alert says is data from outside: it is no question that a model should be asked.
        is_question = state["agent"] in MODEL_AGENTS and runtime.context.message.alert is None
        return "assistant" if "assistant" in self._loops and is_question else state["agent"]

    async def _assist(self, state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        locale = state["request"].locale or runtime.context.locale
        try:
            with paying(task="assistant"):
                draft = await answer_with_model(
                    self._loops["assistant"], runtime.context, self._asked(state, runtime.context, locale)
                )
        except ModelUnavailableError as error:
            _log.warning("model_unavailable", reason=str(error))
            return TurnState(degraded=state.get("degraded", frozenset()) | {error.part})
        except TwsError as error:
            draft = await _tws_trouble(error, runtime.context, locale, self._zone)
        return TurnState(draft=draft)

    async def _specialist(self, state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        request = state["request"]
        locale = request.locale or runtime.context.locale
        try:
            with paying(task=state["agent"]):
                draft = await self._answer(state, runtime.context, locale)
        except TwsError as error:
            draft = await _tws_trouble(error, runtime.context, locale, self._zone)
        except NotPermittedError:
            draft = Draft(
                agent=state["agent"], blocks=(Notice(text=say(locale, "not_permitted"), level="warning"),)
            )
        return TurnState(draft=draft)

    async def _answer(self, state: TurnState, context: TurnContext, locale: Locale) -> Draft:
        asked = self._asked(state, context, locale)
        match state["agent"], asked.request.kind:
            case "status", _:
                await context.progress(say(locale, "progress_plan"))
                return await answer_status(asked)
            case "diagnosis", kind:
                return await READERS[kind if kind in {"not_started", "what_if"} else "diagnosis"](asked)
            case "knowledge", _:
                # What an alert says is no question for a model.
                loop = self._loops.get("documents") if context.message.alert is None else None
                return await answer_knowledge(asked, context.message.text, loop)
            case agent, _ if agent in _SPECIALISTS:
                return await _SPECIALISTS[agent](asked)
            case "planner", _:
                return await self._plan(asked, context)
            case "action", "action" | "approvals" as kind:
                return await (answer_action if kind == "action" else answer_approvals)(asked)
            case agent, _ if agent in _PRESSES:
                return await _PRESSES[agent](context, locale)
            case "conversation", kind:
                return answer_conversation(kind, context.tools, locale)
            case _:
                opening = "not_understood" if context.message.text.strip() else "no_words"
                return answer_help(context.tools, locale, opening=opening, problem=asked.request.problem)

    async def _plan(self, asked: Asked, context: TurnContext) -> Draft:
        """Several specialists, one answer."""
        _, words = named_engine(context.message.text, context.tools.engines)
        words, loops = completed(words, asked.memory), self._loops

        async def answer(part: Asked, part_words: str) -> Draft:
            reader = READERS.get(part.request.kind)
            if reader is not None:
                return await reader(part)
            if part.request.kind == "knowledge" or "assistant" not in loops:
                return await answer_knowledge(part, part_words, loops.get("documents"))
            message = replace(context.message, text=part_words)
            assistant = loops["assistant"]
            return await answer_with_model(assistant, replace(context, message=message, delta=_unheard), part)

        dividing = partial(divide, loops["planner"]) if "planner" in loops else None
        return await answer_request(self._planner, asked, words, answer, dividing)

    def _asked(self, state: TurnState, context: TurnContext, locale: Locale) -> Asked:
        return Asked(
            tools=context.tools,
            request=state["request"],
            memory=state["memory"],
            locale=locale,
            zone=self._zone,
            progress=context.progress,
        )


def choose_route(message: InboundMessage, words: str, memory: Memory, locale: Locale) -> tuple[Request, str]:
    """What is asked for and who answers; `words` are the message's without the engine that they may name. Pure."""
    request = read_message(message, memory, locale)
    agent = choose_agent(message, request)
    is_free = message.agent is None and message.alert is None and agent not in {"decision", "feedback"}
    return request, "planner" if is_free and is_compound(completed(words, memory), request) else agent


async def _unheard(_piece: str) -> None:
    """The pieces of a part are no pieces of the answer."""


async def _synthesise(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    locale = state["request"].locale or runtime.context.locale
    draft, tools = state["draft"], runtime.context.tools
    if draft.agent == "feedback":
        # A press below an answer is no part of the conversation.
        return TurnState(reply=compose(draft, state.get("degraded", frozenset()), locale))
    if draft.agent in _PLAN_READERS and "tws" not in draft.degraded:
        await tools.remember_plan()
    notes: list[Block] = []
    if tools.age is not None:
        notes.append(phrase(locale, "read_ago", age=span(tools.age)))
    if draft.agent in _PLAN_READERS and tools.engine != tools.engines[0]:
        notes.append(phrase(locale, "of_engine", engine=strong(tools.engine)))
    draft = replace(draft, blocks=(*draft.blocks, *notes))
    memory: Memory = {
        **state["memory"],
        "locale": locale.value,
        "engine": tools.engine,
    }
    # A question back is answered by the next message or not at all.
    for key in ("candidates", "sentences", "unfinished"):
        memory.pop(key, None)  # type: ignore[misc]  # the keys are those of Memory
    selection = draft.memory.get("selection", "")
    if selection not in {"", memory.get("selection", "")}:
        memory.pop("origin", None)
    if selection and runtime.context.message.alert is not None:
        memory["origin"] = "alert"
    reply = compose(draft, state.get("degraded", frozenset()), locale)
    is_chat = runtime.context.message.conversation.channel in {Channel.SLACK, Channel.TEAMS}
    if is_chat and draft.agent in RATED and draft.proposal is None and not draft.is_private:
        reply = replace(reply, blocks=(*reply.blocks, rating_row(runtime.context.turn_id, locale)))
    return TurnState(reply=reply, memory={**memory, **draft.memory})


def _after_assistant(state: TurnState) -> str:
    return "synthesis" if "draft" in state else state["agent"]


async def _tws_trouble(error: TwsError, context: TurnContext, locale: Locale, zone: ZoneInfo) -> Draft:
    """What can still be said when TWS does not answer or refuses."""
    if not isinstance(error, TwsUnreachableError):
        _log.warning("tws_refused", code=error.code)
        sentence = say(locale, "tws_refuses", reason=str(error))
        return Draft(agent="status", blocks=(Notice(text=sentence, level="warning"),))
    sentence = say(locale, "tws_away", reason=str(error))
    blocks: list[Block] = [Notice(text=sentence, level="danger")]
    snapshot = await context.tools.last_known()
    if snapshot is None:
        blocks.append(phrase(locale, "no_last_known"))
    else:
        now = datetime.now(UTC)
        blocks += [
            phrase(
                locale,
                "last_known",
                age=span(now - snapshot.taken_at),
                at=clock(snapshot.taken_at, zone, now=now),
            ),
            *overview_table(snapshot, locale, zone),
        ]
    return Draft(agent="status", blocks=tuple(blocks), degraded=frozenset({"tws"}))
