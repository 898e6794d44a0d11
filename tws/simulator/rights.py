"""Who may call: users with a role, API keys, and the rights of each role."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from .transitions import Action

__all__ = ["ACCESS", "Caller", "Users"]

ACCESS = {
    Action.RERUN: "RERUN",
    Action.KILL: "KILL",
    Action.HOLD: "ALTPRI",
    Action.RELEASE: "RELEASE",
    Action.CANCEL: "CANCEL",
    Action.CONFIRM_SUCC: "CONFIRM",
}
"""The keyword of the Security file that each action needs."""

_ROLES = {"viewer": False, "operator": True, "supervisor": True, "admin": True, "service": True}
"""Role: whether it may change the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request."""

    name: str
    may_act: bool


class Users:
    """Checks the `Authorization` header; everything unknown is refused."""

    def __init__(
        self, users: Mapping[str, tuple[str, str]], api_keys: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        """`users` maps a name to its password and role, `api_keys` a token to a name and its role.

        Raises ValueError on an unknown role.
        """
        roles = [role for _, role in (*users.values(), *(api_keys or {}).values())]
        if unknown := set(roles) - _ROLES.keys():
            raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
        self._passwords = {name: password for name, (password, _) in users.items()}
        self._callers = {name: _caller(name, role) for name, (_, role) in users.items()}
        self._keys = {key: _caller(name, role) for key, (name, role) in (api_keys or {}).items()}

    def authenticate(self, authorization: str) -> Caller | None:
        """The caller of a Basic or Bearer header, None if it is not valid."""
        scheme, _, credentials = authorization.partition(" ")
        match scheme.lower():
            case "basic":
                return self._basic(credentials.strip())
            case "bearer":
                found = [self._keys[key] for key in self._keys if _same(key, credentials.strip())]
                return found[0] if found else None
            case _:
                return None

    def _basic(self, credentials: str) -> Caller | None:
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        # An unknown name is compared too, so that the time does not tell which names exist.
        is_right = _same(self._passwords.get(name, ""), password)
        return self._callers[name] if is_right and self._passwords.get(name) else None


def _caller(name: str, role: str) -> Caller:
    return Caller(name=name, may_act=_ROLES[role])


def _same(one: str, other: str) -> bool:
    # A header may hold bytes that are no text; they are compared like any others.
    return hmac.compare_digest(one.encode(), other.encode(errors="surrogateescape"))
