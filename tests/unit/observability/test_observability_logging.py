from __future__ import annotations

import json
import logging
import secrets
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
import structlog

from observability.logging import configure
from observability.settings import ObservabilitySettings
from security.masking import mask_event


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def _configure(
    log_format: Literal["json", "console"] = "json", log_level: Literal["info", "warning"] = "info"
) -> None:
    configure(ObservabilitySettings(log_format=log_format, log_level=log_level), mask_event)


def _written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_lines_of_both_worlds_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    _configure()
    structlog.get_logger("ours").info("turn_ended", took_ms=12)
    logging.getLogger("theirs").info("answered in %d ms", 12, extra={"status": 200})
    ours, theirs = _written(capsys)
    assert (
        ours.keys() - {"took_ms"} == theirs.keys() - {"status"} == {"event", "level", "logger", "timestamp"}
    )
    assert (ours["event"], ours["logger"], ours["took_ms"]) == ("turn_ended", "ours", 12)
    assert (theirs["event"], theirs["logger"], theirs["status"]) == ("answered in 12 ms", "theirs", 200)


def test_times_are_utc(capsys: pytest.CaptureFixture[str]) -> None:
    _configure()
    structlog.get_logger().info("now")
    (line,) = _written(capsys)
    written = datetime.fromisoformat(line["timestamp"])
    assert written.tzinfo is not None
    assert abs((datetime.now(UTC) - written).total_seconds()) < 5


def test_bound_context_is_in_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    _configure()
    with structlog.contextvars.bound_contextvars(turn_id="t1"):
        structlog.get_logger().info("ours")
        logging.getLogger("theirs").info("theirs")
    structlog.get_logger().info("after")
    assert [line.get("turn_id") for line in _written(capsys)] == ["t1", "t1", None]


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    _configure(log_level="warning")
    structlog.get_logger().info("ours")
    logging.getLogger("theirs").info("theirs")
    structlog.get_logger().warning("kept")
    assert [line["event"] for line in _written(capsys)] == ["kept"]


def _fail_with(secret: str) -> None:
    local_variable = f"local {secret}"
    raise ValueError(f"refused password={secret}, {len(local_variable)}")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_exception_is_written_without_secrets(
    log_format: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(log_format)
    secret = secrets.token_hex(8)
    try:
        _fail_with(secret)
    except ValueError:
        structlog.get_logger().exception("ours", token=secret)
        logging.getLogger("theirs").exception("theirs")
    written = capsys.readouterr().err
    assert written.count("refused password=***, 22") == 2
    assert secret not in written


def test_an_exception_is_structured(capsys: pytest.CaptureFixture[str]) -> None:
    _configure()
    try:
        _fail_with("x")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = _written(capsys)
    (exception,) = line["exception"]
    assert exception["exc_type"] == "ValueError"
    assert exception["frames"][-1]["name"] == "_fail_with"


def test_warnings_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _configure()
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    (line,) = _written(capsys)
    assert line["logger"] == "py.warnings"
    assert "old ways" in line["event"]
