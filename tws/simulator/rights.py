"""Who may call: users with a role, API keys, and what each may do."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from .orders import LEGAL, Kind, Verb, access

_ROLES = {"viewer": False, "operator": True, "supervisor": True, "admin": True, "service": True}
"""Role: whether it may change the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request."""

    name: str
    may_act: bool
    only: frozenset[str] | None = None
    """The accesses given, e.g. `JOB.RERUN`; None: all."""

    def may(self, kind: Kind, verb: Verb) -> bool:
        """Whether the Security file gives the access that the order needs."""
        return self.may_act and (self.only is None or ".".join(access(kind, verb)) in self.only)

    def permissions(self) -> dict[str, str]:
        """By object type of the Security file: the accesses, with commas between them."""
        found: dict[str, set[str]] = {}
        for kind, verb in ((one, verb) for one, verbs in LEGAL.items() for verb in verbs):
            object_type, keyword = access(kind, verb)
            allowed = found.setdefault(object_type, {"DISPLAY", "LIST"})
            if self.may(kind, verb):
                allowed.add(keyword)
        return {object_type: ",".join(sorted(keywords)) for object_type, keywords in found.items()}


CALLER = web.RequestKey("caller", Caller)
"""Who sent a request; the guard puts it there."""


class Users:
    """Checks the `Authorization` header; everything unknown is refused."""

    def __init__(
        self,
        users: Mapping[str, tuple[str, str]],
        api_keys: Mapping[str, tuple[str, str]] | None = None,
        rights: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """`users` maps a name to its password and role, `api_keys` a token to a name and its role.

        `rights` limits users to accesses such as `JOB.RERUN`. Nobody comes in with an empty password or token.
        Raises ValueError on an unknown role.
        """
        known = [("basic", f"{name}:{word}", word, name, role) for name, (word, role) in users.items()]
        known += [("bearer", key, key, name, role) for key, (name, role) in (api_keys or {}).items()]
        if unknown := {role for *_, role in known} - _ROLES.keys():
            raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
        self._callers = {
            (scheme, text.encode()): Caller(name=name, may_act=_ROLES[role], only=(rights or {}).get(name))
            for scheme, text, secret, name, role in known
            if secret
        }

    def authenticate(self, authorization: str) -> Caller | None:
        """The caller of a Basic or Bearer header, None if it is not valid."""
        scheme, _, text = authorization.partition(" ")
        # A header may hold bytes that are no text; they are compared like any others.
        given = text.strip().encode(errors="surrogateescape")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True)
            except ValueError:
                return None
        # All are compared, so that the time does not tell which names exist.
        found = [
            caller
            for (known, credentials), caller in self._callers.items()
            if hmac.compare_digest(credentials, given) and known == scheme.lower()
        ]
        return found[0] if found else None
