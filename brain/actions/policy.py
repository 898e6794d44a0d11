"""Who may change what, when, and with whose consent: the rules, pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from brain.actions.subject import Subject
from brain.patterns import Names, Patterns, is_like
from brain.windows import RULES, Window
from security.roles import Actor, Permission, Role
from tws.actions import Action, ObjectKind

Identity: TypeAlias = Literal["own", "service"]
"""Whose account in TWS makes the change: that of the person who asked for it, or Resync's."""


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


class Rule(BaseModel):
    """One line of the policy; what it leaves out matches everything.

    Its patterns are those of `brain.patterns`.
    """

    model_config = RULES

    name: str
    requires: Requirement
    roles: frozenset[Role] = frozenset(Role)
    actions: frozenset[Action] = frozenset(Action)
    kinds: frozenset[ObjectKind] = frozenset(ObjectKind)
    engine: Patterns = ("*",)
    folder: Patterns = ("*",)
    workstation: Patterns = ("*",)
    job_stream: Patterns = ("*",)
    job: Patterns = ("*",)
    critical: bool | None = None
    window: Names = ()
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
                is_like(getattr(subject, field), getattr(self, field))
                for field in ("engine", "folder", "workstation", "job_stream", "job")
            )
        )


class Policy(BaseModel):
    """The rules in order: the first that matches decides, and without one the change is denied."""

    model_config = RULES

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
