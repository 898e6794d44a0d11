"""Who may change what, when, and with whose consent: the rules, pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from brain.actions.subject import Subject
from security.roles import Actor, Permission, Role
from tws.actions import Action, ObjectKind

Identity: TypeAlias = Literal["own", "service"]
"""Whose account in TWS makes the change: that of the person who asked for it, or Resync's."""

_Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = get_args(_Day)


class Requirement(StrEnum):
    """What a rule asks for, from the strictest to the least."""

    DENIED = "denied"
    FOUR_EYES = "four_eyes"
    """A second person, never the one who asked."""
    SELF_CONFIRM = "self_confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy says about one change, and the name of the rule that says it."""

    requirement: Requirement
    rule: str
    identity: Identity


def _read_dates(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("..")
    return (first, last or first)


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Dates = Annotated[tuple[date, date], BeforeValidator(_read_dates)]
_Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
_MODEL = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_min_length=1)


class Window(BaseModel):
    """A span of time: it holds while a clock on the wall in its zone shows a time in it.

    So at the end of summer time an hour that is shown twice counts twice, and at its beginning a time that no
    clock shows never comes. From 22:00 to 06:00 goes over midnight and belongs to the day on which it began.
    """

    model_config = _MODEL

    dates: tuple[_Dates, ...] = ()
    """`2026-12-24` or `2026-12-24..2027-01-02`, the last day included; empty means every date."""
    weekdays: frozenset[_Day] = frozenset(_DAYS)
    begins: Annotated[time, Field(alias="from")] = time(0)
    ends: Annotated[time, Field(alias="to")] = time(0)
    """Exclusive; the same as `from` means a whole day."""
    time_zone: ZoneInfo | None = None

    def covers(self, now: datetime, zone: tzinfo) -> bool:
        """Whether the moment lies in the window; `zone` counts where the window has none of its own."""
        local = now.astimezone(self.time_zone or zone)
        clock, today = local.time(), local.date()
        if self.begins < self.ends:
            return self.begins <= clock < self.ends and self._has(today)
        yesterday = today - timedelta(days=1)
        return (clock >= self.begins and self._has(today)) or (clock < self.ends and self._has(yesterday))

    def _has(self, day: date) -> bool:
        in_dates = not self.dates or any(first <= day <= last for first, last in self.dates)
        return in_dates and _DAYS[day.weekday()] in self.weekdays


class Rule(BaseModel):
    """One line of the policy; what it leaves out matches everything.

    Patterns know `*` (or `@`) and `?`, upper and lower case are the same. A pattern other than `*` never matches
    an object that has no such name: a rule for jobs `PAY*` says nothing about a workstation.
    """

    model_config = _MODEL

    name: str
    requires: Requirement
    roles: frozenset[Role] = frozenset(Role)
    actions: frozenset[Action] = frozenset(Action)
    kinds: frozenset[ObjectKind] = frozenset(ObjectKind)
    engine: _Names = ("*",)
    folder: _Names = ("*",)
    workstation: _Names = ("*",)
    job_stream: _Names = ("*",)
    job: _Names = ("*",)
    critical: bool | None = None
    window: _Names = ()
    """Names of windows; the rule holds in any of them, without any always."""
    identity: Identity | None = None

    def matches(self, role: Role, action: Action, subject: Subject) -> bool:
        """Whether the rule speaks of this, whatever the time."""
        return (
            role in self.roles
            and action in self.actions
            and subject.kind in self.kinds
            and self.critical in {None, subject.is_critical}
            and all(
                any(_is_like(getattr(subject, field), pattern) for pattern in getattr(self, field))
                for field in ("engine", "folder", "workstation", "job_stream", "job")
            )
        )


class Policy(BaseModel):
    """The rules in order: the first that matches decides, and without one the change is denied."""

    model_config = _MODEL

    time_zone: ZoneInfo | None = None
    """Of windows that name none; UTC without."""
    identity: Identity = "service"
    windows: dict[str, Window] = Field(default_factory=dict)
    rules: tuple[Rule, ...]

    def decide(self, role: Role, action: Action, subject: Subject, now: datetime) -> Decision:
        """What the policy asks of somebody with this role who wants to do this now."""
        for rule in self.rules:
            if rule.matches(role, action, subject) and self._holds(rule, now):
                return Decision(
                    requirement=rule.requires, rule=rule.name, identity=rule.identity or self.identity
                )
        return Decision(requirement=Requirement.DENIED, rule="", identity=self.identity)

    def _holds(self, rule: Rule, now: datetime) -> bool:
        zone = self.time_zone or UTC
        return not rule.window or any(self.windows[name].covers(now, zone) for name in rule.window)


def why_not(actor: Actor, decision: Decision, *, requires: Requirement, proposed_by: str) -> str | None:
    """Why the actor may not approve, as a key of the phrases; None if they may.

    `decision` is the policy's for the actor now, `requires` what it asked of the one who proposed the change.
    """
    if not actor.may(Permission.APPROVE) or decision.requirement is Requirement.DENIED:
        return "refused_not_permitted"
    if Requirement.FOUR_EYES in {requires, decision.requirement}:
        if actor.actor_id == proposed_by:
            return "refused_same_person"
        if not actor.may(Permission.APPROVE_SECOND):
            return "refused_second_person"
    return None


def _is_like(name: str, pattern: str) -> bool:
    return fnmatchcase(name.upper(), pattern.upper().replace("@", "*"))
