"""The `resync` command."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_documents import eval_cli, ingest, tune
from cli_parts import DataDir, fail, read_settings, run, safe_settings
from process import until_stopped
from security.roles import Role

if TYPE_CHECKING:
    import aiohttp

    from security.actors import ActorDirectory
    from settings import Settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
user_cli = typer.Typer(no_args_is_help=True, help="People and their accounts in the channels.")
audit_cli = typer.Typer(no_args_is_help=True, help="The audit log.")
cli.add_typer(user_cli, name="user")
vault_cli = typer.Typer(no_args_is_help=True, help="The vault of people's TWS passwords.")
cli.add_typer(audit_cli, name="audit")
cli.add_typer(vault_cli, name="vault")
cli.add_typer(eval_cli, name="eval")
cli.command()(ingest)
cli.command()(tune)


def main() -> None:
    """Runs the command line."""
    cli()


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the web page and the API; 0 takes a free one.")] = 8080,
    tws_port: Annotated[int, typer.Option(help="Port of the simulated TWS; 0 takes a free one.")] = 31116,
    data_dir: DataDir = None,
) -> None:
    """Everything on this machine: a simulated TWS with a night batch, runbooks, the web page."""
    from demo import run_demo

    run(run_demo(read_settings(port=port, data_dir=data_dir), tws_port=tws_port))


@cli.command()
def serve() -> None:
    """Production: reads `RESYNC_…` settings and refuses to start on unsafe ones."""
    settings = safe_settings()
    from app import serve as serve_app

    run(serve_app(settings))


@cli.command()
def work() -> None:
    """Works off turns without serving HTTP, for a second process or machine."""
    settings = safe_settings()
    from services import open_services

    async def work_() -> None:
        async with open_services(settings) as services:
            services.start()
            print("working", flush=True)
            await until_stopped()
            await services.stop()

    run(work_())


@cli.command()
def check(
    tws: Annotated[
        str | None,
        typer.Option(
            help="Name of an engine: its version, what the account may do there, what its API lacks."
        ),
    ] = None,
) -> None:
    """Shows the effective settings (secrets masked) and asks each part whether it answers."""
    from settings import effective, unsafe

    settings = read_settings()
    if tws is not None:
        if not run(_check_engine(settings, tws)):
            raise typer.Exit(1)
        return
    for name, value in effective(settings).items():
        print(f"{name}={value}")
    problems = unsafe(settings)
    for problem in problems:
        typer.secho(f"unsafe: {problem}", err=True, fg="red")
    if problems:
        raise typer.Exit(2)

    from services import open_services

    async def ping() -> bool:
        async with open_services(settings) as services:
            report = await services.health.report()
        for name, part in report.parts.items():
            print(f"{name}: {part.status} ({part.latency_ms:.0f} ms) {part.detail}".rstrip())
        return all(part.status == "ok" for part in report.parts.values())

    if not run(ping()):
        raise typer.Exit(1)


async def _check_engine(settings: Settings, name: str) -> bool:
    """Prints what an engine is and offers; whether nothing is wrong with it."""
    from observability.metrics import Metrics
    from tws.check import check as check_engine
    from tws.engines import open_engines

    chosen = [one for one in settings.engines if one.name.casefold() == name.casefold()]
    if not chosen:
        fail(f"there is no engine {name}; known: {', '.join(one.name for one in settings.engines) or 'none'}")
    async with open_engines(chosen, Metrics()) as engines:
        report = await check_engine(engines.default)
    for line in report.lines():
        print(line)
    for line in (*report.differences, *report.problems):
        typer.secho(line, err=True, fg="red")
    return not (report.differences or report.problems)


@cli.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know, in English or Portuguese.")],
    user: Annotated[str, typer.Option(help="Who asks.")] = "operator",
    url: Annotated[str, typer.Option(help="A running server.")] = "http://127.0.0.1:8080",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Prints the whole answer as JSON.")] = False,
) -> None:
    """Asks a running server. The password comes from RESYNC_PASSWORD or RESYNC_DEMO_PASSWORD, or is asked for."""
    from client_settings import ClientSettings

    settings = ClientSettings()
    given = settings.password or settings.demo_password
    password = given.get_secret_value() if given else typer.prompt(f"Password of {user}", hide_input=True)
    answer = run(_ask(url.rstrip("/"), user, password, question))
    print(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else answer["reply"]["plain_text"])


async def _ask(url: str, user: str, password: str, question: str) -> dict[str, Any]:
    import aiohttp

    try:
        async with aiohttp.ClientSession(url) as session:
            login = await _post(session, "/api/v1/auth/login", {"username": user, "password": password})
            headers = {"Authorization": f"Bearer {login['access_token']}"}
            return await _post(session, "/api/v1/chat", {"message": question}, headers)
    except aiohttp.ClientConnectionError:
        fail(f"Nothing answers at {url}. Is the server running? (make demo)")


async def _post(
    session: aiohttp.ClientSession, path: str, body: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    async with session.post(path, json=body, headers=headers) as response:
        payload: dict[str, Any] = await response.json(content_type=None)
        if response.status != 200:  # noqa: PLR2004  # anything else is no answer yet
            fail(str(payload.get("detail", f"the server answered {response.status}")))
        return payload


@cli.command()
def migrate() -> None:
    """Brings the schema of RESYNC_DATABASE_URL up to date."""
    import migrations

    settings = read_settings()
    if settings.database_url is None:
        fail("RESYNC_DATABASE_URL is not set; the embedded database is brought up to date when it starts.")
    run(migrations.upgrade(settings.database_url.get_secret_value()))


@cli.command("teams-package")
def teams_package(
    out: Annotated[Path, typer.Argument(help="The file to write.")] = Path("dist/resync-teams.zip"),
) -> None:
    """Builds the app package for Teams from RESYNC_TEAMS__… and RESYNC_REST__PUBLIC_URL."""
    from importlib.metadata import version

    from bots.teams.package import build_package

    settings = read_settings()
    try:
        package = build_package(
            settings.teams, public_url=str(settings.rest.public_url or ""), version=version("resync")
        )
    except ValueError as error:
        fail(str(error))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(package)
    print(out)


@cli.command("tws-sim")
def tws_sim(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 31116,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the plan's journal.")] = None,
    seed: Annotated[int, typer.Option(help="Chooses the plan.")] = 20,
    scenario: Annotated[str, typer.Option(help="Name of a scenario, or a YAML file.")] = "night",
    jobs: Annotated[int | None, typer.Option(help="Makes up a plan of about so many jobs.")] = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds in a real one.")] = 1.0,
    ca_file: Annotated[
        Path | None, typer.Option(help="Serves HTTPS and writes the certificate to trust here.")
    ] = None,
    *,
    users_from_stdin: Annotated[
        bool, typer.Option(help='Reads {"name": ["password", "role"]} as a line and ends with the input.')
    ] = False,
) -> None:
    """A simulated TWS master. Its users have the password RESYNC_DEMO_PASSWORD."""
    from demo import run_simulator
    from tws.simulator.settings import SimulatorSettings

    users = json.loads(sys.stdin.readline()) if users_from_stdin else _demo_users()
    try:
        settings = SimulatorSettings(
            port=port,
            data_dir=data_dir,
            seed=seed,
            scenario=scenario,
            jobs=jobs,
            speed=speed,
            tls=ca_file is not None,
            ca_file=ca_file,
        )
        run(run_simulator(settings, users, ends_with_input=users_from_stdin))
    except ValueError as error:  # of the options, or a scenario that is not as it should be
        fail(str(error))


def _demo_users() -> dict[str, tuple[str, str]]:
    from client_settings import ClientSettings

    password = ClientSettings().demo_password
    if password is None:
        fail("RESYNC_DEMO_PASSWORD is not set; it is the password of the simulator's users.")
    return {role.value: (password.get_secret_value(), role.value) for role in Role}


@user_cli.command("add")
def add_user(
    username: str,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    name: Annotated[str, typer.Option(help="Name shown to others.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="A team whose documents they may read.")] = None,
    data_dir: DataDir = None,
    *,
    replace: Annotated[bool, typer.Option(help="Changes an existing person.")] = False,
) -> None:
    """Adds a person; the password is asked for."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    _change_people(
        data_dir,
        lambda people: people.add(
            username, name or username, role, password, groups=group or (), replace=replace
        ),
    )


@user_cli.command("disable")
def disable_user(username: str, data_dir: DataDir = None) -> None:
    """Shuts a person out at once, on every channel; `user add --replace` lets them in again."""
    _change_people(data_dir, lambda people: people.disable(username))


@user_cli.command("link")
def link_user(username: str, channel: str, tenant: str, user_id: str, data_dir: DataDir = None) -> None:
    """Links a person to an account: `resync user link ana slack T0123 U0456`."""
    _change_people(
        data_dir, lambda people: people.link(username, channel, tenant, user_id, linked_by="command line")
    )


def _change_people(data_dir: Path | None, change: Callable[[ActorDirectory], Awaitable[object]]) -> None:
    from database import open_database
    from security.actors import DirectoryError

    async def work_() -> None:
        async with open_database(read_settings(data_dir=data_dir)) as database:
            await change(database.actors)

    try:
        run(work_())
    except DirectoryError as error:
        fail(str(error))


@vault_cli.command("rotate")
def rotate_vault(data_dir: DataDir = None) -> None:
    """Puts all stored TWS passwords under the first of RESYNC_SECURITY__VAULT_KEYS; then the others can go."""
    from brain.actions.identities import reencrypt
    from database import open_database, open_vault
    from security.vault import VaultError

    settings = read_settings(data_dir=data_dir)

    async def work_() -> int:
        async with open_database(settings) as database:
            return await reencrypt(database.engine, open_vault(settings))

    try:
        print(f"{run(work_())} secrets are under the newest key")
    except VaultError as error:
        fail(str(error))


@audit_cli.command("verify")
def verify_audit(data_dir: DataDir = None) -> None:
    """Checks the chain of the audit log; exit status 1 if a row was changed, added or removed."""
    from database import open_database

    async def work_() -> bool:
        async with open_database(read_settings(data_dir=data_dir)) as database:
            verdict = await database.audit.verify(database.engine)
        print(f"{verdict.rows} rows intact, head {verdict.head}")
        if verdict.first_broken is not None:
            print(f"broken at row {verdict.first_broken}")
        return verdict.intact

    if not run(work_()):
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
