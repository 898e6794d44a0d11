"""What an engine tells beside the objects of its plan: itself, its definitions, its catalogue of actions. Pure types.

Source of names: `EngineInfoV2`, `JobDefinition`, `JobStream`, `FileInPlanV2` and `ActionMetadataV2` of the vendor's
OpenAPI document of REST API V2.
"""

from dataclasses import dataclass

from .objects import Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Who answers."""

    version: str
    """Such as `10.2.8`; empty where the engine does not say."""
    time_zone: str
    """IANA name of the master's time zone; empty where the engine does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition(Placed):
    """A job in the model; its id is what a submit takes."""

    folder: str
    description: str
    login: str
    task: str
    """Script or command, where the engine returns one."""
    recovery: str
    """`STOP`, `CONTINUE`, `RERUN`, …; empty where the engine does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStreamDefinition(Placed):
    """A job stream in the model; its id is what a submit takes."""

    folder: str
    description: str
    time_zone: str
    is_draft: bool
    """A draft is not planned."""
    on_overlap: str
    """`parallel`, `enqueue` or `donotstart`."""
    jobs: tuple[str, ...]
    """Names of its jobs in the order of the definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile(Placed):
    """A file that something in the plan waits for."""

    status: str
    """`Not Checked`, `Checking`, `Exists`, `Unavailable`, `Resync`."""
    qualifier: str
    """Condition of the test, e.g. `-f %p`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInfo:
    """How an engine says that one of its actions is called."""

    key: str
    """As in the `actions` of objects, e.g. `RERUN_JOB`."""
    method: str
    path: str
    """Template with `{…}` for the id."""
