"""Selections as conman writes them, for the parameter `plan_filter`: the one place where folders can be named. Pure.

Source: the vendor's "User's Guide and Reference", conman's "Selecting jobs in commands"; forms such as
`/@/@#/@/@.@` were seen to be answered by a 10.2.8 master.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .oql import ImpossibleValueError

__all__ = ["PlanFilter"]

_PATH = re.compile(r"(?:/(?:[\w@?-]+/)*)?[\w@?-]+", re.ASCII)
"""A name, or folders and a name; `@` and `?` are wildcards."""
_ANYTHING = "/@/@"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFilter:
    """Names of an object of the plan, each with the folders it is in, e.g. `/F2/PAYDAILY`; None means any.

    A name without folders is in the root folder. Raises `ImpossibleValueError` for what is no name.
    """

    workstation: str | None = None
    job_stream: str | None = None
    job: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("workstation", self.workstation), ("job stream", self.job_stream)):
            if value is not None and not _PATH.fullmatch(value):
                raise ImpossibleValueError(name)
        if self.job is not None and ("/" in self.job or not _PATH.fullmatch(self.job)):
            raise ImpossibleValueError("job")

    def of_jobs(self) -> str:
        """Such as `/F1/WKS#/F2/STREAM.JOB`."""
        return f"{self.of_job_streams()}.{self.job or '@'}"

    def of_job_streams(self) -> str:
        """Such as `/F1/WKS#/F2/STREAM`."""
        return f"{_absolute(self.workstation)}#{_absolute(self.job_stream)}"


def _absolute(name: str | None) -> str:
    if name is None:
        return _ANYTHING
    return name if name.startswith("/") else f"/{name}"
