"""One stream of log lines on stderr, whoever writes them: structlog, the standard library, warnings."""

import logging
import sys

import structlog
from structlog.typing import Processor

from .settings import ObservabilitySettings


def configure(settings: ObservabilitySettings, mask: Processor) -> None:
    """Sets up logging for the whole process; call it once, first thing.

    Every line has `event`, `level`, `logger`, `timestamp` (ISO 8601, UTC) and what
    `structlog.contextvars.bind_contextvars` has bound. `mask` sees each event as it will be written, with
    exceptions already made text or JSON, and takes out what must not be.
    """
    is_json = settings.log_format == "json"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _structured_exceptions() if is_json else structlog.processors.format_exc_info,
                mask,
                structlog.processors.JSONRenderer(ensure_ascii=False) if is_json else _console(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _structured_exceptions() -> Processor:
    # Without local variables: they hold message texts and credentials.
    transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return structlog.processors.ExceptionRenderer(transformer)


def _console() -> Processor:
    # The traceback is text by now, so that it could be masked; the renderer prints it as it is.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
