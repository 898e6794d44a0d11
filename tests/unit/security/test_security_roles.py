from __future__ import annotations

from itertools import pairwise

import pytest

from security.roles import ROLE_PERMISSIONS, Actor, Permission, Role


def test_each_role_may_more_than_the_one_before() -> None:
    granted = [ROLE_PERMISSIONS[role] for role in Role]
    assert all(lesser < greater for lesser, greater in pairwise(granted))


def test_an_administrator_may_everything() -> None:
    assert ROLE_PERMISSIONS[Role.ADMIN] == set(Permission)


@pytest.mark.parametrize(
    ("permission", "least"),
    [
        (Permission.ASK, Role.VIEWER),
        (Permission.PROPOSE, Role.OPERATOR),
        (Permission.APPROVE, Role.OPERATOR),
        (Permission.APPROVE_SECOND, Role.SUPERVISOR),
        (Permission.MANAGE_DOCUMENTS, Role.SUPERVISOR),
        (Permission.ADMINISTER, Role.ADMIN),
    ],
)
def test_a_permission_begins_with_its_role(permission: Permission, least: Role) -> None:
    roles = list(Role)
    may = [Actor(actor_id="a", display_name="A", role=role).may(permission) for role in roles]
    assert may == [role in roles[roles.index(least) :] for role in roles]


def test_documents_may_name_a_group_or_any_role_up_to_the_persons_own() -> None:
    person = Actor(actor_id="a", display_name="A", role=Role.SUPERVISOR, groups=frozenset({"sap"}))
    assert person.readers == {"role:viewer", "role:operator", "role:supervisor", "group:sap"}
    assert Actor(actor_id="a", display_name="A", role=Role.VIEWER).readers == {"role:viewer"}
