"""The rules of a file, through the whole product: a program, a person and a channel are told, each of their own."""

from __future__ import annotations

import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from bots.slack.settings import SlackSettings
from brain.incidents.settings import Hook, IncidentSettings, MailServer
from tests.support import slack_driver
from tests.support.fake_slack import TOKEN, FakeSlack
from tests.support.postgres import fresh_database
from tests.support.running import running_resync
from tests.support.simulator import running_simulator
from tests.support.waiting import eventually

_RULES = """
routes:
  - {name: pager, severity: critical, to: "webhook:pager"}
  - {name: payroll, job: "PAYROLL", to: "person:supervisor"}
  - {name: by mail, digest: PT1S, to: "mail:night@bank.example"}
  - {name: lost, workstation: "AGT_POS02", to: "slack:T1:C9"}
"""


class Sink:
    """Keeps mails."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.got.append(envelope.content)
        return "250 OK"


async def test_each_is_told_of_their_own(postgres_dsn: str, redis_url: str, tmp_path: Path) -> None:
    rules, told = tmp_path / "routes.yaml", []
    rules.write_text(_RULES)

    async def take(request: web.Request) -> web.Response:
        assert request.headers["X-Resync-Signature"].startswith("v1=")
        told.append(await request.json())
        return web.Response()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mails = Sink()
    post = Controller(mails, hostname="127.0.0.1", port=port)
    app = web.Application()
    app.router.add_post("/pager", take)
    async with AsyncExitStack() as stack:
        post.start()
        stack.callback(post.stop)
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/pager"
        slack = await stack.enter_async_context(FakeSlack())
        tws_url = await stack.enter_async_context(running_simulator())
        dsn = await stack.enter_async_context(fresh_database(postgres_dsn))
        resync = await stack.enter_async_context(
            running_resync(
                dsn=dsn,
                redis_url=redis_url,
                tws_url=tws_url,
                data_dir=tmp_path,
                slack=SlackSettings(
                    bot_token=SecretStr(TOKEN),
                    signing_secret=SecretStr(slack_driver.SECRET),
                    api_url=slack.api_url,
                ),
                incidents=IncidentSettings(
                    routes=rules,
                    mail=MailServer(host="127.0.0.1", port=port, security="none"),
                    webhooks={"pager": Hook(url=url, secret=SecretStr("k" * 32))},
                ),
            )
        )
        await resync.services.database.actors.link("supervisor", "slack", "T1", "U7", linked_by="test")

        def posted(place: str) -> list[str]:
            return [json.dumps(one) for (channel, _), one in slack.messages.items() if channel == place]

        async def all_told() -> bool:
            return bool(told and posted("D7") and posted("C9") and mails.got)

        await eventually(all_told)
        assert b"incidents that were kept for this list" in mails.got[0]
        assert {one["incident"]["severity"] for one in told} == {"critical"}
        (personal,) = posted("D7")
        assert "PAYROLL" in personal
        (lost,) = posted("C9")
        assert "AGT_POS02" in lost
        async with resync.client("viewer") as viewer:
            status, seen = await viewer.get("/api/v1/routes/preview?engine=TWS&job=PAYROLL&severity=critical")
            assert status == 200
            assert [(one["route"], one["target"]) for one in seen["deliveries"]] == [
                ("pager", "webhook:pager"),
                ("payroll", "slack:T1:U7"),
                ("by mail", "mail:night@bank.example"),
            ]
            status, board = await viewer.get("/api/v1/board")
        assert status == 200
        assert board["plans"][0]["failed"] > 0
        assert any(one["root"] and one["root"]["job"] == "PAYROLL" for one in board["incidents"])
