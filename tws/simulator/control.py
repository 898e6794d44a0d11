"""What tests and demonstrations ask of the simulator beside the vendor's API: below `/sim`."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from . import refusals
from .bodies import parsed
from .faults import Fault, Faults
from .master import Master
from .reads import answered
from .shapes import instant

_SHOWN = ("user", "kind", "object_id", "arguments", "run_id", "justification")


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0, le=366 * 86_400, allow_inf_nan=False)


class Control:
    """Handlers over one master and its faults."""

    def __init__(self, master: Master, faults: Faults) -> None:
        self._master, self._faults = master, faults

    def routes(self) -> Iterator[web.RouteDef]:
        """Every route."""
        yield web.get("/sim/actions", self._actions)
        yield web.get("/sim/reasons/{id}", self._reasons)
        yield web.get("/sim/clock", self._clock)
        yield web.post("/sim/clock", self._skip)
        yield web.get("/sim/faults", self._rules)
        yield web.post("/sim/faults", self._add_rule)
        yield web.delete("/sim/faults", self._clear_rules)

    async def _actions(self, _: web.Request) -> web.Response:
        """What was accepted, oldest first."""
        return answered(
            [
                {"at": instant(one.at), "action": one.verb, "job": one.label}
                | {field: getattr(one, field) for field in _SHOWN}
                for one in self._master.orders
            ]
        )

    async def _reasons(self, request: web.Request) -> web.Response:
        """Why a job has not started, as the engine itself sees it: causes and whose they are."""
        engine = self._master.engine
        job = engine.jobs.get(request.match_info["id"])
        if job is None:
            raise refusals.not_found(request.match_info["id"])
        return answered([{"cause": cause, "owner": owner} for cause, owner in engine.reasons(job)])

    async def _clock(self, _: web.Request) -> web.Response:
        return answered({"now": instant(self._master.engine.now)})

    async def _skip(self, request: web.Request) -> web.Response:
        """Lets simulated time pass at once."""
        self._master.skip((parsed(_Step, await request.read())).seconds)
        return await self._clock(request)

    async def _rules(self, _: web.Request) -> web.Response:
        return answered([rule.model_dump(mode="json") for rule in self._faults.rules])

    async def _add_rule(self, request: web.Request) -> web.Response:
        self._faults.rules.append(parsed(Fault, await request.read()))
        return await self._rules(request)

    async def _clear_rules(self, request: web.Request) -> web.Response:
        self._faults.rules.clear()
        return await self._rules(request)
