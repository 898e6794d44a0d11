"""Asks the next model when one is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from observability.breaker import Breaker, State
from observability.metrics import Metrics

from .heard import Heard
from .model import (
    ContextTooLongError,
    Model,
    ModelMessage,
    ModelTurn,
    ModelUnavailableError,
    OnDelta,
    ToolSpec,
)
from .settings import LlmSettings

_MAX_WAIT_SECONDS = 3600.0
"""A model that asks for more is asked again after an hour: nobody would notice that it is back."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Member:
    model: Model
    breaker: Breaker


class _SkippedError(ModelUnavailableError):
    """The model was not asked."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """A turn in the form of the model that made it; another one may not understand it."""

    author: Model
    value: object


class Fallback:
    """One model or several in order of preference.

    A model that failed several times in a row, or asked to wait, is skipped for a while; what is known of it is each
    process's own. Once a part of an answer was shown, no other model begins another.
    """

    def __init__(
        self,
        models: Sequence[Model],
        settings: LlmSettings,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = models[0].name
        self._metrics = metrics
        self._members = [_Member(model, _breaker(model.name, settings, metrics, clock)) for model in models]

    async def complete(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        """As `Model` says; the turn names the model. A failure is that of all of them."""
        heard = Heard(on_delta)
        failures: list[ModelUnavailableError] = []
        for member in self._members:
            try:
                turn = await self._ask(member, messages, tools, heard)
            except ContextTooLongError:
                raise
            except ModelUnavailableError as error:
                _log.warning("model_failed", model=member.model.name, reason=error.reason)
                failures.append(error)
                if heard.anything:
                    raise
            else:
                return replace(turn, stood_in=bool(failures))
        raise _joined(failures)

    async def aclose(self) -> None:
        """Closes the connections of all of them."""
        for member in self._members:
            await member.model.aclose()

    async def _ask(
        self, member: _Member, messages: Sequence[ModelMessage], tools: Sequence[ToolSpec], on_delta: OnDelta
    ) -> ModelTurn:
        own = [replace(each, raw=_own_raw(each.raw, member.model)) for each in messages]
        outcome = "interrupted"
        try:
            with member.breaker.guard():
                turn = await member.model.complete(own, tools, on_delta)
            outcome = "declined" if turn.stop_reason == "refusal" else "ok"
        except ModelUnavailableError as error:
            outcome = _outcome(error)
            member.breaker.hold(min(error.retry_after_seconds, _MAX_WAIT_SECONDS))
            raise
        finally:
            self._metrics.model_called(model=member.model.name, outcome=outcome)
        return replace(turn, model=member.model.name, raw=_Raw(member.model, turn.raw))


def _outcome(error: ModelUnavailableError) -> str:
    if isinstance(error, _SkippedError):
        return "skipped"
    return "away" if error.retryable else "refused"


def _own_raw(raw: object, model: Model) -> object:
    return raw.value if isinstance(raw, _Raw) and raw.author is model else None


def _joined(failures: Sequence[ModelUnavailableError]) -> ModelUnavailableError:
    """May pass if one of them may; the shortest wait of those counts."""
    passing = [error for error in failures if error.retryable]
    return ModelUnavailableError(
        "; ".join(error.reason for error in failures),
        retryable=bool(passing),
        retry_after_seconds=min((error.retry_after_seconds for error in passing), default=0.0),
    )


def _breaker(name: str, settings: LlmSettings, metrics: Metrics, clock: Callable[[], float]) -> Breaker:
    def held_back(wait: float) -> Exception:
        return _SkippedError(f"left alone for {wait:.0f} s", retryable=True, retry_after_seconds=wait)

    def report(state: State) -> None:
        _log.info("model_breaker", model=name, state=state.value)
        metrics.model_breaker(model=name, state=state)

    return Breaker(
        is_outage=_is_outage,
        held_back=held_back,
        failures=settings.breaker_failures,
        pause_seconds=settings.breaker_pause_seconds,
        report=report,
        clock=clock,
    )


def _is_outage(error: BaseException) -> bool | None:
    """A refusal is about the request: one person's must not take the model from everybody."""
    return error.retryable if isinstance(error, ModelUnavailableError) else None
