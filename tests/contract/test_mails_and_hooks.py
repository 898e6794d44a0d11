"""Incidents leave by mail and to other programs: a real mail server, and a server that checks signatures."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.mail import MailOutbox
from bots.webhook.outbox import HookOutbox
from bots.webhook.signature import is_valid
from brain.incidents.card import card
from brain.incidents.settings import MailServer
from brain.message import Locale
from brain.reply import Reply, text
from brain.turns.outbox import OutboxError
from tests.support.told import opened

_SECRET = "k" * 32
_REPLY = Reply(blocks=(text("x"),), plain_text="Incident 7: FOLHA\u202e falhou\nDesde às 3h, João.")


class _Inbox:
    """Keeps mails; refuses a recipient of whom it is told to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusal = ""

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.refusal or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # likewise
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"


def _login(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"resync", b"s3cret"), handled=False)


@pytest.fixture
def inbox() -> _Inbox:
    return _Inbox()


# A login without TLS is what the test wants to see, on the loopback.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
async def server(inbox: _Inbox) -> AsyncIterator[MailServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        authenticator=_login,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield MailServer(
            host="127.0.0.1",
            port=port,
            security="none",
            username="resync",
            password=SecretStr("s3cret"),
            sender="resync@bank.example",
        )
    finally:
        controller.stop()


async def test_a_mail_says_what_happened_and_the_next_one_answers_it(
    server: MailServer, inbox: _Inbox
) -> None:
    outbox = MailOutbox(server=server, to="night@bank.example")
    number = await outbox.send(_REPLY)
    await outbox.replace(number, _REPLY)
    first, second = inbox.mails
    assert first["Subject"] == "Incident 7: FOLHA falhou"
    assert (first["To"], first["From"]) == ("night@bank.example", "resync@bank.example")
    assert first.get_content().splitlines()[1] == "Desde às 3h, João."
    assert first["Message-ID"] == second["In-Reply-To"] == number


@pytest.mark.parametrize(("refusal", "retryable"), [("450 later", True), ("550 no such user", False)])
async def test_who_refuses_for_good_is_not_asked_again(
    server: MailServer, inbox: _Inbox, refusal: str, *, retryable: bool
) -> None:
    inbox.refusal = refusal
    with pytest.raises(OutboxError) as refused:
        await MailOutbox(server=server, to="night@bank.example").send(_REPLY)
    assert refused.value.retryable is retryable
    assert inbox.mails == []


async def test_a_wrong_password_is_told_without_it_and_a_server_that_is_away_is_tried_again(
    server: MailServer,
) -> None:
    wrong = server.model_copy(update={"password": SecretStr("wr0ng")})
    with pytest.raises(OutboxError, match="mail: 535") as refused:
        await MailOutbox(server=wrong, to="night@bank.example").send(_REPLY)
    assert (refused.value.retryable, "wr0ng" in str(refused.value)) == (False, False)
    away = server.model_copy(update={"port": 1})
    with pytest.raises(OutboxError, match="ConnectionRefusedError") as refused:
        await MailOutbox(server=away, to="night@bank.example").send(_REPLY)
    assert refused.value.retryable


async def test_a_server_without_tls_gets_no_password(server: MailServer, inbox: _Inbox) -> None:
    careful = server.model_copy(update={"security": "starttls"})
    with pytest.raises(OutboxError):
        await MailOutbox(server=careful, to="night@bank.example").send(_REPLY)
    assert inbox.mails == []


class _Pager:
    """A program that is told of incidents, and checks who tells it."""

    def __init__(self) -> None:
        self.got: list[dict[str, object]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = (request.headers["X-Resync-Timestamp"], request.headers["X-Resync-Signature"])
        assert is_valid(_SECRET, headers[0], body, headers[1], now=datetime.now(UTC))
        self.got.append(await request.json())
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def pager() -> _Pager:
    return _Pager()


@pytest.fixture
async def hook(pager: _Pager) -> AsyncIterator[HookOutbox]:
    app = web.Application()
    app.router.add_post("/hook", pager.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield HookOutbox(session=session, url=f"http://127.0.0.1:{port}/hook", secret=_SECRET)
    await runner.cleanup()


async def test_a_program_is_told_of_each_state_signed(
    engine: AsyncEngine, hook: HookOutbox, pager: _Pager
) -> None:
    incident = await opened(engine, "PAYROLL", severity="high")
    reply = card(incident, 3, None, locale=Locale.EN, zone=ZoneInfo("UTC"), now=datetime.now(UTC))
    await hook.replace(await hook.send(reply), reply)
    assert pager.got[0] == pager.got[1]
    told = pager.got[0]["incident"]
    assert isinstance(told, dict)
    assert (told["id"], told["state"], told["severity"], told["alerts"]) == (incident.id, "open", "high", 3)
    assert (told["job"], told["job_stream"], told["workstation"]) == ("PAYROLL", "PAY", "AGT1")
    assert str(pager.got[0]["text"]).startswith(f"Incident {incident.id}: AGT1#PAY.PAYROLL failed")


@pytest.mark.parametrize(
    ("status", "retryable"), [(500, True), (429, True), (307, True), (400, False), (410, False)]
)
async def test_what_a_program_refuses_for_good_is_not_sent_again(
    hook: HookOutbox, pager: _Pager, status: int, *, retryable: bool
) -> None:
    pager.status = status
    with pytest.raises(OutboxError, match=str(status)) as refused:
        await hook.send(_REPLY)
    assert refused.value.retryable is retryable
    assert len(pager.got) == 1


async def test_a_program_that_is_away_is_tried_again() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(OutboxError, match="did not answer") as refused:
            await HookOutbox(session=session, url="http://127.0.0.1:1/x", secret=_SECRET).send(_REPLY)
    assert refused.value.retryable
