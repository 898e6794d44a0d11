"""Traces of turns and of calls of models in Langfuse, sent in the background.

https://langfuse.com/docs/observability/sdk/overview
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import structlog

from .settings import ObservabilitySettings

if TYPE_CHECKING:
    # Importing Langfuse takes two seconds and 30 MB, which only those who use it should pay.
    from langfuse import Langfuse, LangfuseGeneration, LangfuseSpan
    from langfuse.types import TraceContext
    from opentelemetry.sdk.trace import TracerProvider

T = TypeVar("T")

_EXPORT_TIMEOUT_SECONDS = 3
"""For one batch, with its retries, in the exporter's own thread; whole seconds, as the SDK wants them."""
_FLUSH_SECONDS = 1.0
"""How long spans gather into a batch."""
_CLOSE_TIMEOUT = timedelta(seconds=2)
"""What an unreachable Langfuse may cost a shutdown."""
_MAX_ID_CHARS = 200
"""Langfuse drops longer session and user ids, and those that are not ASCII."""

log = structlog.get_logger(__name__)


class TurnSpan:
    """One turn in a trace."""

    def __init__(self, observation: "LangfuseSpan | None", mask: Callable[[str], str] | None) -> None:
        self._observation = observation
        self._mask = mask

    def update(self, *, question: str, answer: str, agent: str) -> None:
        """Adds what is known at the end; never raises.

        Texts are masked, and left out altogether unless the settings allow them.
        """
        if observation := self._observation:
            _try(
                lambda: observation.update(
                    input=self._text(question), output=self._text(answer), metadata={"agent": agent}
                )
            )

    def _text(self, text: str) -> str | None:
        return self._mask(text) if self._mask else None


class ModelCallSpan:
    """One call of a model in the trace of its turn."""

    def __init__(self, observation: "LangfuseGeneration | None") -> None:
        self._observation = observation

    def end(
        self, *, input_tokens: int, output_tokens: int, cost: Decimal | None, outcome: str, reason: str
    ) -> None:
        """Sends the figures, and no text; never raises."""
        observation = self._observation
        if observation is None:
            return
        usage = {"input": input_tokens, "output": output_tokens}
        _try(
            lambda: observation.update(
                usage_details=usage,
                cost_details=None if cost is None else {"total": float(cost)},
                level="DEFAULT" if outcome == "ok" else "WARNING",
                status_message=reason or outcome,
            )
        )
        _try(observation.end)


class Tracer:
    """Traces turns when Langfuse's keys are set, otherwise does nothing.

    Fails open: whatever Langfuse does, a turn is neither delayed nor failed. Spans wait in a bounded queue
    (2,048; the oldest is dropped) for a thread that exports them. One per process: the SDK keeps one client
    for each public key, which is closed with its tracer.
    """

    def __init__(self, settings: ObservabilitySettings, mask: Callable[[str], str]) -> None:
        self._langfuse = _open(settings)
        self._mask = mask if settings.langfuse_send_text else None

    @contextmanager
    def turn(self, *, turn_id: str, conversation_key: str, actor_id: str) -> Iterator[TurnSpan]:
        """Spans one turn; a second run of the same turn joins the same trace.

        An error that passes through is named in the trace by its kind alone.
        """
        observation = None
        if langfuse := self._langfuse:
            observation = _try(lambda: langfuse.start(turn_id, conversation_key, actor_id))
        try:
            yield TurnSpan(observation, self._mask)
        except BaseException as error:
            kind = type(error).__name__
            if observation:
                _try(lambda: observation.update(level="ERROR", status_message=kind))
            raise
        finally:
            if observation:
                _try(observation.end)

    def model_call(self, *, turn_id: str, task: str, model: str) -> ModelCallSpan:
        """Begins a call of a model, which lasts until the span is ended."""
        observation = None
        if langfuse := self._langfuse:
            observation = _try(lambda: langfuse.start_call(turn_id, task, model))
        return ModelCallSpan(observation)

    async def aclose(self) -> None:
        """Sends what is waiting and stops; gives up after two seconds."""
        if self._langfuse is None:
            return
        closing = threading.Thread(target=self._langfuse.close, name="langfuse-close", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _CLOSE_TIMEOUT.total_seconds())
        if closing.is_alive():
            log.warning("langfuse_did_not_close")


@dataclass(frozen=True, slots=True)
class _Langfuse:
    client: "Langfuse"
    provider: "TracerProvider"

    def start(self, turn_id: str, conversation_key: str, actor_id: str) -> "LangfuseSpan":
        from langfuse import propagate_attributes  # noqa: PLC0415  # slow to import, see above

        session_id, user_id = _fitting(conversation_key), _fitting(actor_id)
        with propagate_attributes(session_id=session_id, user_id=user_id, trace_name="turn"):
            # Not made the current span: a turn's context is then left as it was, whichever task ends it.
            return self.client.start_observation(
                trace_context=self._trace(turn_id), name="turn", metadata={"turn_id": turn_id}
            )

    def start_call(self, turn_id: str, task: str, model: str) -> "LangfuseGeneration":
        return self.client.start_observation(
            trace_context=self._trace(turn_id), name=task or "model", as_type="generation", model=model
        )

    def _trace(self, turn_id: str) -> "TraceContext":
        return {"trace_id": self.client.create_trace_id(seed=turn_id)}

    def close(self) -> None:
        # In this order the exporting thread empties the queue; the client's own flush would do it here, batch
        # by batch, without a limit.
        self.provider.shutdown()
        self.client.shutdown()


def _open(settings: ObservabilitySettings) -> _Langfuse | None:
    if settings.langfuse_public_key is None or settings.langfuse_secret_key is None:
        return None
    from langfuse import Langfuse  # noqa: PLC0415  # slow to import, see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # likewise
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # likewise

    # Our own provider: the SDK would make its own the global one, and wait for it at exit without limit.
    provider = TracerProvider(resource=Resource({"service.name": "resync"}), shutdown_on_exit=False)
    client = Langfuse(
        public_key=settings.langfuse_public_key,
        secret_key=settings.langfuse_secret_key.get_secret_value(),
        base_url=str(settings.langfuse_host).rstrip("/"),
        timeout=_EXPORT_TIMEOUT_SECONDS,
        flush_interval=_FLUSH_SECONDS,
        tracer_provider=provider,
    )
    return _Langfuse(client, provider)


def _fitting(identifier: str) -> str:
    if len(identifier) <= _MAX_ID_CHARS and identifier.isascii():
        return identifier
    return hashlib.sha256(identifier.encode()).hexdigest()


def _try(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # watching a turn must never fail it
        log.warning("tracing_failed", error=type(error).__name__)
        return None
