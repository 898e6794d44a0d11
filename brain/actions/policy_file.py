"""Reads the policy from its YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from brain.actions.policy import Policy, Rule
from brain.rules_file import Fault, load_rules
from brain.windows import Window
from tws.actions import ACTIONS_OF

DEFAULT_POLICY = Path(str(resources.files(__package__))) / "policy.yaml"
"""What holds unless a file is named."""


def load_policy(path: Path) -> Policy:
    """The policy in the YAML file. Raises `RulesError`, also when the file cannot be read."""
    return load_rules(path, Policy, {"rules": Rule, "windows": Window}, _contradictions)


def _contradictions(policy: Policy) -> Iterator[Fault]:
    for number, rule in enumerate(policy.rules):
        for name in rule.window:
            if name not in policy.windows:
                known = ", ".join(policy.windows) or "none"
                yield ("rules", number, "window"), f"expected the name of a window ({known}), found {name!r}"
        if not any(action in ACTIONS_OF[kind] for kind in rule.kinds for action in rule.actions):
            yield ("rules", number, "actions"), "expected an action that one of the kinds knows"
