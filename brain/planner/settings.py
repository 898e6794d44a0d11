"""How much a request of several parts may cost."""

from pydantic import BaseModel, ConfigDict, Field


class PlannerSettings(BaseModel):
    """The `planner` section. What is used up ends in an answer that says what is missing."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    max_depth: int = Field(default=4, ge=1, le=8)
    """How deep tasks may have tasks of their own."""
    max_tasks: int = Field(default=40, ge=2)
    """How many tasks one request may become; those that are divided at the same moment may pass it together."""
    max_calls: int = Field(default=60, ge=1)
    """How many specialists and models may be asked."""
    max_tokens: int = Field(default=60_000, ge=1)
    """Tokens of models, in and out; those of the call that passes the limit still count."""
    time_limit_seconds: float = Field(default=40, gt=0)
    """For all tasks of a request, in seconds."""
    at_once: int = Field(default=6, ge=1)
    """How many tasks run at the same time."""
