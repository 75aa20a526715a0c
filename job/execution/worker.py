"""A worker process of a sweep on one machine: it trains the trials that its parent names, one by one.

Started by `job.execution.pool` as `python -m job.execution.worker`. See `job.execution.messages` for what both
sides say. If standard input ends before the empty line, the parent is gone, and the worker stops as on SIGTERM.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from queue import SimpleQueue

from job.errors import InterruptedRunError, SweepError, TrialError
from job.execution.messages import Done, Failed, Logged, Message, Order, Ready, Trained
from job.runs.run import Run
from job.settings.grid import trial_at
from job.signals import StopRequest
from job.storage import open_storage
from job.training.devices import start_tensorflow

Send = Callable[[Message], None]


def serve() -> None:
    """Work until there are no more trials; exit with the code of the error that ended it, if any."""
    send = _take_standard_output()
    lines = _lines_until_the_parent_is_gone()
    order = Order.model_validate_json(next(lines))
    with StopRequest() as stop:
        try:
            _work(order, lines, stop, send)
        except InterruptedRunError as error:
            sys.exit(error.exit_code)
        except Exception as error:
            send(_failure(error, trial=None))
            sys.exit(error.exit_code if isinstance(error, SweepError) else 1)
    os._exit(0)  # Everything is committed: shutting TensorFlow down properly would take seconds.


def _work(order: Order, lines: Iterator[str], stop: StopRequest, send: Send) -> None:
    started = time.monotonic()
    with stop.exit_immediately():
        device = start_tensorflow(order.settings.device, debug=order.debug)
        from job.attempt.attempt import run_trial  # TensorFlow must be started first
    run = Run(open_storage(order.output), order.settings, order.run)
    start_seconds = time.monotonic() - started
    send(Ready(device=device))
    for line in lines:
        trial = trial_at(order.settings, int(line))
        try:
            result = run_trial(
                run,
                trial,
                device=device,
                stop=stop,
                sink=lambda line: send(Logged(line=line)),
                start_seconds=start_seconds,
                report=lambda progress: send(Trained(replicate_epochs=progress.replicate_epochs)),
            )
        except Exception as error:
            if isinstance(error, SweepError) and not isinstance(error, TrialError):
                raise  # It would be the same for every trial.
            send(_failure(error, trial=trial.name))
        else:
            send(Done(result=result))
        start_seconds = 0.0
    if stop():
        raise stop.error()


def _failure(error: Exception, trial: str | None) -> Failed:
    known = isinstance(error, SweepError)
    return Failed(
        trial=trial,
        error=type(error).__name__ if known else SweepError.__name__,
        message=str(error) if known else f"{type(error).__name__}: {error}",
        traceback="".join(traceback.format_exception(error)),
    )


def _take_standard_output() -> Send:
    """Reserve standard output for messages: whatever else is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: Message) -> None:
        print(message.model_dump_json(), file=out, flush=True)

    return send


def _lines_until_the_parent_is_gone() -> Iterator[str]:
    """Yield the lines before the empty one; a thread reads them, to notice a lost parent even during training."""
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
