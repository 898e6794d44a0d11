"""The REST API as a table, its description and the web page, put together."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.identities import Identities
from brain.actions.proposal import Proposals
from brain.incidents.alerts import Alerts
from brain.incidents.board import Board
from brain.incidents.desk import Desk
from brain.incidents.router import Router
from brain.incidents.shifts import Shifts
from brain.llm.calls import ModelCalls
from brain.turns.events import TurnEvents
from brain.turns.inbox import Inbox
from knowledge.feedback import FeedbackBook
from knowledge.orders import Orders, OrderStatus
from knowledge.relations import Relations
from knowledge.search import Search
from knowledge.store import Store
from observability.health import HealthChecks
from security.actors import ActorDirectory
from security.limits import RateLimiter
from security.linking import LinkCodes
from security.roles import Permission
from security.tokens import Tokens
from tws.mirror.plans import Plans

from . import models
from .admin import AdminRoutes, ModelCallsAnswer, ModelCallsQuery, ModelUsageAnswer, ModelUsageQuery
from .auth import AuthRoutes, Guard, Limits
from .board import BoardRoutes
from .endpoint import Endpoint, Responses
from .feedback import (
    Decided,
    FeedbackDecision,
    FeedbackGiven,
    FeedbackQuery,
    FeedbackQueue,
    FeedbackRequest,
    FeedbackRoutes,
)
from .graph import CoverageAnswer, GraphAnswer, GraphQuery, GraphRoutes, PlanQuery
from .handover import HandoverRoutes
from .idempotency import IdempotencyKeys
from .identities import IdentityRoutes
from .incidents import IncidentRoutes
from .ingests import Ingested, IngestRoutes, Ingests, PageRequest, Upload
from .openapi import build_document
from .pages import register_pages
from .rag import RagRoutes
from .routing import RoutingRoutes
from .settings import RestSettings
from .turns import Answers, TurnRoutes


class RestRoutes:
    """Everything the web page and REST clients call; errors become problems in `problem_middleware`."""

    def __init__(
        self,
        *,
        settings: RestSettings,
        version: str,
        engine: AsyncEngine,
        inbox: Inbox,
        events: TurnEvents,
        proposals: Proposals,
        identities: Identities,
        agents: Collection[str],
        engines: Sequence[str],
        directory: ActorDirectory,
        tokens: Tokens,
        limiter: RateLimiter,
        login_rate: str,
        person_rate: str,
        search: Search,
        store: Store,
        feedback: FeedbackBook,
        model_calls: ModelCalls,
        health: HealthChecks,
        stats: Callable[[], Awaitable[Mapping[str, object]]],
        desk: Desk,
        alerts: Alerts,
        shifts: Shifts,
        router: Router,
        board: Board,
        links: LinkCodes,
        zone: ZoneInfo,
    ) -> None:
        limits = Limits(limiter)
        keys = IdempotencyKeys(engine)
        answers = Answers(events, settings)
        turns = TurnRoutes(
            inbox=inbox,
            answers=answers,
            proposals=proposals,
            agents=agents,
            keys=keys,
            limits=limits,
            person_rate=person_rate,
            settings=settings,
        )
        self.endpoints = _table(
            AuthRoutes(
                directory=directory,
                tokens=tokens,
                limits=limits,
                login_rate=login_rate,
                refresh_rate=settings.rate,
            ),
            turns,
            RagRoutes(search=search, store=store, keys=keys),
            IngestRoutes(
                orders=Orders(engine),
                store=store,
                keys=keys,
                max_bytes=settings.upload_max,
                wait=settings.upload_wait,
            ),
            AdminRoutes(health, stats, model_calls),
            IdentityRoutes(identities, limits, login_rate, links),
            GraphRoutes(relations=Relations(engine), plans=Plans(engine), engines=engines),
            FeedbackRoutes(book=feedback, inbox=inbox, answers=answers, keys=keys),
        )
        incidents = IncidentRoutes(desk=desk, alerts=alerts, answers=answers, keys=keys)
        self.endpoints += incidents.endpoints()
        self.endpoints += HandoverRoutes(shifts=shifts, zone=zone).endpoints()
        self.endpoints += BoardRoutes(board=board, settings=settings).endpoints()
        self.endpoints += RoutingRoutes(router=router, keys=keys).endpoints()
        self._guard = Guard(directory=directory, tokens=tokens, limits=limits, rate=settings.rate)
        server = str(settings.public_url) if settings.public_url else None
        self._document = json.dumps(build_document(self.endpoints, version=version, server=server))

    def register(self, app: web.Application) -> None:
        """Adds all routes: `/api/v1/…`, `/openapi.json`, `/docs`, `/handover`, `/board`, `/` and `/assets/…`."""
        for endpoint in self.endpoints:
            app.router.add_route(endpoint.method, endpoint.route, self._guard.protect(endpoint))
        app.router.add_get("/openapi.json", self._openapi)
        register_pages(app)

    async def _openapi(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._document, content_type="application/json")


def _table(
    auth: AuthRoutes,
    turns: TurnRoutes,
    rag: RagRoutes,
    ingests: IngestRoutes,
    admin: AdminRoutes,
    own: IdentityRoutes,
    graph: GraphRoutes,
    feedback: FeedbackRoutes,
) -> tuple[Endpoint, ...]:
    """Method, path, handler, permission, request and answers of each endpoint."""
    ask, approve, edit = Permission.ASK, Permission.APPROVE, Permission.MANAGE_DOCUMENTS
    administer = Permission.ADMINISTER
    linked, account = "/api/v1/me/tws-identities/{engine}", {200: models.TwsIdentity}
    token: Responses = {200: models.TokenAnswer}
    chat: Responses = {200: models.ChatAnswer, 202: models.Running}
    turn: Responses = {200: models.TurnAnswer, 202: models.Running}
    decision: Responses = {200: models.Decision, 202: models.Running}
    added: Responses = {200: Ingested, 201: Ingested, 202: OrderStatus}
    content: Responses = {200: models.DocumentContent}
    calls, usage = {200: ModelCallsAnswer}, {200: ModelUsageAnswer}
    health: Responses = {200: models.Health, 503: models.Health}
    return (
        Endpoint("POST", "/api/v1/auth/login", auth.login, None, models.LoginRequest, token),
        Endpoint("POST", "/api/v1/auth/refresh", auth.refresh, None, models.RefreshRequest, token),
        Endpoint("GET", "/api/v1/auth/me", auth.me, ask, None, {200: models.Me}),
        Endpoint("POST", "/api/v1/chat", turns.chat, ask, models.ChatRequest, chat),
        Endpoint(
            "POST", "/api/v1/agents/execute", turns.execute, ask, models.ExecuteRequest, chat, problems=(404,)
        ),
        Endpoint(
            "POST",
            "/api/v1/proposals/{proposal_id}/decision",
            turns.decide,
            approve,
            models.DecisionRequest,
            decision,
        ),
        Endpoint("GET", "/api/v1/turns/{turn_id}", turns.get, ask, None, turn),
        Endpoint("POST", "/api/v1/rag/query", rag.query, ask, models.QueryRequest, {200: models.QueryAnswer}),
        Endpoint("POST", "/api/v1/rag/documents", ingests.add, edit, Upload, added),
        Endpoint("POST", "/api/v1/rag/pages", ingests.add_page, edit, PageRequest, added),
        Endpoint("GET", "/api/v1/rag/ingests", ingests.recent, edit, None, {200: Ingests}),
        Endpoint("GET", "/api/v1/rag/ingests/{ingest_id}", ingests.progress, edit, None, {200: OrderStatus}),
        Endpoint("GET", "/api/v1/rag/documents", rag.list, ask, None, {200: models.Documents}),
        Endpoint("GET", "/api/v1/rag/documents/{document_id}", rag.get, ask, None, content),
        Endpoint("DELETE", "/api/v1/rag/documents/{document_id}", rag.remove, edit, None, {204: None}),
        Endpoint(
            "GET", "/api/v1/knowledge/graph", graph.graph, ask, None, {200: GraphAnswer}, query=GraphQuery
        ),
        Endpoint(
            "GET",
            "/api/v1/knowledge/coverage",
            graph.coverage,
            ask,
            None,
            {200: CoverageAnswer},
            query=PlanQuery,
        ),
        Endpoint(
            "POST",
            "/api/v1/feedback",
            feedback.give,
            ask,
            FeedbackRequest,
            {200: FeedbackGiven},
            problems=(404,),
        ),
        Endpoint(
            "GET", "/api/v1/feedback", feedback.queue, edit, None, {200: FeedbackQueue}, query=FeedbackQuery
        ),
        Endpoint(
            "POST",
            "/api/v1/feedback/{feedback_id}/decision",
            feedback.decide,
            edit,
            FeedbackDecision,
            {200: Decided},
        ),
        Endpoint(
            "PUT", "/api/v1/me/link-code", own.link_code, Permission.ASK, None, {200: models.LinkCodeView}
        ),
        Endpoint("GET", linked, own.show, Permission.PROPOSE, None, account),
        Endpoint(
            "PUT", linked, own.link, Permission.PROPOSE, models.TwsCredentials, account, problems=(503,)
        ),
        Endpoint("DELETE", linked, own.unlink, Permission.PROPOSE, None, {204: None}),
        Endpoint("GET", "/api/v1/health", admin.health, None, None, health),
        Endpoint("GET", "/api/v1/admin/stats", admin.stats, administer, None, {200: models.Stats}),
        Endpoint(
            "GET",
            "/api/v1/admin/model-calls",
            admin.model_calls,
            administer,
            None,
            calls,
            query=ModelCallsQuery,
        ),
        Endpoint(
            "GET",
            "/api/v1/admin/model-usage",
            admin.model_usage,
            administer,
            None,
            usage,
            query=ModelUsageQuery,
        ),
    )
