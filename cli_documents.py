"""The commands about documents and answers: `resync ingest`, `resync tune`, `resync eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli_parts import DataDir, fail, read_settings, run

eval_cli = typer.Typer(no_args_is_help=True, help="How good the answers are.")


def ingest(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or addresses of pages (https://…).")],
    readers: Annotated[
        str, typer.Option(help="Who may read them: `role:operator,group:sap`; else everybody.")
    ] = "",
    language: Annotated[str, typer.Option(help="`en` or `pt`; else it is found out.")] = "",
    valid_from: Annotated[str, typer.Option(help="The first day they hold, `2026-01-31`.")] = "",
    valid_to: Annotated[str, typer.Option(help="The last day they hold.")] = "",
    link: Annotated[str, typer.Option(help="Where people read the original.")] = "",
    data_dir: DataDir = None,
    *,
    sync: Annotated[bool, typer.Option(help="Also removes what is not in the folders any more.")] = False,
) -> None:
    """Reads documents into the knowledge base; unchanged ones cost nothing, an interrupted run goes on."""
    from rich.console import Console
    from rich.progress import Progress

    from database import open_database
    from knowledge.errors import DocumentRejectedError
    from knowledge.properties import read_properties

    settings = read_settings(data_dir=data_dir)
    declared = {
        "readers": readers,
        "language": language,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "link": link,
    }
    try:
        properties = read_properties(declared)
    except DocumentRejectedError as error:
        fail(str(error))

    async def work() -> bool:
        async with open_database(settings) as database:
            with Progress(console=Console(stderr=True)) as progress:
                task = progress.add_task("reading", total=None)
                takes = database.library.ingest.telling(
                    lambda source, done, total: progress.update(
                        task, description=Path(source).name, completed=done, total=total
                    )
                )
                reports = await takes.ingest_paths(paths, properties=properties, sync=sync)
        for report in reports:
            print(f"{report.outcome:<9} {report.source} ({report.chunks} passages) {report.detail}".rstrip())
        return all(report.outcome != "rejected" for report in reports)

    if not run(work()):
        raise typer.Exit(1)


def tune(
    apply: Annotated[
        float | None, typer.Option(help="Switches to this threshold; without it nothing changes.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who decides, for the audit log.")] = "command line",
    data_dir: DataDir = None,
) -> None:
    """Shows what other thresholds for "I do not know" would do to the questions that people judged."""
    from database import open_database
    from knowledge.tuning import Tuning

    async def work() -> None:
        async with open_database(read_settings(data_dir=data_dir)) as database:
            tuning = Tuning(database.engine, database.library.search, database.audit)
            current, effects = await tuning.report()
            print("threshold  answered right  wrong  refused right  wrong")
            for one in effects:
                mark = " now" if one.threshold == current else ""
                print(
                    f"{one.threshold:9.2f}  {one.answered_right:14}  {one.answered_wrong:5}"
                    f"  {one.refused_right:13}  {one.refused_wrong:5}{mark}"
                )
            if apply is not None:
                await tuning.switch(apply, by=by)
                print(f"switched from {current:.2f} to {apply:.2f}")

    try:
        run(work())
    except ValueError as error:
        fail(str(error))


@eval_cli.command("retrieval")
def eval_retrieval(
    folders: Annotated[
        list[Path],
        typer.Argument(exists=True, help="Sets in BEIR's layout; files next to them are passed over."),
    ],
    json_file: Annotated[Path | None, typer.Option("--json", help="Also writes the figures here.")] = None,
    kept: Annotated[
        Path | None, typer.Option(help="File that keeps the documents' vectors for the next run.")
    ] = None,
) -> None:
    """Asks the questions of each set on a database of its own and compares with plain BM25 and vector search."""
    from evaluate import evaluate, table

    folders = [folder for folder in folders if folder.is_dir()]
    if not folders:
        fail("none of these is a folder with a set")
    try:
        sets = evaluate(folders, kept)
    except (OSError, KeyError, ValueError) as error:
        fail(f"not a set in BEIR's layout: {error}")
    print(table(sets))
    if json_file:
        json_file.write_text(
            json.dumps({"sets": sets}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


@eval_cli.command("agent")
def eval_agent(
    json_file: Annotated[Path | None, typer.Option("--json", help="Also writes the figures here.")] = None,
    cases: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of cases; else those shipped.")
    ] = None,
    only: Annotated[str, typer.Option(help="Cases whose id begins so: `facts`, `safety/alert`.")] = "",
    runs: Annotated[int, typer.Option(min=1, max=10, help="How often each case is asked.")] = 1,
    *,
    model: Annotated[bool, typer.Option("--model", help="With the model of RESYNC_LLM__… .")] = False,
    hostile: Annotated[
        bool,
        typer.Option("--hostile", help="With a model that obeys every order it reads, whoever wrote it."),
    ] = False,
) -> None:
    """Asks the assistant about simulated nights and compares with what their master says. Needs no model."""
    from brain.llm.settings import LlmSettings
    from evals.agent import evaluate_agent
    from evals.case import CASES, CaseError, load
    from evals.hostile import hostile_model
    from evals.report import table as figures_table

    llm = read_settings().llm if model else LlmSettings()
    if model and llm.provider == "none":
        fail("no model is configured: set RESYNC_LLM__PROVIDER and what belongs to it")
    if model and hostile:
        fail("--model and --hostile name two models")

    def on_progress(scenario: str) -> None:
        typer.echo(f"{scenario} …", err=True)

    async def work() -> dict[str, Any]:
        chosen = [case for case in load(cases or CASES) if case.id.startswith(only)]
        if not hostile:
            return await evaluate_agent(chosen, runs=runs, llm=llm, on_progress=on_progress)
        async with hostile_model() as one:
            figures = await evaluate_agent(chosen, runs=runs, llm=one.llm, on_progress=on_progress)
        typer.echo(f"The hostile model tried to carry out {one.orders} orders.", err=True)
        return figures

    try:
        figures = run(work())
    except (CaseError, ValueError) as error:
        fail(str(error))
    print(figures_table(figures))
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
