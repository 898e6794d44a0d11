"""For how long what people said is kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetentionSettings(BaseModel):
    """Days after which a daily round deletes what is finished. The audit log and proposals are never deleted."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    turns_days: int = Field(default=400, ge=1)
    """Days for which finished messages and their replies are kept."""
    events_days: int = Field(default=30, ge=1)
    """Days for which an answer can be read again at its address in the REST API, and be judged."""
    conversations_days: int = Field(default=400, ge=1)
    """Days without a message after which a conversation is no longer remembered."""
    model_calls_days: int = Field(default=400, ge=1)
    """Days for which the figures of model calls are kept; what was sent goes by `llm.keep_sent_days`."""
