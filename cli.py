"""The `resync` command."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from process import until_stopped
from security.roles import Role

if TYPE_CHECKING:
    import aiohttp

    from security.actors import ActorDirectory
    from settings import Settings

__all__ = ["main"]

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
user_cli = typer.Typer(no_args_is_help=True, help="People and their accounts in the channels.")
audit_cli = typer.Typer(no_args_is_help=True, help="The audit log.")
cli.add_typer(user_cli, name="user")
vault_cli = typer.Typer(no_args_is_help=True, help="The vault of people's TWS passwords.")
cli.add_typer(audit_cli, name="audit")
cli.add_typer(vault_cli, name="vault")

_T = TypeVar("_T")
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded services.")]


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

    _run(run_demo(_settings(port=port, data_dir=data_dir), tws_port=tws_port))


@cli.command()
def serve() -> None:
    """Production: reads `RESYNC_…` settings and refuses to start on unsafe ones."""
    settings = _safe_settings()
    from app import serve as serve_app

    _run(serve_app(settings))


@cli.command()
def work() -> None:
    """Works off turns without serving HTTP, for a second process or machine."""
    settings = _safe_settings()
    from services import open_services

    async def run() -> None:
        async with open_services(settings) as services:
            services.start()
            print("working", flush=True)
            await until_stopped()
            await services.stop()

    _run(run())


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

    settings = _settings()
    if tws is not None:
        if not _run(_check_engine(settings, tws)):
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

    if not _run(ping()):
        raise typer.Exit(1)


async def _check_engine(settings: Settings, name: str) -> bool:
    """Prints what an engine is and offers; whether nothing is wrong with it."""
    from observability.metrics import Metrics
    from tws.check import check as check_engine
    from tws.engines import open_engines

    chosen = [one for one in settings.engines if one.name.casefold() == name.casefold()]
    if not chosen:
        _fail(
            f"there is no engine {name}; known: {', '.join(one.name for one in settings.engines) or 'none'}"
        )
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
    answer = _run(_ask(url.rstrip("/"), user, password, question))
    print(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else answer["reply"]["plain_text"])


async def _ask(url: str, user: str, password: str, question: str) -> dict[str, Any]:
    import aiohttp

    try:
        async with aiohttp.ClientSession(url) as session:
            login = await _post(session, "/api/v1/auth/login", {"username": user, "password": password})
            headers = {"Authorization": f"Bearer {login['access_token']}"}
            return await _post(session, "/api/v1/chat", {"message": question}, headers)
    except aiohttp.ClientConnectionError:
        _fail(f"Nothing answers at {url}. Is the server running? (make demo)")


async def _post(
    session: aiohttp.ClientSession, path: str, body: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    async with session.post(path, json=body, headers=headers) as response:
        payload: dict[str, Any] = await response.json(content_type=None)
        if response.status != 200:  # noqa: PLR2004  # anything else is no answer yet
            _fail(str(payload.get("detail", f"the server answered {response.status}")))
        return payload


@cli.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files or folders.")],
    data_dir: DataDir = None,
) -> None:
    """Reads Markdown, text, HTML and PDF into the knowledge base; unchanged files cost nothing."""
    from rich.console import Console
    from rich.progress import Progress

    from services import open_database

    settings = _settings(data_dir=data_dir)

    async def run() -> bool:
        async with open_database(settings) as database:
            with Progress(console=Console(stderr=True)) as progress:
                task = progress.add_task("ingesting", total=None)
                reports = await database.ingest.ingest_paths(
                    paths, on_progress=lambda _report: progress.advance(task)
                )
        for report in reports:
            print(f"{report.outcome:<9} {report.source} ({report.chunks} passages) {report.detail}".rstrip())
        return all(report.outcome != "rejected" for report in reports)

    if not _run(run()):
        raise typer.Exit(1)


@cli.command()
def migrate() -> None:
    """Brings the schema of RESYNC_DATABASE_URL up to date."""
    import migrations

    settings = _settings()
    if settings.database_url is None:
        _fail("RESYNC_DATABASE_URL is not set; the embedded database is brought up to date when it starts.")
    _run(migrations.upgrade(settings.database_url.get_secret_value()))


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
        _run(run_simulator(settings, users, ends_with_input=users_from_stdin))
    except ValueError as error:  # of the options, or a scenario that is not as it should be
        _fail(str(error))


def _demo_users() -> dict[str, tuple[str, str]]:
    from client_settings import ClientSettings

    password = ClientSettings().demo_password
    if password is None:
        _fail("RESYNC_DEMO_PASSWORD is not set; it is the password of the simulator's users.")
    return {role.value: (password.get_secret_value(), role.value) for role in Role}


@user_cli.command("add")
def add_user(
    username: str,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    name: Annotated[str, typer.Option(help="Name shown to others.")] = "",
    data_dir: DataDir = None,
    *,
    replace: Annotated[bool, typer.Option(help="Changes an existing person.")] = False,
) -> None:
    """Adds a person; the password is asked for."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    _change_people(
        data_dir, lambda people: people.add(username, name or username, role, password, replace=replace)
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
    from security.actors import DirectoryError
    from services import open_database

    async def run() -> None:
        async with open_database(_settings(data_dir=data_dir)) as database:
            await change(database.actors)

    try:
        _run(run())
    except DirectoryError as error:
        _fail(str(error))


@vault_cli.command("rotate")
def rotate_vault(data_dir: DataDir = None) -> None:
    """Puts all stored TWS passwords under the first of RESYNC_SECURITY__VAULT_KEYS; then the others can go."""
    from brain.actions.identities import reencrypt
    from security.vault import VaultError
    from services import open_database, open_vault

    settings = _settings(data_dir=data_dir)

    async def run() -> int:
        async with open_database(settings) as database:
            return await reencrypt(database.engine, open_vault(settings))

    try:
        print(f"{_run(run())} secrets are under the newest key")
    except VaultError as error:
        _fail(str(error))


@audit_cli.command("verify")
def verify_audit(data_dir: DataDir = None) -> None:
    """Checks the chain of the audit log; exit status 1 if a row was changed, added or removed."""
    from services import open_database

    async def run() -> bool:
        async with open_database(_settings(data_dir=data_dir)) as database:
            verdict = await database.audit.verify(database.engine)
        print(f"{verdict.rows} rows intact, head {verdict.head}")
        if verdict.first_broken is not None:
            print(f"broken at row {verdict.first_broken}")
        return verdict.intact

    if not _run(run()):
        raise typer.Exit(1)


def _settings(**given: object) -> Settings:
    """The settings, with the options that were given; exits with a message on bad ones."""
    from observability import logging
    from security.masking import mask_event
    from settings import Settings

    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        lines = [
            f"RESYNC_{'__'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()
        ]
        _fail("\n".join(lines))
    logging.configure(settings.observability, mask_event)
    return settings


def _safe_settings() -> Settings:
    from settings import unsafe

    settings = _settings()
    problems = unsafe(settings)
    if problems:
        _fail("\n".join(problems))
    return settings


def _fail(message: str) -> NoReturn:
    typer.secho(message, err=True, fg="red")
    raise typer.Exit(2)


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs to the end; a port in use or a server that is away ends it with a sentence."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except OSError as error:
        _fail(str(error))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """That of uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
