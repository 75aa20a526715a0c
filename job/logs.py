"""Log lines: one JSON object per line in a pod, text on a terminal, and each attempt's own log.jsonl."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from job.errors import SweepError
from job.wording import one_line

Event = dict[str, Any]
"""A log line: `severity`, `message` and `time`, as Google Cloud Logging reads them, and any further fields.

https://cloud.google.com/logging/docs/structured-logging
"""

Sink = Callable[[Event], None]


def event(message: str, *, severity: str = "INFO", **fields: Any) -> Event:
    """Return a log line with the current time (UTC) and any further fields that JSON can hold."""
    return {"severity": severity, "message": message, "time": timestamp(), **fields}


def timestamp() -> str:
    """Return the current time (UTC) to the millisecond, as in `2026-11-25T12:27:57.613Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_json(line: Event) -> str:
    """Return a log line as one line of JSON; a number that is not finite becomes null."""
    return json.dumps(_finite(line), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def json_sink(stream: TextIO) -> Sink:
    """Return a sink that prints each log line as JSON, immediately."""
    return lambda line: print(event_json(line), file=stream, flush=True)


def text_sink(stream: TextIO) -> Sink:
    """Return a sink that prints each log line's message, for a person at a terminal."""
    return lambda line: print(line["message"], file=stream, flush=True)


def wants_json(log_format: str, stream: TextIO) -> bool:
    """Return whether to log JSON: `auto` means text on a terminal and JSON elsewhere."""
    return log_format == "json" or (log_format == "auto" and not stream.isatty())


def sink(log_format: str) -> Sink:
    """Return the sink for standard output, in the requested format."""
    return (json_sink if wants_json(log_format, sys.stdout) else text_sink)(sys.stdout)


def silence_broken_pipe() -> None:
    """Discard what is still buffered for a reader that is gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(message: str, exit_code: int, log_format: str, stderr: TextIO | None = None) -> None:
    """Print an error as one line to standard error, or to `stderr`."""
    line = one_line(message)
    if wants_json(log_format, stderr or sys.stderr):
        line = event_json(event(line, severity="ERROR", exit_code=exit_code))
    else:
        line = f"Error: {line}"
    print(line, file=stderr or sys.stderr, flush=True)


def error_printer(log_format: str) -> Callable[[SweepError], None]:
    """Return a function that prints an error's line even while standard error is redirected.

    Output to standard error is held back while TensorFlow starts; if the process has to end then, its error line
    must not be lost.
    """
    stderr = os.fdopen(os.dup(2), "w", encoding="utf-8")
    return lambda error: print_error(str(error), error.exit_code, log_format, stderr)
