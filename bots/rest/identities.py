"""Who people are elsewhere: `/api/v1/me/tws-identities`, the only way in for their passwords, and `/api/v1/me/link-code`."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from bots.problems import ProblemError
from brain.actions.identities import Identities
from security.linking import LinkCodes
from tws.credentials import Credentials
from tws.errors import TwsDeniedError, TwsError

from .auth import Limits
from .body import read_json
from .endpoint import ACTOR, json_response
from .models import LinkCodeView, TwsCredentials, TwsIdentity


@dataclass(frozen=True, slots=True)
class IdentityRoutes:
    """Everybody sees, links and forgets their own; `link_rate` holds for one person."""

    identities: Identities
    limits: Limits
    link_rate: str
    links: LinkCodes

    async def link_code(self, request: web.Request) -> web.Response:
        """Get a code by which a chat knows you; one that you got before is void."""
        actor = request[ACTOR]
        await self.limits.check(self.link_rate, f"link-code:{actor.actor_id}")
        try:
            issued = await self.links.issue(actor.actor_id)
        except (OSError, DBAPIError) as error:
            raise ProblemError(503, "database_away", "The database does not answer; try again.") from error
        return json_response(LinkCodeView.model_validate(issued))

    async def show(self, request: web.Request) -> web.Response:
        """Which account your changes are made under; 404 when none is linked."""
        account = await self.identities.account(request[ACTOR].actor_id, request.match_info["engine"])
        if account is None:
            raise _not_linked()
        return json_response(TwsIdentity.model_validate(account))

    async def link(self, request: web.Request) -> web.Response:
        """Link your own account; it is tried on the engine before it is stored, encrypted."""
        actor, engine = request[ACTOR], request.match_info["engine"]
        # Without a limit this would be a way to guess passwords of TWS.
        await self.limits.check(self.link_rate, f"link:{actor.actor_id}")
        body = await read_json(request, TwsCredentials)
        credentials = Credentials(username=body.username, password=body.password, api_key=body.api_key)
        try:
            account = await self.identities.link(actor.actor_id, engine, credentials)
        except KeyError as error:
            raise ProblemError(404, "engine_not_found", "There is no engine of that name.") from error
        except TwsDeniedError as error:
            raise ProblemError(422, "tws_denied", "TWS does not accept these credentials.") from error
        except TwsError as error:
            raise ProblemError(503, "tws_away", "TWS could not be asked; try again later.") from error
        return json_response(TwsIdentity.model_validate(account))

    async def unlink(self, request: web.Request) -> web.Response:
        """Forget your account; changes that need it are refused from now on."""
        if not await self.identities.unlink(request[ACTOR].actor_id, request.match_info["engine"]):
            raise _not_linked()
        return web.Response(status=204)


def _not_linked() -> ProblemError:
    return ProblemError(404, "not_linked", "No account is linked for this engine.")
