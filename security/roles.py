"""Who may do what: roles and permissions, pure."""

from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """What the product distinguishes; anything not granted is denied."""

    ASK = "ask"
    PROPOSE = "propose"
    APPROVE = "approve"
    """Approve a change that needs one person."""
    APPROVE_SECOND = "approve_second"
    """Be the second pair of eyes."""
    MANAGE_DOCUMENTS = "manage_documents"
    ADMINISTER = "administer"


class Role(StrEnum):
    """The four roles; each includes the ones before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


_VIEWER = frozenset({Permission.ASK})
_OPERATOR = _VIEWER | {Permission.PROPOSE, Permission.APPROVE}
_SUPERVISOR = _OPERATOR | {Permission.APPROVE_SECOND, Permission.MANAGE_DOCUMENTS}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _SUPERVISOR | {Permission.ADMINISTER},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One person, whatever the channel."""

    actor_id: str
    """The user name; stable, never a display name."""
    display_name: str
    role: Role
    groups: frozenset[str] = field(default_factory=frozenset)
    """Teams and departments, lower case; documents may be theirs alone."""

    @property
    def readers(self) -> frozenset[str]:
        """What a document may name for this person to read it: `group:sap`, `role:viewer` up to their own role."""
        roles = list(Role)
        below = roles[: roles.index(self.role) + 1]
        return frozenset({*(f"role:{role}" for role in below), *(f"group:{group}" for group in self.groups)})

    def may(self, permission: Permission) -> bool:
        """Whether the role grants it."""
        return permission in ROLE_PERMISSIONS[self.role]
