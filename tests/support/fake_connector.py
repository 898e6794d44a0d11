"""The vendor's side of Teams on loopback: Bot Connector, OpenID metadata with keys, token endpoint.

It remembers what it got and can refuse on demand. `sign` makes tokens as the channel does.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from pydantic import SecretStr

from bots.teams.settings import TeamsSettings

APP_ID = "11111111-2222-3333-4444-555555555555"
APP_PASSWORD = "app-secret"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ISSUER = "https://api.botframework.com"


@functools.cache
def private_key(name: str = "first") -> rsa.RSAPrivateKey:
    """The same key for the same name; making one takes a while."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A call that the connector got."""

    method: str
    conversation_id: str
    activity_id: str | None
    bearer: str
    activity: Mapping[str, Any]
    size: int
    """Bytes of the body."""

    @property
    def card(self) -> Mapping[str, Any]:
        return self.activity["attachments"][0]["content"]  # type: ignore[no-any-return]  # JSON


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the connector answers instead of taking the activity."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = "Refused"
    delay: float = 0.0
    """Seconds before the answer."""
    html: str = ""
    """A proxy's page instead of the connector's JSON."""


class FakeConnector:
    """Start it with `async with`; `refusals` and `token_refusals` are used up one a call."""

    def __init__(self) -> None:
        self.published: dict[str, tuple[rsa.RSAPrivateKey, list[str]]] = {"k1": (private_key(), ["msteams"])}
        """Key id to key and endorsements."""
        self.deliveries: list[Delivery] = []
        self.got_one = asyncio.Event()
        self.refusals: deque[Refusal] = deque()
        self.token_refusals: deque[int] = deque()
        self.token_forms: list[Mapping[str, Any]] = []
        self.token_lifetime: object = 3600
        self.is_metadata_down = False
        self.metadata_reads = 0
        self._server = TestServer(self._app())

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def service_url(self) -> str:
        return str(self._server.make_url("/emea/"))

    @property
    def messages(self) -> list[Delivery]:
        """What was delivered, without typing signs."""
        return [delivery for delivery in self.deliveries if delivery.activity["type"] == "message"]

    def settings(self, **overrides: Any) -> TeamsSettings:
        """Settings of a bot whose Microsoft is this server."""
        values: dict[str, Any] = {
            "app_id": APP_ID,
            "app_password": SecretStr(APP_PASSWORD),
            "tenant_id": TENANT,
            "open_id_metadata_url": str(self._server.make_url("/openid")),
            "token_url": str(self._server.make_url("/{tenant}/token"))
            .replace("%7B", "{")
            .replace("%7D", "}"),
            "allow_loopback_service_url": True,
        }
        return TeamsSettings(**values | overrides)

    def sign(
        self,
        *,
        key_id: str | None = "k1",
        key: rsa.RSAPrivateKey | str | None = None,
        algorithm: str = "RS256",
        without: frozenset[str] = frozenset(),
        **overrides: object,
    ) -> str:
        """An `Authorization` header as the channel sends it, with claims replaced or left out."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": APP_ID,
            "nbf": now - 10,
            "exp": now + 3600,
            "serviceurl": self.service_url,
        } | overrides
        kept = {name: value for name, value in claims.items() if name not in without}
        headers = {"kid": key_id} if key_id is not None else {}
        return f"Bearer {jwt.encode(kept, key or private_key(), algorithm=algorithm, headers=headers)}"

    def _app(self) -> web.Application:
        app = web.Application()
        path = "/emea/v3/conversations/{conversation}/activities"
        app.router.add_get("/openid", self._metadata)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/{tenant}/token", self._token)
        app.router.add_post(path, self._take)
        app.router.add_post(path + "/{activity}", self._take)
        app.router.add_put(path + "/{activity}", self._take)
        return app

    async def _metadata(self, request: web.Request) -> web.Response:
        self.metadata_reads += 1
        if self.is_metadata_down:
            return web.Response(status=503)
        return web.json_response({"issuer": ISSUER, "jwks_uri": str(request.url.with_path("/keys"))})

    async def _keys(self, _: web.Request) -> web.Response:
        keys = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
            | {"kid": key_id, "use": "sig", "endorsements": endorsements}
            for key_id, (key, endorsements) in self.published.items()
        ]
        keys.append({"kid": "of-a-kind-to-come", "kty": "AKP"})
        return web.json_response({"keys": keys})

    async def _token(self, request: web.Request) -> web.Response:
        self.token_forms.append({"tenant": request.match_info["tenant"], **await request.post()})
        if self.token_refusals:
            return web.json_response({"error": "invalid_client"}, status=self.token_refusals.popleft())
        number = len(self.token_forms)
        return web.json_response({"access_token": f"bot-token-{number}", "expires_in": self.token_lifetime})

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        delivery = Delivery(
            method=request.method,
            conversation_id=request.match_info["conversation"],
            activity_id=request.match_info.get("activity"),
            bearer=request.headers["Authorization"].removeprefix("Bearer "),
            activity=json.loads(body),
            size=len(body),
        )
        self.deliveries.append(delivery)
        self.got_one.set()
        if self.refusals:
            refusal = self.refusals.popleft()
            await asyncio.sleep(refusal.delay)
            if refusal.html:
                return web.Response(status=refusal.status, text=refusal.html, content_type="text/html")
            error = {"error": {"code": refusal.code, "message": "on demand"}}
            return web.json_response(error, status=refusal.status, headers=refusal.headers)
        is_update = request.method == "PUT"
        return web.json_response(
            {"id": delivery.activity_id if is_update else f"sent-{len(self.deliveries)}"}
        )
