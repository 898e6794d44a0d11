"""What the commands share: settings, messages and the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

if TYPE_CHECKING:
    from settings import Settings

_T = TypeVar("_T")
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded services.")]


def read_settings(**given: object) -> Settings:
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
        fail("\n".join(lines))
    logging.configure(settings.observability, mask_event)
    return settings


def safe_settings() -> Settings:
    """Those of production; exits with a message on unsafe ones."""
    from settings import unsafe

    settings = read_settings()
    problems = unsafe(settings)
    if problems:
        fail("\n".join(problems))
    return settings


def fail(message: str) -> NoReturn:
    """Says what was wrong and exits."""
    typer.secho(message, err=True, fg="red")
    raise typer.Exit(2)


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs to the end; a port in use or a server that is away ends it with a sentence."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except OSError as error:
        fail(str(error))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """That of uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
