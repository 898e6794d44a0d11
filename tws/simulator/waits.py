"""What jobs wait for: workstations, resources, prompts, and the dependencies themselves in motion."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from .definition import Asks, Workstation
from .plan import Dependency, Join, Needs, Opens

if TYPE_CHECKING:
    from .runs import Node, Run

PREDECESSOR, PROMPT, FILE, RESOURCE = range(4)
"""Families of dependencies, in the order in which they are named as the reason of a wait."""
_FAMILIES: dict[type, int] = {Asks: PROMPT, Opens: FILE, Needs: RESOURCE}


@dataclass(slots=True, kw_only=True, eq=False)
class WorkstationState:
    """A workstation."""

    id: str
    name: str
    plan: Workstation
    limit: int
    fence: int
    is_linked: bool
    is_stopped: bool
    """Whether jobman was stopped by hand."""
    is_ignored: bool
    members: list[WorkstationState] | None = None
    """Of a pool."""
    busy: int = 0
    """How many of its own jobs run; those of a pool count for the pool alone."""
    pooled: int = 0
    """How many jobs of pools run there."""

    @property
    def is_up(self) -> bool:
        """Whether jobs can be launched there."""
        return self.is_linked and not self.is_stopped


@dataclass(slots=True, kw_only=True, eq=False)
class ResourceState:
    """A resource."""

    id: str
    name: str
    workstation: str
    quantity: int
    in_use: int = 0
    holders: dict[Node, int] = field(default_factory=dict)
    """Who holds how many units."""

    @property
    def free(self) -> int:
        """Below 0 after units were handed out that did not exist."""
        return self.quantity - self.in_use


@dataclass(slots=True, kw_only=True, eq=False)
class PromptState:
    """A question."""

    id: str
    name: str
    """Empty for one that belongs to a single job or stream."""
    number: int
    text: str
    owner: Node | None = None
    """Of a prompt without a name."""
    run: Run | None = None
    """The run whose recovery waits for the answer."""
    status: str = "NOT_ASKED"
    waits: list[Wait] = field(default_factory=list)
    asked_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def type(self) -> str:
        """As the REST API names it."""
        if self.run:
            return "Restart Prompt"
        return "Predefined Prompt" if self.name else "Ad Hoc Prompt"


@dataclass(slots=True, kw_only=True, eq=False)
class Wait:
    """One dependency of a job or stream. What was satisfied once stays so."""

    owner: Node
    one: Dependency
    number: int
    """Its index among the owner's dependencies; of a join's member, in the join."""
    target: Node | None = None
    """The predecessor; None where it is not in the plan."""
    is_pending: bool = False
    """It may come with a later plan; without this it cannot come any more."""
    is_overlap: bool = False
    """The predecessor is an earlier instance of the same stream."""
    is_satisfied: bool = False
    is_impossible: bool = False
    """The predecessor ended, and its status is none of the conditions."""
    outside: str = "EXTRN"
    """Status of a predecessor in another network."""
    prompt: PromptState | None = None
    resource: ResourceState | None = None
    members: list[Wait] = field(default_factory=list)
    """Of a join."""
    join: Wait | None = None
    """Which this is a member of."""

    family: int = field(init=False)
    """What kind of thing is waited for."""

    def __post_init__(self) -> None:
        self.family = _FAMILIES.get(type(self.one), PREDECESSOR)

    def lacks(self, *, is_held: bool) -> ResourceState | None:
        """The resource that has too few units: for an owner that is held in all, else now. None if there are enough."""
        if self.resource is None or self.is_satisfied or self.owner in self.resource.holders:
            return None
        have = self.resource.quantity if is_held else self.resource.free
        return self.resource if self.units > have else None

    @property
    def id(self) -> str:
        """For callers; that of a prompt is what a reply takes."""
        if self.join:
            return f"{self.join.id}-{self.number}"
        return self.prompt.id if self.prompt else f"{self.owner.plan.id}-{self.number}"

    @property
    def units(self) -> int:
        """Of the resource."""
        return self.one.quantity if isinstance(self.one, Needs) else 0

    def predecessors(self) -> Iterator[Node]:
        """The jobs and streams of this plan that it is on."""
        for one in self.members or (self,):
            if one.target is not None:
                yield one.target

    def is_stuck_on(self, blocked: Collection[Node]) -> bool:
        """Whether it cannot be satisfied as long as those jobs do not go on."""
        if isinstance(self.one, Join):
            alive = sum(one.is_satisfied or not one.is_stuck_on(blocked) for one in self.members)
            return alive < self.one.needed
        return not self.is_satisfied and self.target in blocked
