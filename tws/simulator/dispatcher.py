"""The READY jobs in the order in which they are launched, parked under what they wait for."""

from __future__ import annotations

import heapq
from collections import defaultdict
from datetime import datetime

from .runs import JobState
from .waits import ResourceState

_Entry = tuple[tuple[int, datetime, str, int, str], int, JobState]
"""Launch order, ticket, job."""
_FRESH = ""


class Dispatcher:
    """Queues by id of the workstation, stream or resource that keeps the jobs from being launched.

    All that a workstation or a stream keeps back wait behind the first of them, so a free place concerns the first
    job only; a free unit of a resource may be enough for any.
    """

    def __init__(self) -> None:
        self._queues: dict[str, list[_Entry]] = defaultdict(list)
        self._awake: dict[str, None] = {}
        """Queues whose first job may have become free; a dict for its order."""
        self._ready: dict[str, dict[str, JobState]] = defaultdict(dict)
        """By id of the workstation and of the stream: their READY jobs."""
        self._short: dict[str, dict[str, JobState]] = defaultdict(dict)
        """The same for those of them that wait for a resource."""

    def offer(self, job: JobState) -> None:
        """Has the job considered."""
        self.withdraw(job)
        for owner in (job.workstation.id, job.stream.plan.id):
            self._ready[owner][job.plan.id] = job
        self._park(job, _FRESH)
        self._awake[_FRESH] = None

    def withdraw(self, job: JobState) -> None:
        """Forgets the job; nothing happens if it is unknown."""
        job.ticket += 1
        for owner in (job.workstation.id, job.stream.plan.id):
            self._ready[owner].pop(job.plan.id, None)
            self._short[owner].pop(job.plan.id, None)

    def park(self, job: JobState, key: str, *, is_resource: bool) -> None:
        """Lets the job wait until that workstation, stream or resource wakes."""
        job.ticket += 1
        for owner in (job.workstation.id, job.stream.plan.id) if is_resource else ():
            self._short[owner][job.plan.id] = job
        self._awake.pop(key, None)
        self._park(job, key)

    def next(self) -> JobState | None:
        """The first job to be considered, taken out of its queue; None if nothing is awake."""
        while self._awake:
            first: str | None = None
            for key in list(self._awake):
                queue = self._queues[key]
                while queue and queue[0][2].ticket != queue[0][1]:
                    heapq.heappop(queue)
                if not queue:
                    del self._awake[key]
                elif first is None or queue[0] < self._queues[first][0]:
                    first = key
            if first is not None:
                return heapq.heappop(self._queues[first])[2]
        return None

    def wake(self, key: str) -> None:
        """One more job may run at that workstation or in that stream."""
        self._awake[key] = None

    def short_of_resource(self, key: str) -> list[JobState]:
        """The jobs of that workstation or stream that wait for a resource."""
        return list(self._short[key].values())

    def wake_resource(self, resource: ResourceState) -> None:
        """More units may be free."""
        self._queues[_FRESH] += self._queues.pop(resource.id, [])
        heapq.heapify(self._queues[_FRESH])
        self._awake[_FRESH] = None

    def wake_all(self, key: str) -> None:
        """Anything may have changed at that workstation or stream."""
        for job in list(self._ready[key].values()):
            self.offer(job)

    def _park(self, job: JobState, key: str) -> None:
        heapq.heappush(self._queues[key], (job.launch_order, job.ticket, job))
