"""POST /webhooks/{source}: alerts from schedulers and monitors."""

import hmac
from datetime import UTC, datetime

import structlog
from aiohttp import hdrs, web

from bots.intake import read_body, storing
from bots.problems import ProblemError
from brain.incidents.alerts import Alerts, Report
from observability.metrics import Metrics

from .formats import read_reports
from .inbound import MalformedAlertError
from .settings import WebhookSettings, WebhookSource
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_valid

_KINDS = {"eif": "text/plain", "bmevents": "application/x-ndjson"}
"""Media types of formats that are not, or not only, JSON."""

_log = structlog.get_logger(__name__)


class WebhookRoutes:
    """Takes alerts; what becomes of them is decided later, by the plan."""

    def __init__(self, settings: WebhookSettings, alerts: Alerts, metrics: Metrics) -> None:
        self._settings = settings
        self._alerts = alerts
        self._metrics = metrics

    def register(self, app: web.Application) -> None:
        """Adds the route; the application's middleware turns `ProblemError` into an answer."""
        app.router.add_post("/webhooks/{source}", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """202 with `{id, duplicate}` once the alerts are stored; the id is the first one's.

        An alert or a whole request that comes again is no error: it is counted, not stored again.
        Raises `ProblemError` 400, 401, 404, 413, 415 and 503; after 503 the sender must try again.
        """
        name, now = request.match_info["source"], datetime.now(UTC)
        source = self._settings.sources.get(name)
        if source is None:
            self._refused("", "unknown_source", str(request.remote))
            raise ProblemError(404, "unknown_source", "There is no such source of alerts.")
        try:
            payload = await self._read(request, name, source, now)
            reports = read_reports(
                source.format,
                payload,
                mapping=source.mapping,
                each=source.each,
                signed_at=request.headers.get(TIMESTAMP_HEADER, now.isoformat()),
            )
        except MalformedAlertError as error:
            self._refused(name, "malformed_alert", str(error))
            raise ProblemError(400, "malformed_alert", str(error)) from error
        except ProblemError as error:
            self._refused(name, error.code, str(request.remote))
            raise
        if (rule := source.same) is not None:
            reports = tuple(Report(rule.fingerprint(one.alert, now), one.alert) for one in reports)
        async with storing():
            taken = await self._alerts.accept(name, reports)
        self._metrics.alerts_taken(source=name, new=taken.new, duplicate=len(reports) - taken.new)
        return web.json_response({"id": taken.id, "duplicate": taken.duplicate}, status=202)

    def _refused(self, source: str, code: str, reason: str) -> None:
        self._metrics.alert_refused(source=source, reason=code)
        _log.warning("webhook_refused", source=source, code=code, reason=reason)

    async def _read(self, request: web.Request, name: str, source: WebhookSource, now: datetime) -> bytes:
        """The body, once it is known who sent it. Raises `ProblemError`."""
        kind = request.content_type
        if kind not in {"application/json", _KINDS.get(source.format)} and not kind.endswith("+json"):
            raise ProblemError(415, "unsupported_media_type", "Alerts are sent as application/json.")
        body = await read_body(request, self._settings.max_body_bytes)
        secret = source.secret.get_secret_value()
        if source.auth == "bearer":
            given = request.headers.get(hdrs.AUTHORIZATION, "")
            if not hmac.compare_digest(given.encode(errors="replace"), f"Bearer {secret}".encode()):
                challenge = {"WWW-Authenticate": f'Bearer realm="{name}"'}
                raise ProblemError(401, "bad_token", "The token is missing or wrong.", headers=challenge)
            return body
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if not is_valid(secret, timestamp, body, signature, now=now):
            detail = f"{TIMESTAMP_HEADER} or {SIGNATURE_HEADER} is missing, wrong or too old."
            challenge = {"WWW-Authenticate": f'{SIGNATURE_HEADER.removeprefix("X-")} realm="{name}"'}
            raise ProblemError(401, "bad_signature", detail, headers=challenge)
        return body
