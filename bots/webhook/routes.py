"""POST /webhooks/{source}: signed alerts from schedulers and monitors."""

from datetime import UTC, datetime

import structlog
from aiohttp import hdrs, web

from bots.intake import read_body, storing
from bots.problems import ProblemError
from brain.turns.inbox import AcceptsMessages

from .inbound import MalformedAlertError, to_message
from .settings import WebhookSettings
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_valid

_log = structlog.get_logger(__name__)


class WebhookRoutes:
    """Takes alerts; the answer is the id of the turn, whose reply goes to the source's targets."""

    def __init__(self, settings: WebhookSettings, inbox: AcceptsMessages) -> None:
        self._settings = settings
        self._inbox = inbox

    def register(self, app: web.Application) -> None:
        """Adds the route; the application's middleware turns `ProblemError` into an answer."""
        app.router.add_post("/webhooks/{source}", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """202 with `{id, duplicate}` once the alert is stored.

        An alert or a whole request that comes again is no error: it joins the turn of the first one.
        Raises `ProblemError` 400, 401, 404, 413, 415 and 503; after 503 the sender must try again.
        """
        source, now = request.match_info["source"], datetime.now(UTC)
        try:
            payload = await self._read_signed(request, source, now)
            signed_at = request.headers[TIMESTAMP_HEADER]
            message = to_message(source, payload, signed_at=signed_at, received_at=now)
        except MalformedAlertError as error:
            _log.warning("webhook_alert_malformed", source=source, reason=str(error))
            raise ProblemError(400, "malformed_alert", str(error)) from error
        except ProblemError as error:
            _log.warning("webhook_refused", code=error.code, remote=request.remote)
            raise
        async with storing():
            accepted = await self._inbox.accept(message)
        _log.info("webhook_alert_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)
        return web.json_response({"id": accepted.turn_id, "duplicate": accepted.duplicate}, status=202)

    async def _read_signed(self, request: web.Request, source: str, now: datetime) -> bytes:
        """The body, once it is known who sent it. Raises `ProblemError`."""
        known = self._settings.sources.get(source)
        if known is None:
            raise ProblemError(404, "unknown_source", "There is no such source of alerts.")
        if request.content_type != "application/json":
            raise ProblemError(415, "unsupported_media_type", "Alerts are sent as application/json.")
        body = await read_body(request, self._settings.max_body_bytes)
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if not is_valid(known.secret.get_secret_value(), timestamp, body, signature, now=now):
            detail = f"{TIMESTAMP_HEADER} or {SIGNATURE_HEADER} is missing, wrong or too old."
            challenge = f'{SIGNATURE_HEADER.removeprefix("X-")} realm="{source}"'
            raise ProblemError(401, "bad_signature", detail, headers={hdrs.WWW_AUTHENTICATE: challenge})
        return body
