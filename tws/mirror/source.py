"""What the mirror asks of an engine and what it tells about it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from tws.contents import PlanInfo
from tws.objects import Job, JobStream, Prompt, Resource, Workstation
from tws.oql import Condition

Node = tuple[str, str]
"""Kind and name, e.g. `("job", "AGT1#PAYDAILY.PAYROLL")`."""
Edge = tuple[str, str, str, str, str]
"""Kind and name, relation, kind and name, e.g. `("job", "A#S.J", "runs_on", "workstation", "A")`."""
Guard = Callable[[AsyncConnection], Awaitable[None]]
"""Raises unless the caller may write in this connection's transaction; called before its first write."""
GraphSync = Callable[
    [str, AsyncIterator[list[Node]], AsyncIterator[list[Edge]], Guard, datetime, datetime], Awaitable[None]
]
"""Takes the name of a source with all its nodes and edges, page by page, when they were read, and the moment before
which nothing has to be remembered."""


class PlanSource(Protocol):
    """The reads of `TwsClient` that the mirror needs; each raises the errors of `tws.errors`."""

    async def plan_info(self) -> PlanInfo:
        """The present plan's run number and dates."""

    def all_jobs(self, *conditions: Condition) -> AsyncIterator[tuple[Job, ...]]:
        """The jobs to which all conditions apply, with their dependencies, page by page."""

    def all_job_streams(
        self, *conditions: Condition, with_dependencies: bool = True
    ) -> AsyncIterator[tuple[JobStream, ...]]:
        """The job streams to which all conditions apply, page by page."""

    async def workstations(self) -> tuple[Workstation, ...]:
        """All workstations."""

    async def resources(self) -> tuple[Resource, ...]:
        """All resources."""

    async def prompts(self) -> tuple[Prompt, ...]:
        """All prompts."""
