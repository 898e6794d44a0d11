"""Reads definitions and the engine's catalogue of actions from its JSON, what `shapes.yaml` alone cannot say: pure."""

from .fields import Fields
from .model import ActionInfo, JobDefinition, JobStreamDefinition
from .shapes import shaped
from .wire_plan import read_task


def read_job_definition(fields: Fields) -> JobDefinition:
    """One definition in its envelope."""
    inner = fields.child("def")
    login = ", ".join(inner.texts("userLogins"))
    return shaped(JobDefinition, inner, login=login, task=read_task(inner.child("task")))


def read_job_stream_definition(fields: Fields) -> JobStreamDefinition:
    """One definition in its envelope, or, in REST API V1, without one."""
    inner = fields.child("def") if "def" in fields.names() else fields
    return shaped(
        JobStreamDefinition,
        inner,
        is_draft="draft" in inner.texts("options"),
        jobs=tuple(job.text("name") for job in inner.children("jobs")),
    )


def read_members(fields: Fields) -> tuple[str, ...]:
    """The names of a pool's members, from its definition in its envelope."""
    return tuple(one.short_name("workstation") for one in fields.child("def").children("members"))


def read_actions(payload: object) -> dict[str, tuple[ActionInfo, ...]]:
    """The actions by type of object, e.g. `JOB_IN_PLAN`."""
    types = Fields(payload)
    return {
        name: tuple(shaped(ActionInfo, action) for action in types.child(name).children("actions"))
        for name in types.names()
    }


def read_permissions(payload: object) -> dict[str, frozenset[str]]:
    """The accesses that the Security file gives the caller by type of object, e.g. `RERUN` on `JOB`."""
    types = Fields(payload)
    given = {name: types.text(name).split(",") for name in types.names()}
    return {name: frozenset(access.strip() for access in some) - {""} for name, some in given.items()}
