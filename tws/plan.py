"""The plan of one engine in memory: its objects, the graph of what waits for what, and who runs where. Pure.

Made for 100,000 jobs. The graph has one node for a job and two for a job stream: its begin, which its jobs wait for,
and its end, which waits for them. So one topological order covers jobs and streams alike.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from typing import Self, TypeVar

import rustworkx as rx

from .actions import PlanObject
from .contents import PlanContents, RunStatistics
from .objects import Dependency, Job, JobStream, Prompt, Resource, Workstation

RUNNING = frozenset({"INTRO", "EXEC", "SUCCP", "ABENP", "BOUND"})
"""Statuses of a job that takes a place of its workstation's and its stream's limit."""
STARTABLE = frozenset({"READY", "FENCE"})
"""Statuses of a job that only its workstation, limits or resources keep from starting."""

Owner = Job | JobStream
"""What has dependencies."""
Node = str | tuple[str]
"""The id of a job, or of a stream for its end; in a tuple for its begin."""

_Walk = Callable[[rx.PyDiGraph[Node, None], int], set[int]]
_NOBODY: frozenset[str] = frozenset()
_Ids = TypeVar("_Ids", set[str], list[str])


def followed(owner: Owner) -> Iterator[Dependency]:
    """The dependencies on jobs and job streams, those inside a join too."""
    for dependency in owner.dependencies:
        yield from dependency.members or ((dependency,) if dependency.target_id else ())


class Plan:
    """The objects as they were read. Only who made a copy with `replaced` may `put` something into it."""

    def __init__(self, contents: PlanContents, statistics: Mapping[str, RunStatistics] | None = None) -> None:
        """`statistics` are by the job's selection, `workstation#stream.job`."""
        self.engine = contents.engine
        self.read_at = contents.read_at
        self.run_number = contents.run_number
        self.starts_at = contents.starts_at
        self.ends_at = contents.ends_at
        self.statistics = statistics or {}
        self.jobs: dict[str, Job] = {}
        self.job_streams: dict[str, JobStream] = {}
        self.workstations = {one.name: one for one in contents.workstations}
        self.resources = {resource.selection: resource for resource in contents.resources}
        self.prompts = {prompt.id: prompt for prompt in contents.prompts}
        self._asked_for = {prompt.job_id: prompt.id for prompt in contents.prompts if _is_of_recovery(prompt)}
        self._running: defaultdict[str, set[str]] = defaultdict(set)
        self._startable: defaultdict[str, set[str]] = defaultdict(set)
        self._members: defaultdict[str, list[str]] = defaultdict(list)
        self._users: defaultdict[str, list[str]] = defaultdict(list)
        self._graph: rx.PyDiGraph[Node, None] = rx.PyDiGraph()
        self._nodes: dict[Node, int] = {}
        self._ids: list[str] = []
        """By index of the node."""
        self._ranks: dict[int, int] | None = None
        self._by_name: dict[str, list[Owner]] | None = None
        self._owns_graph = True
        self._lay((*contents.job_streams, *contents.jobs))

    def replaced(self, *objects: PlanObject) -> Self:
        """A copy in which these objects take the place of those with the same id; new ones are added."""
        plan = copy(self)
        plan._detach()  # noqa: SLF001 - of this class
        plan.put(*objects)
        return plan

    def put(self, *objects: PlanObject) -> None:
        """Lays the objects over those with the same id."""
        self._lay([each for each in objects if isinstance(each, Job | JobStream)])
        for each in objects:
            match each:
                case Workstation():
                    self.workstations[each.name] = each
                case Resource():
                    self.resources[each.selection] = each
                case Prompt():
                    self.prompts[each.id] = each
                    if _is_of_recovery(each):
                        self._asked_for[each.job_id] = each.id

    def owner(self, object_id: str | None) -> Owner | None:
        """The job or job stream with that id."""
        return None if object_id is None else self.jobs.get(object_id) or self.job_streams.get(object_id)

    def find(self, object_id: str) -> PlanObject | None:
        """The object with that id, of whatever kind."""
        others: list[Workstation | Resource] = [*self.workstations.values(), *self.resources.values()]
        found: PlanObject | None = self.owner(object_id) or self.prompts.get(object_id)
        return found or next((one for one in others if one.id == object_id), None)

    def named(self, name: str) -> tuple[Owner, ...]:
        """Jobs and streams by their name alone or by their selection, as `PAYROLL` or `AGT1#PAYDAILY.PAYROLL`."""
        if self._by_name is None:  # only what people typed is looked up, and the index is large
            self._by_name = defaultdict(list)
            owners: list[Owner] = [*self.job_streams.values(), *self.jobs.values()]
            for owner in owners:
                self._by_name[owner.name].append(owner)
                self._by_name[owner.selection].append(owner)
        return tuple(self._by_name.get(name, ()))

    def jobs_of(self, stream_id: str) -> list[Job]:
        """The jobs of a stream, by position."""
        jobs = [self.jobs[job_id] for job_id in self._members.get(stream_id, ())]
        return sorted(jobs, key=lambda job: (job.position, job.id))

    def successors(self, object_id: str) -> tuple[Owner, ...]:
        """The jobs and streams that follow the job or stream directly."""
        index = self._nodes.get(object_id)
        nodes = [] if index is None else self._graph.successors(index)
        # A stream's end comes after its jobs but does not follow them; its begin stands for what does.
        found = (
            self.jobs.get(node) if isinstance(node, str) else self.job_streams[node[0]] for node in nodes
        )
        return tuple(owner for owner in found if owner)

    def after(self, object_ids: Iterable[str]) -> frozenset[str]:
        """Ids of these jobs and streams and of all that come after them, over any number of steps."""
        begins = (self._nodes.get((one,), self._nodes.get(one)) for one in object_ids)
        return frozenset(map(self._ids.__getitem__, self._reached(begins, rx.descendants)))

    def running(self, place: str) -> AbstractSet[str]:
        """Ids of the jobs that run on the workstation (by name) or in the stream (by id)."""
        return self._running.get(place, _NOBODY)

    def startable(self, place: str) -> AbstractSet[str]:
        """Ids of the jobs that are READY or FENCE on the workstation (by name) or in the stream (by id)."""
        return self._startable.get(place, _NOBODY)

    def recovery_prompt(self, job_id: str) -> Prompt | None:
        """What the recovery of the job asked last."""
        prompt_id = self._asked_for.get(job_id)
        return self.prompts[prompt_id] if prompt_id else None

    def users(self, target: str) -> list[Owner]:
        """What depends on the resource (by selection) or the prompt (by id)."""
        return [found for owner_id in self._users.get(target, ()) if (found := self.owner(owner_id))]

    def in_order(self, until: Collection[str] | None = None) -> list[Node]:
        """All nodes, or those of these ids and of all before them, each after what it waits for.

        Those that wait in a circle are left out: there is no order for them.
        """
        ranks = self._ranked()
        if until is None:
            nodes = self._graph.nodes()
            return [nodes[index] for index in ranks]
        found = self._reached((self._nodes.get(one) for one in until), rx.ancestors)
        return [self._graph[index] for index in sorted(found & ranks.keys(), key=ranks.__getitem__)]

    def _ranked(self) -> dict[int, int]:
        if self._ranks is None:
            graph = self._graph
            try:
                order = list(rx.topological_sort(graph))
            except rx.DAGHasCycle:
                parts = rx.strongly_connected_components(graph)[::-1]
                order = [one[0] for one in parts if len(one) == 1 and not graph.has_edge(one[0], one[0])]
            self._ranks = {index: rank for rank, index in enumerate(order)}
        return self._ranks

    def _reached(self, starts: Iterable[int | None], walk: _Walk) -> set[int]:
        found: set[int] = set()
        for start in starts:
            if start is not None and start not in found:
                found |= walk(self._graph, start)
                found.add(start)
        return found

    def _detach(self) -> None:
        """Gives a copy tables of its own; the graph it shares until it draws."""
        self.jobs, self.job_streams = self.jobs.copy(), self.job_streams.copy()
        self.workstations, self.resources = self.workstations.copy(), self.resources.copy()
        self.prompts, self._asked_for = self.prompts.copy(), self._asked_for.copy()
        self._running, self._startable = _copied(self._running), _copied(self._startable)
        self._owns_graph, self._by_name = False, None

    def _lay(self, owners: Iterable[Owner]) -> None:
        """The one way in: objects and indexes first, then the edges, which need all nodes."""
        drawn_anew = []
        for owner in owners:
            before = self.owner(owner.id)
            if isinstance(owner, Job):
                self.jobs[owner.id] = owner
                self._count(before, owner)
            else:
                self.job_streams[owner.id] = owner
            if before is None or (
                before.dependencies is not owner.dependencies and _targets(before) != _targets(owner)
            ):
                drawn_anew.append((before, owner))
        if drawn_anew:
            self._draw(drawn_anew)

    def _count(self, before: Owner | None, job: Job) -> None:
        for index, statuses in ((self._running, RUNNING), (self._startable, STARTABLE)):
            was_in, is_in = before is not None and before.status in statuses, job.status in statuses
            if was_in != is_in:
                change = set.add if is_in else set.discard
                change(index[job.workstation], job.id)
                change(index[job.job_stream_id], job.id)

    def _draw(self, changed: list[tuple[Owner | None, Owner]]) -> None:
        if not self._owns_graph:
            self._graph, self._nodes, self._ids = self._graph.copy(), self._nodes.copy(), self._ids.copy()
            self._members, self._users = _copied(self._members), _copied(self._users)
            self._owns_graph = True
        self._ranks = self._by_name = None
        names: list[Node] = [owner.id for before, owner in changed if before is None]
        names += [(owner.id,) for before, owner in changed if before is None and isinstance(owner, JobStream)]
        self._nodes.update(zip(names, self._graph.add_nodes_from(names), strict=True))
        self._ids += (name if isinstance(name, str) else name[0] for name in names)
        edges: list[tuple[int, int]] = []
        for before, owner in changed:
            entry = self._nodes.get((owner.id,), self._nodes[owner.id])
            if before is not None:
                follows = self._edges(before, entry)
                self._graph.remove_edges_from([edge for edge in follows if self._graph.has_edge(*edge)])
            elif isinstance(owner, Job):
                self._members[owner.job_stream_id].append(owner.id)
                begin, end = self._nodes.get((owner.job_stream_id,)), self._nodes.get(owner.job_stream_id)
                edges += [(begin, entry), (entry, end)] if begin is not None and end is not None else []
            else:
                edges.append((entry, self._nodes[owner.id]))
            edges += self._edges(owner, entry)
            for target in _used(owner) - (_used(before) if before else set()):
                self._users[target].append(owner.id)
        self._graph.add_edges_from_no_data(edges)

    def _edges(self, owner: Owner, entry: int) -> set[tuple[int, int]]:
        return {(self._nodes[target], entry) for target in _targets(owner) if target in self._nodes}


def _copied(index: defaultdict[str, _Ids]) -> defaultdict[str, _Ids]:
    return defaultdict(index.default_factory, {key: copy(ids) for key, ids in index.items()})


def _is_of_recovery(prompt: Prompt) -> bool:
    return prompt.type == "Restart Prompt"


def _targets(owner: Owner) -> list[str]:
    return [one.target_id for one in followed(owner) if one.target_id]


def _used(owner: Owner) -> set[str]:
    """Keys of the resources and prompts that the owner depends on."""
    keys = {"RESOURCE": "target", "PROMPT": "id"}
    return {getattr(one, keys[one.type]) for one in owner.dependencies if one.type in keys}
