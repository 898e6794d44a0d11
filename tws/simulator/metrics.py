"""The master's `/metrics`: the names that the vendor documents, without any authentication."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from .kinds import KINDS, nobody
from .master import Master
from .orders import Kind

_PREFIX = "application_wa"


def metrics_route(master: Master) -> web.RouteDef:
    """The route over one master."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text="".join(f"{line}\n" for line in _lines(master)), content_type="text/plain")

    return web.get("/metrics", metrics)


def _lines(master: Master) -> Iterator[str]:
    engine = master.engine
    job_json, workstation_json = KINDS[Kind.JOB].to_json, KINDS[Kind.WORKSTATION].to_json
    jobs = [job_json(engine, job, may=nobody) for job in engine.jobs.values()]
    counts = {
        "JobsInPlanCount_jobs": Counter(f'status="{one["lastRunCommonStatus"]}"' for one in jobs),
        "JobsByWorkstation_jobs": Counter(
            f'workstation="{one["workstation"]}",status="{one["lastRunCommonStatus"]}"' for one in jobs
        ),
    }
    for state in engine.workstations.values():
        one = workstation_json(engine, state, may=nobody)
        label = f'workstation="{one["name"]}"'
        for name, flag in (("running", "JOBMAN_UP"), ("linked", "LINKED")):
            counts.setdefault(f"workstation_{name}_boolean", Counter())[label] = int(
                flag in one["activeStates"]
            )
    for name, values in counts.items():
        yield f"# TYPE {_PREFIX}_{name} gauge"
        yield from (f"{_PREFIX}_{name}{{{label}}} {value}" for label, value in values.items())
    yield f"# TYPE {_PREFIX}_DB_connected_boolean gauge"
    yield f"{_PREFIX}_DB_connected_boolean 1"
    yield "# EOF"
