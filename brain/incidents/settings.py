"""The `incidents` section of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from brain.rules_file import RulesError
from tws.settings import Span

from .routes import Route, Routes, load_routes

TimeOfDay: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Hook(BaseModel):
    """A program that is told of incidents."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: str = Field(pattern=r"^https?://[^\s/]+\S*$")
    """Where incidents are posted as JSON."""
    secret: SecretStr = Field(min_length=16)
    """Key of the HMAC with which Resync signs, as alerts are signed; at least 16 characters."""


class MailServer(BaseModel):
    """How mail is sent. Without a host none is."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    host: str = ""
    """Name of the SMTP server."""
    port: int = Field(default=587, gt=0, le=65535)
    """Its port: 587 with `starttls`, 465 with `tls`."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` sends in the clear; only on this machine or a trusted network."""
    username: str = ""
    """Account to log in with; empty: without a login."""
    password: SecretStr = SecretStr("")
    """Its password."""
    sender: str = "resync@localhost"
    """Address that mails come from."""


class IncidentSettings(BaseModel):
    """When troubles are one incident, and who is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    notify: tuple[str, ...] = ()
    """Where cards of all incidents are posted, e.g. slack:T123:C456 or teams:TENANT:CONVERSATION, besides
    the targets of the sources that reported it."""
    reopen_within: Span = timedelta(minutes=30)
    """A trouble that comes back so soon opens its incident again (seconds or ISO 8601)."""
    patience: Span = timedelta(seconds=45)
    """How long an alert waits for a plan that was read after it, before it counts as unfounded (seconds or ISO 8601)."""
    routes: Path | None = None
    """YAML file with the rules of who is told of which incident, when not, and what is under maintenance."""
    webhooks: dict[str, Hook] = Field(default_factory=dict)
    """Programs that rules may name as webhook:NAME; JSON: {"pager": {"url": "https://…", "secret": "…"}}."""
    mail: MailServer = Field(default_factory=MailServer)
    """The mail server for targets such as mail:night@bank.example."""
    handover_at: tuple[TimeOfDay, ...] = ()
    """When shifts end, e.g. ["06:00", "14:00", "22:00"] in `RESYNC_TURNS__TIMEZONE`: what happened since the time before
    is then posted where `notify` says."""

    def load_routes(self, by_source: Mapping[str, tuple[str, ...]]) -> Routes:
        """The rules; before those of the file what `notify` says, here and of the sources. Raises `RulesError`."""
        rules = load_routes(self.routes) if self.routes else Routes()
        simple = [Route.model_construct(name="notify", to=self.notify)] if self.notify else []
        simple += [
            Route.model_construct(name=f"notify of {name}", to=targets, source=(name,))
            for name, targets in by_source.items()
            if targets
        ]
        return rules.model_copy(update={"routes": (*simple, *rules.routes)})

    def unsafe(self) -> list[str]:
        """What forbids the start: rules that cannot be used, or that name what there is not."""
        try:
            rules = self.load_routes({})
        except RulesError as error:
            return [f"RESYNC_INCIDENTS__ROUTES: {error}"]
        problems = []
        for route in rules.routes:
            for target in route.to:
                kind, _, name = target.partition(":")
                if kind == "webhook" and name not in self.webhooks:
                    problems.append(
                        f"RESYNC_INCIDENTS__WEBHOOKS has no {name!r}, which rule {route.name!r} names"
                    )
                if kind == "mail" and not self.mail.host:
                    problems.append(
                        f"RESYNC_INCIDENTS__MAIL__HOST is not set, and rule {route.name!r} names {target}"
                    )
        return problems
