"""People and their identities, on real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from security.actors import ActorDirectory, DirectoryError
from security.passwords import Passwords
from security.roles import Actor, Role


@pytest.fixture
async def directory(engine: AsyncEngine) -> ActorDirectory:
    directory = ActorDirectory(engine, Passwords(rounds=4))
    await directory.add("ana", "Ana Souza", Role.OPERATOR, "correct horse")
    return directory


_ANA = Actor(actor_id="ana", display_name="Ana Souza", role=Role.OPERATOR)


async def test_name_and_password_find_the_person(directory: ActorDirectory) -> None:
    assert await directory.authenticate("ana", "correct horse") == _ANA
    assert await directory.authenticate(" Ana ", "correct horse") == _ANA
    assert await directory.authenticate("ana", "wrong") is None
    assert await directory.authenticate("bia", "correct horse") is None


async def test_a_display_name_finds_nobody(directory: ActorDirectory) -> None:
    await directory.link("ana", "slack", "T1", "U1", linked_by="admin")
    assert await directory.get("Ana Souza") is None
    assert await directory.authenticate("Ana Souza", "correct horse") is None
    assert await directory.resolve("slack", "T1", "Ana Souza") is None


async def test_without_a_password_nobody_logs_in(directory: ActorDirectory) -> None:
    await directory.add("bot", "Alerts", Role.VIEWER, None)
    assert await directory.authenticate("bot", "") is None
    assert await directory.get("bot") is not None


@pytest.mark.parametrize("username", ["", "Ana", "ana souza", "-ana", "ana\n", "аna", "a" * 65])
async def test_a_name_that_could_be_mistaken_is_refused(directory: ActorDirectory, username: str) -> None:
    with pytest.raises(DirectoryError, match="not a user name"):
        await directory.add(username, "Somebody", Role.VIEWER, "password")


async def test_an_existing_name_is_replaced_only_on_purpose(directory: ActorDirectory) -> None:
    with pytest.raises(DirectoryError, match="exists"):
        await directory.add("ana", "Mallory", Role.ADMIN, "mine now")
    assert await directory.authenticate("ana", "correct horse") == _ANA

    changed = await directory.add("ana", "Ana S.", Role.SUPERVISOR, "other", replace=True)
    assert await directory.authenticate("ana", "other") == changed
    assert await directory.authenticate("ana", "correct horse") is None


async def test_a_linked_user_is_that_person_in_that_tenant_only(directory: ActorDirectory) -> None:
    await directory.link("ana", "slack", "T1", "U1", linked_by="admin")
    await directory.link("ana", "teams", "T1", "29:x", linked_by="admin")
    assert await directory.resolve("slack", "T1", "U1") == _ANA
    assert await directory.resolve("teams", "T1", "29:x") == _ANA
    assert await directory.resolve("slack", "T2", "U1") is None
    assert await directory.resolve("teams", "T1", "U1") is None


async def test_an_identity_belongs_to_one_person(directory: ActorDirectory) -> None:
    await directory.add("bia", "Bia", Role.VIEWER, "password")
    await directory.link("ana", "slack", "T1", "U1", linked_by="admin")
    await directory.link("ana", "slack", "T1", "U1", linked_by="admin")
    with pytest.raises(DirectoryError, match="already linked"):
        await directory.link("bia", "slack", "T1", "U1", linked_by="admin")
    assert await directory.resolve("slack", "T1", "U1") == _ANA


async def test_of_two_links_at_the_same_moment_one_wins(directory: ActorDirectory) -> None:
    await directory.add("bia", "Bia", Role.VIEWER, "password")
    results = await asyncio.gather(
        *(directory.link(who, "slack", "T1", "U1", linked_by="admin") for who in ("ana", "bia")),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {type(None), DirectoryError}


async def test_nobody_cannot_be_linked(directory: ActorDirectory) -> None:
    with pytest.raises(DirectoryError, match="nobody called nobody"):
        await directory.link("nobody", "slack", "T1", "U1", linked_by="admin")


async def test_a_disabled_person_is_found_nowhere(directory: ActorDirectory) -> None:
    await directory.link("ana", "slack", "T1", "U1", linked_by="admin")
    await directory.disable("ana")
    assert await directory.get("ana") is None
    assert await directory.resolve("slack", "T1", "U1") is None
    assert await directory.authenticate("ana", "correct horse") is None
    with pytest.raises(DirectoryError, match="nobody called nobody"):
        await directory.disable("nobody")


async def test_groups_are_found_with_the_person_and_replaced_on_purpose(directory: ActorDirectory) -> None:
    added = await directory.add("bia", "Bia", Role.VIEWER, None, groups=["SAP", "sap", "Billing"])
    assert added.groups == {"sap", "billing"}
    assert await directory.get("bia") == added
    await directory.add("bia", "Bia", Role.VIEWER, None, replace=True)
    person = await directory.get("bia")
    assert person is not None
    assert person.groups == frozenset()
