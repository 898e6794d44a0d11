"""How the engine says no: statuses and message ids as a 10.2.8 master was seen to give them."""

from __future__ import annotations

import json

from aiohttp import web

_WRAPPER = "AWSJSY404E The operation on the plan could not be completed."


def refusal(kind: type[web.HTTPError], *messages: str) -> web.HTTPError:
    """An answer with `messages`; the vendor publishes no shape of errors, this is the one of V1."""
    return kind(text=json.dumps({"messages": messages}), content_type="application/json")


def wrong(message: str) -> web.HTTPError:
    """400: the request cannot be read."""
    return refusal(web.HTTPBadRequest, message if message.startswith("OQL_") else f"AWSJCS029E {message}")


def not_found(object_id: str, kind: type[web.HTTPError] = web.HTTPNotFound) -> web.HTTPError:
    """404 or another status: nothing has that id."""
    return refusal(kind, f'AWSJDB101E The object "{object_id}" cannot be found.')


def denied(user: str, keyword: str, label: str, kind: str) -> web.HTTPError:
    """403: the Security file does not give the user that access."""
    text = (
        f'AWSJDB817E The user "{user}" does not have {keyword} access to the object "{label}" of type {kind}.'
    )
    return refusal(web.HTTPForbidden, text)


def illegal(label: str, why: str) -> web.HTTPError:
    """500: the action is not legal in the object's state."""
    cause = f'AWSBIN076E The job or instance "{label}" is in an incorrect state for the action: {why}'
    return refusal(web.HTTPInternalServerError, _WRAPPER, cause)


def incomplete_key() -> web.HTTPError:
    """500: the composite key was given where the id is needed."""
    return refusal(web.HTTPInternalServerError, _WRAPPER, "AWSBIO006E The key field SCHED-NAME has no value.")


def duplicate(name: str) -> web.HTTPError:
    """409: the stream already has a job of that name."""
    return refusal(web.HTTPConflict, f'AWSJSY523E The job "{name}" already exists in the job stream.')


def unavailable() -> web.HTTPError:
    """503: the processes restart while the plan is extended."""
    return refusal(
        web.HTTPServiceUnavailable, "AWSJCO005E The engine is not available: the plan is being extended."
    )
