"""Who is told of which incident, how, and when not: the rules. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field

from brain.patterns import Names, Patterns, is_like
from brain.rules_file import Fault, load_rules
from brain.windows import RULES, Days, Window

from .troubles import SEVERITIES, Severity

Way: TypeAlias = Literal["card", "digest"]
"""A message of its own that changes in place, or a line of one that lists several."""

TARGET = r"(slack|teams):[^:\s]+:\S+|(person|webhook):\S+|mail:[^@\s]+@[^@\s]+"
PERSON = "person:"
HOUR = timedelta(hours=1)
_PATTERNS = ("engine", "folder", "workstation", "job_stream", "job")


def _targets(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if is_like(name, (f"re:{TARGET}",)):
            continue
        raise ValueError(
            f"{name!r} is none of slack:TEAM:CHANNEL, teams:TENANT:CONVERSATION, person:NAME, webhook:NAME, mail:ADDRESS"
        )
    return names


Targets = Annotated[Names, AfterValidator(_targets)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the rules look at."""

    what: str = ""
    """The thing of which `per_job_hour` counts cards."""
    engine: str
    folder: str = ""
    workstation: str = ""
    job_stream: str = ""
    job: str = ""
    severity: Severity = "low"
    sources: frozenset[str] = frozenset()
    """Those who reported it; none where the plan itself showed it."""


class About(BaseModel):
    """Which incidents a rule speaks of: by what stands behind them. What it leaves out matches all."""

    model_config = RULES

    name: str
    engine: Patterns = ("*",)
    folder: Patterns = ("*",)
    workstation: Patterns = ("*",)
    job_stream: Patterns = ("*",)
    job: Patterns = ("*",)

    def is_about(self, subject: Subject) -> bool:
        """Whether all of its patterns match."""
        return all(is_like(getattr(subject, name), getattr(self, name)) for name in _PATTERNS)


class Route(About):
    """Tells somebody. All that match are followed, up to and including one with `last`."""

    to: Targets = Field(min_length=1)
    severity: Severity = "low"
    """From this one on."""
    source: Names = ()
    """Only what one of these reported; empty: whoever did, also nobody."""
    window: Names = ()
    """Names of windows in which it holds; without any always."""
    unacknowledged_for: Days = timedelta(0)
    """Only once nobody has acknowledged it for so long (escalation)."""
    quiet: Names = ()
    """Names of windows in which nothing but what is critical comes at once; the rest follows as one list."""
    digest: Days = timedelta(0)
    """Instead of each for itself, as one list every so often; what is critical comes at once."""
    per_hour: int | None = Field(default=None, ge=1)
    """So many cards an hour for each target; what is more comes as one list, but for what is critical."""
    per_job_hour: int | None = Field(default=None, ge=1)
    """The same for one job, or whatever stands behind it."""
    last: bool = False


class Maintenance(About):
    """Nothing is posted of what it is about, however critical; what is still there afterwards is."""

    window: Names = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Somebody is told."""

    route: str
    target: str
    way: Way = "card"
    wait: timedelta = timedelta(0)
    """Before the list may be posted."""


@dataclass(slots=True)
class Told:
    """How many cards of this hour each target has, and of those how many about the same thing."""

    cards: dict[str, int] = field(default_factory=dict)
    same: dict[tuple[str, str], int] = field(default_factory=dict)

    def count(self, target: str, subject: str) -> None:
        """One more."""
        self.cards[target] = self.cards.get(target, 0) + 1
        self.same[target, subject] = self.same.get((target, subject), 0) + 1


class Routes(BaseModel):
    """The rules in order. Without any nobody is told."""

    model_config = RULES

    time_zone: ZoneInfo | None = None
    """Of windows that name none; UTC without."""
    windows: Mapping[str, Window] = Field(default_factory=dict)
    maintenance: tuple[Maintenance, ...] = ()
    routes: tuple[Route, ...] = ()

    def deliveries(
        self,
        subject: Subject,
        now: datetime,
        *,
        unacknowledged_for: timedelta | None,
        told: Told,
        reach: Mapping[str, Collection[str]],
    ) -> Iterator[Delivery]:
        """Who is to be told now; the first rule for a target says how.

        `unacknowledged_for` is None once somebody has acknowledged it. `reach` has the targets of people.
        """
        seen: set[str] = set()
        for route in self.routes:
            if not self.follows(route, subject, now):
                continue
            is_time = not route.unacknowledged_for or (
                unacknowledged_for is not None and unacknowledged_for >= route.unacknowledged_for
            )
            targets = (place for name in route.to for place in reach.get(name, (name,)))
            for target in targets if is_time else ():
                if target not in seen:
                    seen.add(target)
                    yield self._delivery(route, target, subject, now, told)
            if route.last and is_time:
                return

    @property
    def people(self) -> frozenset[str]:
        """The people that rules name, as `person:NAME`."""
        return frozenset(name for route in self.routes for name in route.to if name.startswith(PERSON))

    @property
    def has_limits(self) -> bool:
        """Whether anything has to be counted."""
        return any(route.per_hour or route.per_job_hour for route in self.routes)

    def follows(self, route: Route, subject: Subject, now: datetime) -> bool:
        """Whether the route is about the subject and holds now."""
        return (
            route.is_about(subject)
            and SEVERITIES.index(subject.severity) <= SEVERITIES.index(route.severity)
            and (not route.source or not subject.sources.isdisjoint(route.source))
            and (not route.window or self.covers(route.window, now))
        )

    def under_maintenance(self, subject: Subject, now: datetime) -> str | None:
        """The name of the maintenance that the subject is in."""
        for one in self.maintenance:
            if one.is_about(subject) and self.covers(one.window, now):
                return one.name
        return None

    def is_quiet(self, route: str, now: datetime) -> bool:
        """Whether lists of the route have to wait."""
        return any(one.name == route and self.covers(one.quiet, now) for one in self.routes)

    def covers(self, windows: tuple[str, ...], now: datetime) -> bool:
        """Whether one of the windows holds now."""
        return any(self.windows[name].covers(now, self.time_zone or UTC) for name in windows)

    def _delivery(self, route: Route, target: str, subject: Subject, now: datetime, told: Told) -> Delivery:
        def listed(wait: timedelta) -> Delivery:
            return Delivery(route=route.name, target=target, way="digest", wait=wait)

        if subject.severity == "critical":
            return Delivery(route=route.name, target=target)
        if self.covers(route.quiet, now):
            return listed(timedelta(0))
        if route.digest:
            return listed(route.digest)
        is_enough = route.per_hour is not None and told.cards.get(target, 0) >= route.per_hour
        is_same = (
            route.per_job_hour is not None and told.same.get((target, subject.what), 0) >= route.per_job_hour
        )
        return listed(HOUR) if is_enough or is_same else Delivery(route=route.name, target=target)


def load_routes(path: Path) -> Routes:
    """The rules in the YAML file. Raises `RulesError`."""
    parts: dict[str, type[BaseModel]] = {"routes": Route, "maintenance": Maintenance, "windows": Window}
    return load_rules(path, Routes, parts, _contradictions)


def _contradictions(routes: Routes) -> Iterator[Fault]:
    known = ", ".join(routes.windows) or "none"
    for section, rules in (("routes", routes.routes), ("maintenance", routes.maintenance)):
        names: set[str] = set()
        for number, rule in enumerate(rules):
            for key in ("window", "quiet"):
                for name in getattr(rule, key, ()):
                    if name not in routes.windows:
                        yield (
                            (section, number, key),
                            f"expected the name of a window ({known}), found {name!r}",
                        )
            if rule.name in names:
                yield (section, number, "name"), f"the name {rule.name!r} stands already"
            names.add(rule.name)
