"""Each `resync` command as a process of its own, against one database, one simulated TWS and one server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import aiohttp
import asyncpg
import pytest

from demo import RUNBOOKS
from tests.support.postgres import fresh_database
from tests.support.processes import Finished, run, started
from tests.support.running import Server
from tests.support.simulator import PASSWORD

pytestmark = pytest.mark.timeout(240)

Resync: TypeAlias = Callable[..., Awaitable[Finished]]

_JWT_SECRET = "command-tests:0123456789-abcdefghij"
_WEBHOOK_SECRET = "alerts:0123456789-abcdefghij-secret"
_NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
async def tws_url(folder: Path) -> AsyncIterator[str]:
    async with started(folder, "tws-sim", "--port", "0", DEMO_PASSWORD=PASSWORD) as simulator:
        yield await simulator.line("tws ")
        assert await simulator.interrupt() == 0


@pytest.fixture(scope="module")
async def settings(
    postgres_dsn: str, redis_url: str, tws_url: str, folder: Path
) -> AsyncIterator[dict[str, str]]:
    """What production would set; the database is as `resync migrate` leaves it."""
    async with fresh_database(postgres_dsn) as dsn:
        migrated = await run(folder, "migrate", DATABASE_URL=dsn)
        assert migrated.status == 0, migrated.errors
        yield {
            "DATABASE_URL": dsn,
            "REDIS_URL": redis_url,
            "TWS__URL": tws_url,
            "TWS__USERNAME": "operator",
            "TWS__PASSWORD": PASSWORD,
            "TWS__WRITE": "true",
            "SECURITY__JWT_SECRET": _JWT_SECRET,
            "SECURITY__LOGIN_RATE": "100/minute",
            "WEBHOOK__SOURCES": json.dumps({"tws": {"secret": _WEBHOOK_SECRET}}),
            "PORT": "0",
            "DATA_DIR": str(folder / "data"),
        }


@pytest.fixture(scope="module")
def resync(folder: Path, settings: dict[str, str]) -> Resync:
    """Runs a command with those settings; keywords change some, an empty one takes a setting away."""

    async def call(*arguments: str, typed: str = "", **changes: str) -> Finished:
        merged = {name: value for name, value in (settings | changes).items() if value}
        return await run(folder, *arguments, typed=typed, **merged)

    return call


@pytest.fixture(scope="module")
async def server(
    folder: Path, settings: dict[str, str], tws_url: str, resync: Resync
) -> AsyncIterator[Server]:
    prepared = await asyncio.gather(
        resync("user", "add", "operator", "--role", "operator", typed=f"{PASSWORD}\n" * 2),
        resync("user", "add", "admin", "--role", "admin", "--group", "sap", typed=f"{PASSWORD}\n" * 2),
        resync("ingest", str(RUNBOOKS)),
    )
    assert [step.errors for step in prepared if step.status] == []
    async with started(folder, "serve", **settings) as serving:
        yield Server(address=await serving.line("ready "), tws_url=tws_url)
        assert await serving.interrupt() == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"TWS__URL": ""}, "RESYNC_TWS__URL"),
        ({"TWS__URL": "http://tws.example.com:31116"}, "RESYNC_TWS__URL"),
        ({"TWS__PASSWORD": ""}, "RESYNC_TWS__PASSWORD"),
        ({"SECURITY__JWT_SECRET": "changeme-changeme-changeme-changeme"}, "RESYNC_SECURITY__JWT_SECRET"),
        ({"SECURITY__JWT_SECRET": ""}, "RESYNC_SECURITY__JWT_SECRET"),
        ({"PORT": "http"}, "RESYNC_PORT"),
    ],
)
async def test_serve_refuses_unsafe_settings_by_name(
    resync: Resync, changes: dict[str, str], named: str
) -> None:
    refused = await resync("serve", **changes)
    assert refused.status == 2
    assert named in refused.errors
    assert "ready" not in refused.output
    assert "Traceback" not in refused.errors


async def test_check_masks_secrets_and_asks_every_part(resync: Resync) -> None:
    fine, away = await asyncio.gather(
        resync("check"), resync("check", TWS__URL=_NOWHERE, TWS__READ_RETRIES="0")
    )
    assert fine.status == 0, fine.errors
    for part in ("database", "redis", "tws"):
        assert f"\n{part}: ok" in fine.output
    assert "RESYNC_TWS__PASSWORD=********" in fine.output
    assert "RESYNC_TWS__USERNAME=operator" in fine.output
    for secret in (PASSWORD, _JWT_SECRET, _WEBHOOK_SECRET):
        assert secret not in fine.output + fine.errors
    assert away.status == 1
    assert "\ntws: down" in away.output
    assert "\ndatabase: ok" in away.output


async def test_ask_answers_in_the_language_of_the_question(resync: Resync, server: Server) -> None:
    portuguese, english = await asyncio.gather(
        resync("ask", "por que o job PAYROLL falhou?", "--url", server.address, PASSWORD=PASSWORD),
        resync("ask", "why did PAYROLL fail?", "--json", "--url", server.address, DEMO_PASSWORD=PASSWORD),
    )
    assert portuguese.status == 0, portuguese.errors
    for part in ("ORA-01653", "código de retorno 8", "Runbook"):
        assert part in portuguese.output
    answer = json.loads(english.output)
    assert "return code 8" in answer["reply"]["plain_text"]
    assert "ORA-01653" in answer["citations"][0]["quote"]
    assert "PAYROLL" in answer["citations"][1]["document_title"]


async def test_ask_says_what_is_wrong_with_the_password_or_the_server(resync: Resync, server: Server) -> None:
    wrong, typed, nobody = await asyncio.gather(
        resync("ask", "what failed?", "--url", server.address, PASSWORD="not this"),
        resync("ask", "what failed?", "--url", server.address, typed=f"{PASSWORD}\n"),
        resync("ask", "what failed?", "--url", _NOWHERE, PASSWORD=PASSWORD),
    )
    assert wrong.status == 2
    assert "password" in wrong.errors
    assert typed.status == 0
    assert "PAYROLL" in typed.output
    assert nobody.status == 2
    assert _NOWHERE in nobody.errors


async def test_people_are_added_once_and_linked_to_their_accounts(
    resync: Resync, settings: dict[str, str], server: Server
) -> None:
    again, linked, stranger = await asyncio.gather(
        resync("user", "add", "operator", "--role", "admin", typed="another one\n" * 2),
        resync("user", "link", "operator", "slack", "T0123", "U0456"),
        resync("user", "link", "nobody", "slack", "T0123", "U0789"),
    )
    assert (again.status, stranger.status) == (2, 2)
    assert "the user name operator exists" in again.errors
    assert "there is nobody called nobody" in stranger.errors
    assert "Traceback" not in again.errors + stranger.errors
    assert linked.status == 0, linked.errors
    async with server.client("operator") as operator:
        status, _ = await operator.get("/api/v1/admin/stats")
        assert status == 403
    connection = await asyncpg.connect(settings["DATABASE_URL"])
    try:
        links = await connection.fetch("SELECT username, channel, tenant, user_id FROM identities")
    finally:
        await connection.close()
    assert [tuple(link) for link in links] == [("operator", "slack", "T0123", "U0456")]


async def test_a_disabled_person_is_shut_out_at_once(resync: Resync, server: Server) -> None:
    added = await resync("user", "add", "leaver", "--role", "viewer", typed=f"{PASSWORD}\n" * 2)
    assert added.status == 0, added.errors
    async with server.client("leaver") as leaver:
        assert (await leaver.get("/api/v1/auth/me"))[0] == 200
        disabled, nobody = await asyncio.gather(
            resync("user", "disable", "leaver"), resync("user", "disable", "nobody")
        )
        assert disabled.status == 0, disabled.errors
        assert nobody.status == 2
        assert "there is nobody called nobody" in nobody.errors
        assert (await leaver.get("/api/v1/auth/me"))[0] == 401


async def test_ingest_skips_what_it_knows_and_reports_what_it_cannot_read(
    resync: Resync, server: Server, folder: Path
) -> None:
    documents = folder / "documents"
    documents.mkdir()
    (documents / "fence.html").write_text("<h1>Fences</h1><p>Raise the fence of AGT_X9 with <b>cf</b>.</p>")
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7 that is all")
    (documents / "notes.txt").write_text("The spare licence server is LIC07.\n")
    again = await resync("ingest", str(RUNBOOKS), str(documents))
    assert again.status == 1, "a rejected file is a failure"
    outcomes = {Path(line.split()[1]).name: line.split()[0] for line in again.output.splitlines()}
    new = {"broken.pdf": "rejected", "fence.html": "added", "notes.txt": "added"}
    assert outcomes == new | {path.name: "unchanged" for path in RUNBOOKS.iterdir()}
    async with server.client("operator") as operator:
        _, found = await operator.post("/api/v1/rag/query", {"query": "spare licence server LIC07"})
    assert found["passages"][0]["document_title"] == "notes"


async def test_ingest_declares_properties_and_keeps_folders_in_step(
    resync: Resync, server: Server, folder: Path
) -> None:
    documents = folder / "restricted"
    documents.mkdir()
    (documents / "a.md").write_text("about a")
    (documents / "b.csv").write_text("Code,Means\n8,full")
    dates = ("--valid-from", "2026-01-01", "--valid-to", "2099-12-31")
    declared = ("--readers", "role:admin", "--language", "pt", "--link", "https://wiki/x", *dates)
    first = await resync("ingest", str(documents), *declared)
    assert first.status == 0, first.errors
    (documents / "a.md").unlink()
    second = await resync("ingest", str(documents), "--sync", *declared)
    assert [line.split()[0] for line in second.output.splitlines()] == ["unchanged", "removed"]
    async with server.client("admin") as admin, server.client("operator") as operator:
        _, seen = await admin.get("/api/v1/rag/documents")
        _, hidden = await operator.get("/api/v1/rag/documents")
    (table,) = [document for document in seen["documents"] if document["readers"]]
    expected = {"readers": ["role:admin"], "language": "pt", "link": "https://wiki/x", "title": "b"}
    assert expected.items() <= table.items()
    assert (table["valid_from"], table["valid_to"]) == ("2026-01-01", "2099-12-31")
    assert table["id"] not in {document["id"] for document in hidden["documents"]}
    refused, page = await asyncio.gather(
        resync("ingest", str(documents), "--readers", "role:boss"), resync("ingest", "https://example.com/")
    )
    assert (refused.status, page.status) == (2, 1)
    assert "readers" in refused.errors
    assert "not among the allowed" in page.output


async def test_audit_verify_finds_a_changed_row(
    resync: Resync, settings: dict[str, str], server: Server
) -> None:
    async with server.client("operator") as operator:
        for decision in ("reject", "reject"):
            proposal = (await operator.ask("rerun PAYROLL"))["proposal"]
            await operator.decide(proposal["id"], decision)
    intact = await resync("audit", "verify")
    assert intact.status == 0
    assert "2 rows intact" in intact.output
    connection = await asyncpg.connect(settings["DATABASE_URL"])
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE audit_log SET actor_id = 'mallory' WHERE seq = 2")
        async with connection.transaction():
            # The owner of the database can do it all the same; that is whom the chain is for.
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute("UPDATE audit_log SET actor_id = 'mallory' WHERE seq = 2")
    finally:
        await connection.close()
    broken = await resync("audit", "verify")
    assert broken.status == 1
    assert "broken at row 2" in broken.output


async def test_migrate_may_run_again_and_needs_an_address(resync: Resync) -> None:
    again, nowhere, away = await asyncio.gather(
        resync("migrate"),
        resync("migrate", DATABASE_URL=""),
        resync("migrate", DATABASE_URL="postgresql://resync@127.0.0.1:9/resync"),
    )
    assert again.status == 0, again.errors
    assert nowhere.status == 2
    assert "RESYNC_DATABASE_URL" in nowhere.errors
    assert away.status == 2
    assert "Traceback" not in away.errors


async def test_simulator_wants_its_users_password(folder: Path, tws_url: str) -> None:
    without = await run(folder, "tws-sim", "--port", "0")
    assert without.status == 2
    assert "RESYNC_DEMO_PASSWORD" in without.errors
    async with aiohttp.ClientSession() as session:
        for password, status in ((PASSWORD, 200), ("wrong", 401)):
            credentials = {"Authorization": aiohttp.encode_basic_auth("viewer", password)}
            async with session.get(f"{tws_url}/plan/workstation", headers=credentials) as answer:
                assert answer.status == status


async def test_check_of_an_engine_tells_what_it_is_and_what_is_missing(
    resync: Resync, settings: dict[str, str]
) -> None:
    found = await resync("check", "--tws", "tws")

    assert found.status == 0, found.errors
    assert "version: " in found.output
    assert "plan: run " in found.output
    assert "rights on JOB: " in found.output
    assert "actions known on JOB_IN_PLAN: " in found.output
    assert settings["TWS__PASSWORD"] not in found.output


async def test_check_of_an_unknown_engine_names_the_known_ones(resync: Resync) -> None:
    found = await resync("check", "--tws", "PROD")

    assert found.status == 2
    assert "there is no engine PROD; known: TWS" in found.errors


async def test_passwords_in_the_vault_move_to_a_new_key(
    resync: Resync, server: Server, settings: dict[str, str]
) -> None:
    old = (Path(settings["DATA_DIR"]) / "vault.key").read_text().strip()
    async with server.client("operator") as operator:
        body = {"username": "operator", "password": PASSWORD}
        async with operator.session.put("/api/v1/me/tws-identities/TWS", json=body) as response:
            assert response.status == 200
    keys = ["another-key:0123456789-abcdefghijklm", old]

    lost = await resync("vault", "rotate", SECURITY__VAULT_KEYS=json.dumps(keys[:1]))
    moved = await resync("vault", "rotate", SECURITY__VAULT_KEYS=json.dumps(keys))
    again = await resync("vault", "rotate", SECURITY__VAULT_KEYS=json.dumps(keys[:1]))

    assert lost.status == 2
    assert "no key of the vault" in lost.errors
    assert (moved.status, again.status) == (0, 0)
    assert "1 secrets are under the newest key" in moved.output


async def test_a_broken_scenario_is_told_with_its_place(folder: Path) -> None:
    broken = folder / "broken.yaml"
    broken.write_text("title: x\nstreams: [1, 2]\n")

    found = await run(folder, "tws-sim", "--port", "0", "--scenario", str(broken), DEMO_PASSWORD=PASSWORD)

    assert found.status == 2
    assert "broken.yaml:2:10: streams: " in found.errors


async def test_a_broken_policy_keeps_the_server_from_starting(resync: Resync, folder: Path) -> None:
    broken = folder / "policy.yaml"
    broken.write_text("rules:\n  - {name: x, requires: perhaps}\n")

    found = await resync("serve", ACTIONS__POLICY=str(broken))

    assert found.status == 2
    assert f"{broken}:2:" in found.errors


async def test_tune_shows_effects_and_switches_only_when_told(resync: Resync, server: Server) -> None:
    async with server.client("operator") as operator:
        answer = await operator.ask("what does ORA-01653 mean?")
        body = {"turn_id": answer["turn_id"], "verdict": "good"}
        status, _ = await operator.post("/api/v1/feedback", body)
        assert status == 200
    shown = await resync("tune")
    assert shown.status == 0, shown.errors
    header, *rows = shown.output.splitlines()
    assert header.split()[0] == "threshold"
    (now,) = [row for row in rows if row.endswith(" now")]
    assert sum(map(int, now.split()[1:-1])) == 1
    assert (await resync("tune")).output == shown.output
    wrong = await resync("tune", "--apply", "2")
    assert (wrong.status, "between 0 and 1" in wrong.errors) == (2, True)
    switched = await resync("tune", "--apply", now.split()[0], "--by", "ana")
    assert switched.output.splitlines()[-1].startswith("switched from ")
