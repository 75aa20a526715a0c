"""The worker processes of a sweep on one machine: started, given trials, listened to, and ended."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from job import errors, logs
from job.errors import SweepError
from job.execution.messages import Done, Failed, Logged, Message, Order, Ready, Trained, messages
from job.runs.results import TrialResult
from job.runs.run import Run
from job.settings.grid import Trial
from job.signals import GRACE_SECONDS, StopRequest
from job.training.devices import driver_is_here, usable_cores

_ERRORS = {
    error.__name__: error
    for error in (
        errors.ConfigError,
        errors.ConflictError,
        errors.DamagedResultError,
        errors.DeviceError,
        errors.ObjectNotFoundError,
        errors.StorageError,
        errors.StorageUnavailableError,
        errors.TrialError,
    )
}
"""The errors that a worker may send; any other becomes a `SweepError`."""


class Watcher:
    """What a sweep reports while it runs; each method may be overridden."""

    def begun(self, run: Run, missing: int, found: int) -> None:
        """Receive the run, and how many trials to train and how many already have a result."""

    def ready(self, device: str, workers: int) -> None:
        """Receive where training will run, once TensorFlow has started."""

    def log(self, event: logs.Event) -> None:
        """Receive a log line of a trial."""

    def progress(self, replicate_epochs: int) -> None:
        """Receive how much was trained since the last call."""

    def done(self, result: TrialResult) -> None:
        """Receive the result of a trial that has just been committed."""

    def failed(self, trial: str, error: SweepError) -> None:
        """Receive a trial that has failed; it is not retried here."""


class Pool:
    """The worker processes of one sweep, and the trials left for them."""

    def __init__(
        self,
        run: Run,
        missing: Iterable[Trial],
        *,
        watcher: Watcher,
        stop: StopRequest | None,
        provenance: Callable[[str], dict[str, Any]],
        debug: bool,
    ) -> None:
        """Keep the trials to train, their watcher, and what returns sweep.json's provenance for a device."""
        self.run = run
        self.todo = deque(missing)
        self.watcher = watcher
        self.stop = stop
        self.provenance = provenance
        self.debug = debug
        self.inbox: Queue[tuple[_Worker, Message | None]] = Queue()
        self.workers: list[_Worker] = []
        self.trained: list[str] = []
        self.failed: dict[str, SweepError] = {}
        self.begun = False

    def work(self) -> tuple[list[str], dict[str, SweepError]]:
        """Train every trial that is left.

        Returns:
            The names of the trained trials, and the errors of those that failed.

        Raises:
            SweepError: any error that would stop every trial; the workers have ended.
        """
        # Only the first worker can find out whether there is a GPU; without a driver there is none.
        alone = self.run.settings.device != "cpu" and driver_is_here()
        self._hire(1 if alone else self._most_workers("cpu"))
        try:
            while self.todo or any(worker.trial for worker in self.workers):
                self._take(*self._next_message())
        except BaseException:
            self._end_workers()
            raise
        for worker in self.workers:
            worker.dismiss()
        return self.trained, self.failed

    def _most_workers(self, device: str) -> int:
        wanted = self.run.settings.workers or (1 if device == "gpu" else usable_cores())
        return min(wanted, len(self.todo) + len([worker for worker in self.workers if worker.trial]))

    def _hire(self, count: int) -> None:
        for _ in range(count):
            self.workers.append(_Worker(self.run, self.inbox, self.debug))

    def _next_message(self) -> "tuple[_Worker, Message | None]":
        while True:
            if self.stop and self.stop():
                raise self.stop.error()
            try:
                return self.inbox.get(timeout=0.1)
            except Empty:
                continue

    def _take(self, worker: "_Worker", message: Message | None) -> None:
        """Act on a message; None means that the worker has ended."""
        if message is None:
            self._replace(worker)
            return
        match message:
            case Ready(device=device):
                if not self.begun:
                    self._begin(device)
                worker.ready = True
                worker.give(self.todo)
            case Logged(line=line):
                self.watcher.log(line)
            case Trained(replicate_epochs=replicate_epochs):
                self.watcher.progress(replicate_epochs)
            case Done(result=result):
                self.trained.append(result.trial)
                worker.give(self.todo)
                self.watcher.done(result)
            case Failed():
                self._take_failure(worker, message)

    def _begin(self, device: str) -> None:
        """Begin the run, now that the device is known to be available; nothing is written before."""
        self.begun = True
        if not self.run.begin(self.provenance(device)):
            # Somebody else may be working on this run from its first trial on: meet them in the middle.
            self.todo.reverse()
        self._hire(self._most_workers(device) - len(self.workers))
        self.watcher.ready(device, len(self.workers))

    def _take_failure(self, worker: "_Worker", failure: Failed) -> None:
        error = _ERRORS.get(failure.error, SweepError)(failure.message)
        if self.debug:
            error.add_note(failure.traceback)
        if not failure.trial:
            raise error
        self._mark_failed(failure.trial, error)
        worker.give(self.todo)

    def _replace(self, worker: "_Worker") -> None:
        """Replace a worker that ended without being told to: its trial, if any, failed; another takes the rest."""
        self.workers.remove(worker)
        why = worker.why_it_ended()
        if not worker.ready:
            raise SweepError(f"a worker process ended while starting: {why}")
        if worker.trial:
            self._mark_failed(worker.trial.name, SweepError(f"its worker process ended: {why}"))
        if self.todo:
            self._hire(1)

    def _mark_failed(self, trial: str, error: SweepError) -> None:
        self.failed[trial] = error
        self.watcher.failed(trial, error)

    def _end_workers(self) -> None:
        for worker in self.workers:
            worker.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS - 1
        for worker in self.workers:
            worker.end(deadline - time.monotonic())


class _Worker:
    """One worker process, seen from its parent."""

    def __init__(self, run: Run, inbox: "Queue[tuple[_Worker, Message | None]]", debug: bool) -> None:
        self.ready = False
        self.trial: Trial | None = None
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the worker lives
        # -P, and this package's own folder: the worker runs the same code, whatever the working folder holds.
        path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "job.execution.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if debug else self.stderr,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
        )
        order = Order(settings=run.settings, run=run.name, output=run.storage.url, debug=debug)
        self._send(order.model_dump_json())
        threading.Thread(target=self._listen, args=(inbox,), daemon=True, name="worker").start()

    def _listen(self, inbox: "Queue[tuple[_Worker, Message | None]]") -> None:
        try:
            for line in self.process.stdout or ():
                inbox.put((self, messages.validate_json(line)))
        except ValueError:
            pass  # It was killed in the middle of a line.
        finally:
            inbox.put((self, None))

    def _send(self, line: str) -> None:
        with suppress(BrokenPipeError):  # It has ended, as the end of its output also shows.
            print(line, file=self.process.stdin, flush=True)

    def give(self, todo: deque[Trial]) -> None:
        """Give it the next trial, if there is one."""
        self.trial = todo.popleft() if todo else None
        if self.trial:
            self._send(str(self.trial.index))

    def dismiss(self) -> None:
        """Tell it that there is nothing more to do."""
        self._send("")
        if not self.ready:
            self.process.terminate()  # It is still starting TensorFlow, for nothing.
        self.end()

    def end(self, seconds: float = GRACE_SECONDS) -> None:
        """Wait for it to end, and kill it if that takes longer than this."""
        try:
            self.process.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.stderr.close()

    def why_it_ended(self) -> str:
        """Return how it ended, in one line."""
        code = self.process.wait()
        if code == -9:
            return "killed (SIGKILL), perhaps out of memory; fewer --workers need less"
        self.stderr.seek(0)
        last = self.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}{': ' + last[0] if last else ''}"
