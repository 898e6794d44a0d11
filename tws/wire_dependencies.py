"""Reads what a job waits for from the engine's JSON: pure.

Source of the fields: `DependencyInPlanV2` and its members in the vendor's OpenAPI document of REST API V2.
"""

from __future__ import annotations

from .fields import Fields
from .objects import Dependency
from .wire_names import without_root

__all__ = ["read_dependency"]


def read_dependency(fields: Fields) -> Dependency:
    """One dependency of any type; a type of a newer release keeps its name and has its id for a target."""
    return Dependency(
        type=fields.text("dependencyType"),
        target=_read_target(fields) or fields.text("id"),
        target_id=fields.text("jobId") or fields.text("jobStreamId") or None,
        satisfied=fields.flag("satisfied") or fields.text("dependencyStatus") == "SATISFIED",
        predecessor_status=_read_predecessor_status(fields),
    )


def _read_target(fields: Fields) -> str:
    match fields.text("dependencyType"):
        case "INTERNAL" | "EXTERNAL_JOB":
            return f"{_on_workstation(fields.text('jobStreamWorkstation'), _job_path(fields))}"
        case "EXTERNAL_JOBSTREAM":
            return _on_workstation(fields.text("jobStreamWorkstation"), fields.text("jobStreamName"))
        case "FILE":
            file = fields.child("file")
            return _on_workstation(file.text("workstation"), file.text("name"))
        case "RESOURCE":
            return _on_workstation(fields.text("workstation"), fields.text("name"))
        case "PROMPT":
            return fields.text("promptName") or fields.text("text")
        case "INTERNETWORK":
            return f"{fields.text('networkAgent')}::{fields.text('dependency')}"
        case "JOIN":
            members = ", ".join(_read_target(member) for member in fields.children("members"))
            return f"{fields.text('joinName')} ({members})"
        case _:
            return ""


def _read_predecessor_status(fields: Fields) -> str | None:
    """A cancelled predecessor is shown as such, whatever it was before."""
    for name in ("predecessorStatus", "jobInPlanCompositeStatus", "jobStreamInPlanCompositeStatus"):
        status = fields.child(name)
        if status.names():
            return "CANCL" if status.flag("canceled") else status.text("status") or None
    return None


def _job_path(fields: Fields) -> str:
    return ".".join(part for part in (fields.text("jobStreamName"), fields.text("jobName")) if part)


def _on_workstation(workstation: str, name: str) -> str:
    return f"{without_root(workstation)}#{name}" if workstation else name
