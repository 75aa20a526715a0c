"""A process of a sweep on one machine: it trains the trials that its parent names, one after the other.

Started by `job.execution.pool` as `python -m job.execution.worker`. Both directions are lines of JSON: the
parent sends `Order`, then one trial's index a line, at last an empty line; the worker answers with `{"kind": ...}`
messages. Where standard input ends before that, the parent is gone, and the worker stops as by SIGTERM.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

from pydantic import BaseModel

from job.errors import InterruptedRunError, SweepError, TrialError
from job.runs.run import Run
from job.settings.grid import trial_at
from job.settings.sweep import Settings
from job.signals import StopRequest
from job.storage import open_storage
from job.training.devices import start_tensorflow

Send = Callable[[dict[str, Any]], None]


class Order(BaseModel):
    """What a worker is told first."""

    settings: Settings
    run: str
    output: str
    debug: bool


def serve() -> None:
    """Work until there are no more trials; the exit code is that of the error that ended it."""
    send = _take_standard_output()
    lines = _lines_until_the_parent_is_gone()
    order = Order.model_validate_json(next(lines))
    with StopRequest() as stop:
        try:
            _work(order, lines, stop, send)
        except InterruptedRunError as error:
            sys.exit(error.exit_code)
        except Exception as error:
            send(_error_message(error, trial=None))
            sys.exit(error.exit_code if isinstance(error, SweepError) else 1)
    os._exit(0)  # All is committed: taking TensorFlow down in order takes seconds.


def _work(order: Order, lines: Iterator[str], stop: StopRequest, send: Send) -> None:
    started = time.monotonic()
    with stop.exit_immediately():
        device = start_tensorflow(order.settings.device, debug=order.debug)
        from job.attempt.attempt import run_trial  # TensorFlow must be started first
    run = Run(open_storage(order.output), order.settings, order.run)
    start_seconds = time.monotonic() - started
    send({"kind": "ready", "device": device})
    for line in lines:
        trial = trial_at(order.settings, int(line))
        try:
            result = run_trial(
                run,
                trial,
                device=device,
                stop=stop,
                sink=lambda event: send({"kind": "log", "event": event}),
                start_seconds=start_seconds,
                report=lambda progress: send({"kind": "progress", "replicate_epochs": progress.replicate_epochs}),
            )
        except Exception as error:
            if isinstance(error, SweepError) and not isinstance(error, TrialError):
                raise  # So it would be for every trial.
            send(_error_message(error, trial=trial.name))
        else:
            send({"kind": "done", "trial": trial.name, "result": result.model_dump(mode="json")})
        start_seconds = 0.0
    if stop():
        raise stop.error()


def _error_message(error: Exception, trial: str | None) -> dict[str, Any]:
    known = isinstance(error, SweepError)
    return {
        "kind": "failed",
        "trial": trial,
        "message": str(error) if known else f"{type(error).__name__}: {error}",
        "error": type(error).__name__ if known else "SweepError",
        "traceback": "".join(traceback.format_exception(error)),
    }


def _take_standard_output() -> Send:
    """Keep standard output for messages alone: whatever else prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=out, flush=True)

    return send


def _lines_until_the_parent_is_gone() -> Iterator[str]:
    """Yield the lines before the empty one; a thread reads, so that a lost parent is seen during training, too."""
    queue: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            queue.put(line.strip())
            if not line.strip():
                return
        os.kill(os.getpid(), signal.SIGTERM)
        queue.put("")

    threading.Thread(target=read, daemon=True, name="orders").start()
    return iter(queue.get, "")


if __name__ == "__main__":
    serve()
