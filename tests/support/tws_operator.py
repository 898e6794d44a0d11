"""A caller of the simulator whose every request and answer is held against the vendor's document."""

from __future__ import annotations

from typing import Any, NamedTuple

import aiohttp

from tests.support.openapi import validate_request, validate_response
from tests.support.simulator import PASSWORD

JOB, RUN = "/plan/job/{job_id}", "/plan/job/run/{run_id}"


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Any


class Operator:
    """A caller of the simulator; every answer is held against the document."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(
        self,
        method: str,
        template: str,
        *,
        user: str = "operator",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **parts: str,
    ) -> Answer:
        validate_request(method, template, query=query, headers=headers, body=body)
        credentials = {"Authorization": aiohttp.encode_basic_auth(user, PASSWORD)}
        async with self._session.request(
            method,
            self.url + template.format(**parts),
            params=query,
            headers=credentials | (headers or {}),
            json=body,
        ) as response:
            is_json = response.content_type == "application/json"
            found = await response.json() if is_json else await response.text()
            validate_response(method, template, response.status, found)
            return Answer(response.status, found, response.headers)

    async def send(
        self, method: str, path: str, *, user: str = "operator", body: Any = None, **headers: str
    ) -> Answer:
        """A request beside the document: V1, `/sim`, what a later version has. `path` is the whole one."""
        credentials = {"Authorization": aiohttp.encode_basic_auth(user, PASSWORD)}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.url.removesuffix("/twsd/api/v2") + path
        async with self._session.request(method, url, headers=credentials | named, json=body) as response:
            is_json = response.content_type == "application/json"
            found = await response.json() if is_json else await response.text()
            return Answer(response.status, found, response.headers)

    async def read(self, template: str, query: dict[str, str] | None = None, **parts: str) -> Any:
        answer = await self.call("GET", template, query=query, **parts)
        assert answer.status == 200
        return answer.body

    async def job(self, name: str, stream: str) -> Any:
        query = {"oql": f"name = '{name}' AND jobStreamName = '{stream}'"}
        found = await self.read("/plan/job", query)
        assert found["count"] == 1
        return await self.read(JOB, job_id=found["results"][0]["id"])

    async def rerun(self, job: Any, **more: Any) -> Answer:
        run_id = job["jobruns"][-1]["id"]
        return await self.call("PUT", f"{RUN}/action/rerun", run_id=run_id, **({"body": {}} | more))

    async def act(self, verb: str, job: Any, **more: Any) -> Answer:
        return await self.call("PUT", f"{JOB}/action/{verb}", job_id=job["id"], **more)
