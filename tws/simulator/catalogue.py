"""What `plans/*.yaml` say: the streams of a night, why some of their jobs fail, and what scripts print.

Times are minutes after the start of the plan, durations minutes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, model_validator

__all__ = [
    "FOLDER",
    "Asks",
    "CatalogueError",
    "Fault",
    "JobDefinition",
    "Night",
    "Resource",
    "StreamDefinition",
    "Workstation",
    "load",
]

_T = TypeVar("_T")
_Step = Annotated[tuple[str, ...], BeforeValidator(lambda step: [step] if isinstance(step, str) else step)]
"""Jobs side by side; one job may stand without its list."""


class CatalogueError(ValueError):
    """A file is not as it should be; the message names the file, the keys and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workstation:
    """A workstation, its limit and whether it is linked."""

    type: str
    """Value of the enum `WorkstationType`."""
    os: str
    description: str
    limit: int
    """Jobs at a time; 0 stops everything but `hi` and `go`."""
    is_linked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource with so many units."""

    workstation: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a job ends badly."""

    return_code: int | None
    """None where nothing was launched."""
    minutes: int
    """How long the first run lasts."""
    script: str
    """The output, a template."""
    heals: bool = False
    """Whether a rerun succeeds, because the cause went away meanwhile."""
    is_launched: bool = True
    """False: the job could not even be launched, its status is FAIL and not ABEND."""

    @property
    def status(self) -> str:
        """Of a run that ends so."""
        return "ABEND" if self.is_launched else "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """A question an operator must answer with yes."""

    prompt: str
    text: str
    number: int


class _Definition(BaseModel):
    """What jobs and streams have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deadline: int | None = None
    follows: tuple[str, ...] = ()
    """`STREAM` or `STREAM.JOB`."""
    opens: dict[str, int | None] = {}
    """Files, with the minute of their arrival; None: nobody delivers it today."""


class JobDefinition(_Definition):
    """What is special about a job."""

    minutes: int | None = None
    """Estimated duration; None: it is drawn."""
    starts: int | None = None
    """Earliest start."""
    login: str | None = None
    """Logon; None: the usual one of its area."""
    priority: int = 10
    is_critical: bool = False
    is_held: bool = False
    """Whether it starts the day with priority 0."""
    needs: tuple[str, ...] = ()
    """Resources, one unit each."""
    asks: Asks | None = None


class StreamDefinition(_Definition):
    """A stream. The jobs of a step run side by side; each waits for the whole step before it."""

    workstation: str
    starts: int
    every: int | None = None
    """Repeated all day after so many minutes, streams and jobs named after the hour; None: it is there once."""
    limit: int | None = None
    steps: tuple[_Step, ...]
    jobs: dict[str, JobDefinition] = {}
    """By name, those with something special about them."""

    def copies(self, every: int) -> Iterator[tuple[str, StreamDefinition]]:
        """The stream through the day, with the hour that is part of its name, e.g. `0015`."""
        for minute in range(0, 24 * 60, every):
            hour = f"{minute // 60:02}{minute % 60:02}"
            steps = tuple(tuple(f"{job}_{hour}" for job in step) for step in self.steps)
            jobs = {f"{job}_{hour}": special for job, special in self.jobs.items()}
            yield hour, self.model_copy(update={"starts": self.starts + minute, "steps": steps, "jobs": jobs})


class Night(BaseModel):
    """`night.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workstations: dict[str, Workstation]
    resources: dict[str, Resource]
    streams: dict[str, StreamDefinition]
    faults: dict[str, Fault]
    """By `STREAM.JOB`."""

    def instances(self) -> dict[str, StreamDefinition]:
        """The streams by name, repeated ones once for each of their times, in order of start."""
        found: dict[str, StreamDefinition] = {}
        for name, stream in self.streams.items():
            if stream.every is None:
                found[name] = stream
            else:
                found |= {name + hour: copy for hour, copy in stream.copies(stream.every)}
        return dict(sorted(found.items(), key=lambda item: item[1].starts))

    @model_validator(mode="after")
    def _names_are_known(self) -> Night:
        streams = self.instances()
        jobs = {f"{name}.{job}" for name, one in streams.items() for step in one.steps for job in step}
        named: list[tuple[str, Iterable[str], Container[str]]] = [("faults", self.faults, jobs)]
        for name, stream in streams.items():
            special = {f"{name}.{job}": definition for job, definition in stream.jobs.items()}
            named += [
                (f"streams.{name}.workstation", [stream.workstation], self.workstations),
                (f"streams.{name}.jobs", special, jobs),
                (f"streams.{name}.follows", stream.follows, jobs | streams.keys()),
            ]
            for job, definition in special.items():
                named += [(f"{job}.follows", definition.follows, jobs | streams.keys())]
                named += [(f"{job}.needs", definition.needs, self.resources)]
        for key, names, known in named:
            if unknown := [name for name in names if name not in known]:
                raise ValueError(f"{key}: nothing is named {', '.join(unknown)}")
        return self


FOLDER = resources.files(__package__)
"""Where the files are."""


def load(file: Traversable, form: type[_T]) -> _T:
    """The content of a YAML file. Raises CatalogueError."""
    try:
        return TypeAdapter(form).validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise CatalogueError(f"{file.name}: {error}") from None
    except ValidationError as error:
        found = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise CatalogueError(f"{file.name}: {'; '.join(found)}") from None
