"""All settings: each package's section under one prefix. The only reader of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bots.rest.settings import RestSettings
from bots.slack.settings import SlackSettings
from bots.teams.settings import TeamsSettings
from bots.webhook.settings import WebhookSettings
from brain.actions.settings import ActionSettings
from brain.incidents.settings import IncidentSettings
from brain.llm.settings import LlmSettings
from brain.planner.settings import PlannerSettings
from brain.settings import RetentionSettings
from brain.turns.settings import TurnSettings
from knowledge.settings import KnowledgeSettings
from observability.settings import ObservabilitySettings
from security.settings import SecuritySettings
from tws.mirror.settings import MirrorSettings
from tws.settings import TwsSettings

_MASK = "********"


class Settings(BaseSettings):
    """Everything `resync serve` can be told, as `RESYNC_<SECTION>__<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="RESYNC_", env_nested_delimiter="__", env_file=".env", extra="ignore"
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        default=Path(".resync"), description="Folder of the embedded services and of generated secrets."
    )
    database_url: SecretStr | None = Field(
        default=None, description="`postgresql://…` of a server with pgvector; unset runs an embedded one."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="`redis://…` or `rediss://…`; unset runs an embedded Valkey."
    )
    run_worker: bool = Field(
        default=True, description="Whether `serve` also works off turns; off if `resync work` runs elsewhere."
    )
    tws: TwsSettings | None = Field(default=None, description="The TWS engine; `serve` needs it.")
    more_tws: dict[str, TwsSettings] = Field(
        default_factory=dict,
        description="Further engines by the names that people call them, each with the settings of the first one; "
        "JSON, or a variable for each setting with the engine's name in between.",
    )
    mirror: MirrorSettings = Field(
        default_factory=MirrorSettings, description="The copy of the plan, its history and its statistics."
    )
    teams: TeamsSettings = Field(default_factory=TeamsSettings, description="Microsoft Teams.")
    slack: SlackSettings = Field(default_factory=SlackSettings, description="Slack.")
    webhook: WebhookSettings = Field(default_factory=WebhookSettings, description="Sources of alerts.")
    incidents: IncidentSettings = Field(default_factory=IncidentSettings, description="What alerts become.")
    rest: RestSettings = Field(default_factory=RestSettings, description="REST API and web page.")
    turns: TurnSettings = Field(default_factory=TurnSettings, description="Working off messages.")
    actions: ActionSettings = Field(default_factory=ActionSettings, description="Changes to TWS.")
    planner: PlannerSettings = Field(
        default_factory=PlannerSettings, description="Requests of several parts."
    )
    llm: LlmSettings = Field(default_factory=LlmSettings, description="Language model.")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="For how long what people said is kept."
    )
    knowledge: KnowledgeSettings = Field(
        default_factory=KnowledgeSettings, description="Documents and search."
    )
    security: SecuritySettings = Field(default_factory=SecuritySettings, description="Logins and limits.")
    observability: ObservabilitySettings = Field(
        default_factory=ObservabilitySettings, description="Logs, metrics and traces."
    )

    @property
    def engines(self) -> tuple[TwsSettings, ...]:
        """All engines with their names, the default one first."""
        others = (
            one if "name" in one.model_fields_set else one.model_copy(update={"name": key.upper()})
            for key, one in self.more_tws.items()
        )
        return (self.tws, *others) if self.tws else tuple(others)


def unsafe(settings: Settings) -> list[str]:
    """Why the server must not start with these settings; each sentence names a setting."""
    problems = []
    if settings.tws is None:
        problems.append("RESYNC_TWS__URL is not set: name the TWS engine, e.g. https://tws.example.com:31116")
    for name, engine in settings.more_tws.items():
        problems += engine.unsafe(f"RESYNC_MORE_TWS__{name.upper()}__")
    names = [engine.name for engine in settings.engines]
    if len(names) > len(set(names)):
        problems.append("RESYNC_MORE_TWS: two engines have the same name")
    sections = (
        settings.tws,
        settings.webhook,
        settings.incidents,
        settings.actions,
        settings.llm,
        settings.security,
        settings.observability,
    )
    for section in sections:
        if section is not None:
            problems += section.unsafe()
    return problems


def effective(settings: BaseModel, prefix: str = "RESYNC_") -> dict[str, str]:
    """Every setting by its environment variable, secrets masked."""
    shown: dict[str, str] = {}
    for name in type(settings).model_fields:
        value: Any = getattr(settings, name)
        variable = f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            shown |= effective(value, f"{variable}__")
        elif isinstance(value, dict) and value and all(isinstance(one, BaseModel) for one in value.values()):
            for key, one in value.items():
                shown |= effective(one, f"{variable}__{key.upper()}__")
        else:
            shown[variable] = (
                _MASK if isinstance(value, SecretStr) and value.get_secret_value() else str(value)
            )
    return shown
