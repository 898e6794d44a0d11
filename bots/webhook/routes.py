"""POST /webhooks/{source}: signed alerts from schedulers and monitors."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from aiohttp import web

from bots.problems import ProblemError, problem
from brain.turns.inbox import AcceptsMessages

from .inbound import MalformedAlertError, to_message
from .settings import WebhookSettings
from .signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_valid

__all__ = ["WebhookRoutes"]

_log = structlog.get_logger(__name__)


class WebhookRoutes:
    """Takes alerts; the answer is the id of the turn, whose reply goes to the source's targets."""

    def __init__(self, settings: WebhookSettings, inbox: AcceptsMessages) -> None:
        self._settings = settings
        self._inbox = inbox

    def register(self, app: web.Application) -> None:
        """Adds the route."""
        app.router.add_post("/webhooks/{source}", self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """202 with `{id, duplicate}` once the alert is stored; any error is a problem document.

        An alert or a whole request that comes again is no error: it joins the turn of the first one.
        """
        source, now = request.match_info["source"], datetime.now(UTC)
        try:
            payload = await self._read_signed(request, source, now)
            message = to_message(
                source, payload, signed_at=request.headers[TIMESTAMP_HEADER], received_at=now
            )
        except MalformedAlertError as error:
            _log.warning("webhook_alert_malformed", source=source, reason=str(error))
            return problem(400, "malformed_alert", str(error))
        except ProblemError as error:
            _log.warning("webhook_refused", code=error.code, remote=request.remote)
            return problem(error.status, error.code, error.detail)
        try:
            accepted = await self._inbox.accept(message)
        except Exception as error:  # noqa: BLE001 whatever stops the claim, the sender must retry
            # A traceback could quote the alert.
            _log.error("webhook_claim_failed", source=source, error=type(error).__name__)
            return problem(
                503,
                "not_stored",
                "The alert could not be stored; send it again.",
                headers={"Retry-After": "10"},
            )
        _log.info("webhook_alert_accepted", turn_id=accepted.turn_id, duplicate=accepted.duplicate)
        return web.json_response({"id": accepted.turn_id, "duplicate": accepted.duplicate}, status=202)

    async def _read_signed(self, request: web.Request, source: str, now: datetime) -> bytes:
        """The body, once it is known who sent it. Raises `ProblemError`."""
        known = self._settings.sources.get(source)
        if known is None:
            raise ProblemError(404, "unknown_source", "There is no such source of alerts.")
        if request.content_type != "application/json":
            raise ProblemError(415, "unsupported_media_type", "Alerts are sent as application/json.")
        try:
            body = await request.clone(client_max_size=self._settings.max_body_bytes).read()
        except web.HTTPRequestEntityTooLarge as error:
            limit = self._settings.max_body_bytes
            raise ProblemError(413, "too_large", f"An alert has at most {limit} bytes.") from error
        if not is_valid(
            known.secret.get_secret_value(),
            request.headers.get(TIMESTAMP_HEADER, ""),
            body,
            request.headers.get(SIGNATURE_HEADER, ""),
            now=now,
            window=self._settings.time_window,
        ):
            raise ProblemError(
                401,
                "bad_signature",
                f"{TIMESTAMP_HEADER} or {SIGNATURE_HEADER} is missing, wrong or too old.",
                headers={"WWW-Authenticate": f'{SIGNATURE_HEADER.removeprefix("X-")} realm="{source}"'},
            )
        return body
