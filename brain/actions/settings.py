"""Settings of changes to TWS."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from brain.actions.policy import Policy
from brain.actions.policy_file import DEFAULT_POLICY, load_policy
from brain.rules_file import RulesError


class ActionSettings(BaseModel):
    """Who must approve, for how long, and how long an outcome is looked for."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    policy: Path | None = None
    """YAML file with the rules: who may change what, when, and who must approve; default: the shipped one."""
    proposal_lifetime: timedelta = timedelta(minutes=15)
    """How long a proposal can be approved (ISO 8601, e.g. PT15M)."""
    bulk_per_hour: int = Field(default=50, ge=0)
    """How many changes one person may make within an hour by proposals for many jobs at once."""
    watch_for: timedelta = timedelta(minutes=30)
    """How long a change whose outcome is unknown is looked for (ISO 8601)."""
    category: str = Field(default="Resync", max_length=128)
    """Category of the justification that the engine's audit trail gets with each change."""

    def load_policy(self) -> Policy:
        """The rules. Raises `RulesError`."""
        return load_policy(self.policy or DEFAULT_POLICY)

    def unsafe(self) -> list[str]:
        """What forbids the start: a policy that cannot be used, with file, line and column."""
        try:
            self.load_policy()
        except RulesError as error:
            return [f"RESYNC_ACTIONS__POLICY: {error}"]
        return []
