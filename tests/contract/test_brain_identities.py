"""Changes under people's own accounts in TWS: linked in private, kept encrypted, used for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from brain.actions.identities import Identities, reencrypt
from brain.tables import TWS_IDENTITIES
from security.audit import AuditLog
from security.vault import Vault, VaultError
from tests.support.brain_parts import ENGINE, OPERATOR, SUPERVISOR, Parts, accepted_by, open_parts
from tests.support.simulator import PASSWORD
from tws.actions import Action
from tws.credentials import Credentials
from tws.engines import Engines
from tws.errors import TwsDeniedError

_OWN = Credentials(username="operator", password=SecretStr(PASSWORD))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Everything under the person's own account but holds, which Resync's own makes."""
    file = tmp_path / "policy.yaml"
    file.write_text(
        "identity: own\nrules:\n"
        "  - {name: holds, actions: [hold], requires: self_confirm, identity: service}\n"
        "  - {name: for two, actions: [cancel], requires: four_eyes}\n"
        "  - {name: the rest, requires: self_confirm}\n"
    )
    return file


@pytest.fixture
async def parts(engine: AsyncEngine, tws_url: str, policy: Path) -> AsyncIterator[Parts]:
    async with open_parts(engine, tws_url, policy=policy) as opened:
        yield opened


async def test_without_a_linked_account_the_refusal_says_how_to_link_one(parts: Parts) -> None:
    refused = await parts.refuse(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    assert refused.detail == (
        "Changes like this are made under your own TWS account, and none is linked for TWS. Link it in private "
        "with PUT /api/v1/me/tws-identities/TWS; never send a password in a chat."
    )


async def test_a_change_is_made_under_the_account_of_who_asked_for_it(parts: Parts, tws_url: str) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    proposal = await parts.propose(Action.CANCEL, await parts.job("GERA_HOLERITE", "PAYDAILY"))
    assert (await parts.decide(proposal, by=SUPERVISOR)).state == "confirmed"
    (done,) = await accepted_by(tws_url)
    assert done["user"] == "operator"
    assert "approved by supervisor, requested by operator" in done["justification"]["description"]


async def test_an_api_key_does_as_well(parts: Parts, tws_url: str) -> None:
    key = Credentials(api_key=SecretStr("key-of-resync"))
    account = await parts.identities.link("operator", ENGINE, key)
    assert account.account == "API key"
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    assert (await parts.decide(proposal)).state == "confirmed"
    assert [done["user"] for done in await accepted_by(tws_url)] == ["resync"]


async def test_where_the_rule_says_so_resync_acts_and_names_the_person(parts: Parts, tws_url: str) -> None:
    proposal = await parts.propose(Action.HOLD, await parts.job("GERA_HOLERITE", "PAYDAILY"))
    assert (await parts.decide(proposal)).state == "confirmed"
    (done,) = await accepted_by(tws_url)
    assert done["user"] == "resync"
    assert "requested by operator" in done["justification"]["description"]


async def test_an_account_that_was_unlinked_since_makes_no_change(parts: Parts, tws_url: str) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    assert await parts.identities.unlink("operator", ENGINE)
    assert not await parts.identities.unlink("operator", ENGINE)
    result = await parts.decide(proposal)
    assert result.state == "refused"
    assert "none is linked for TWS" in result.detail
    assert await accepted_by(tws_url) == []


async def test_what_the_account_may_not_do_is_refused_by_the_engine(parts: Parts, tws_url: str) -> None:
    weak = Credentials(username="viewer", password=SecretStr(PASSWORD))
    await parts.identities.link("operator", ENGINE, weak)
    proposal = await parts.propose(Action.RERUN, await parts.job("PAYROLL", "PAYDAILY"))
    result = await parts.decide(proposal)
    assert result.state == "refused"
    assert "AWSJDB817E" in result.detail
    assert await accepted_by(tws_url) == []


async def test_credentials_that_the_engine_does_not_take_are_not_stored(parts: Parts) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    wrong = Credentials(username="supervisor", password=SecretStr("guess"))
    with pytest.raises(TwsDeniedError):
        await parts.identities.link("operator", ENGINE, wrong)
    account = await parts.identities.account("operator", ENGINE)
    assert account is not None
    assert account.account == "operator"


async def test_linking_again_replaces_the_account_and_each_step_is_audited(parts: Parts) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    other = Credentials(username="admin", password=SecretStr(PASSWORD))
    await parts.identities.link("operator", ENGINE, other)
    assert await parts.identities.credentials("operator", ENGINE) == other
    await parts.identities.unlink("operator", ENGINE)
    assert await parts.audited() == [
        ("operator", "link_tws_identity", "other"),
        ("operator", "link_tws_identity", "other"),
        ("operator", "unlink_tws_identity", "other"),
    ]


async def test_the_database_shows_no_secret_and_a_row_serves_nobody_else(parts: Parts) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    async with parts.engine.begin() as connection:
        (row,) = (await connection.execute(select(TWS_IDENTITIES))).mappings()
        assert PASSWORD not in str(dict(row))
        await connection.execute(update(TWS_IDENTITIES).values(actor_id="supervisor"))
    assert await parts.identities.credentials("operator", ENGINE) is None
    assert await parts.identities.credentials("supervisor", ENGINE) is None


async def test_keys_rotate_without_anybody_linking_again(parts: Parts) -> None:
    await parts.identities.link("operator", ENGINE, _OWN)
    await parts.identities.link("supervisor", ENGINE, _OWN)
    old, new = "k" * 32, "n" * 32
    assert await reencrypt(parts.engine, Vault([new, old])) == 2
    assert await _identities(parts, [new]).credentials("operator", ENGINE) == _OWN
    assert await _identities(parts, [old]).credentials("operator", ENGINE) is None
    with pytest.raises(VaultError):
        await reencrypt(parts.engine, Vault([old]))
    assert await _identities(parts, [new]).credentials("supervisor", ENGINE) == _OWN


def _identities(parts: Parts, keys: list[str]) -> Identities:
    engines = Engines({ENGINE: parts.tws}, default=ENGINE)
    return Identities(parts.engine, vault=Vault(keys), engines=engines, audit=AuditLog())


async def test_nothing_of_an_account_is_shown_of_somebody_who_has_none(parts: Parts) -> None:
    await parts.identities.link("supervisor", ENGINE, _OWN)
    assert await parts.identities.account(OPERATOR.actor_id, ENGINE) is None
