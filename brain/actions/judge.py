"""What the policy says about changes to the objects as they are."""

from collections.abc import Sequence
from datetime import UTC, datetime

from brain.actions.policy import Decision, Policy, Requirement
from brain.actions.proposal import Item
from brain.actions.subject import subject_of
from security.roles import Role
from tws.mirror.plans import Plans
from tws.plan import Plan

_STRICTEST_FIRST = tuple(Requirement)


class Judge:
    """The policy, and the plans that tell which objects are critical."""

    def __init__(self, policy: Policy, plans: Plans) -> None:
        self._policy = policy
        self._plans = plans

    async def plan(self, engine: str) -> Plan | None:
        """The plan of the engine as far as it is known."""
        return await self._plans.current(engine)

    async def decide(self, role: Role, engine: str, items: Sequence[Item]) -> Decision:
        """The strictest of what the policy says about each of the changes, for somebody of this role, now."""
        plan = await self.plan(engine)
        decisions = [self.decide_one(role, engine, item, plan) for item in items]
        return min(decisions, key=lambda decision: _STRICTEST_FIRST.index(decision.requirement))

    def decide_one(self, role: Role, engine: str, item: Item, plan: Plan | None) -> Decision:
        """What the policy says about one change."""
        subject = subject_of(engine, item.change, item.before, plan)
        return self._policy.decide(role, item.change.action, subject, datetime.now(UTC))
