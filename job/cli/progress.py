"""What a sweep shows while it runs: a progress bar on a terminal, log lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from job import logs
from job.errors import SweepError, TrialError
from job.execution.pool import Watcher
from job.runs.results import TrialResult
from job.runs.run import Run
from job.wording import rate_words


class TerminalWatcher(Watcher):
    """A progress bar over the trials, with the training speed and the best trial so far."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("trials"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("[bold]{task.fields[best]}"),
            console=console,
            transient=True,
        )
        self.best: tuple[int, str] | None = None
        self.trained = 0
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        """Show the bar."""
        self.task = self.bar.add_task("", total=None, speed="", best="")
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self.bar.stop()

    def begun(self, run: Run, missing: int, found: int) -> None:
        """Print which run this is."""
        there = f", already done: {found}" if found else ""
        words = f"run {run.name}: trials to train: {missing}{there}, writing to {run.url}"
        self.console.print(words, highlight=False, markup=False)
        self.bar.update(self.task, total=missing + found, completed=found, speed="starting TensorFlow")

    def ready(self, device: str, workers: int) -> None:
        """Show that training is about to begin."""
        self.started = time.monotonic()
        self.bar.update(self.task, speed=f"compiling for the {device}, {workers} side by side")

    def progress(self, replicate_epochs: int) -> None:
        """Show the speed since training began."""
        self.trained += replicate_epochs
        self.bar.update(self.task, speed=rate_words(self.trained, time.monotonic() - self.started))

    def done(self, result: TrialResult) -> None:
        """Count a trial, and show it if it is the best so far."""
        median = result.summary.outcome.median
        if median is not None and (self.best is None or (median, result.trial) < self.best):
            self.best = median, result.trial
            self.bar.update(self.task, best=f"best so far {result.trial}: median {median} epochs")
        self.bar.advance(self.task)

    def failed(self, trial: str, error: SweepError) -> None:
        """Print above the bar why a trial failed."""
        self.console.print(Text.assemble((f"{trial} failed:", "red"), f" {error}"))
        self.bar.advance(self.task)


class LogWatcher(Watcher):
    """Log lines: the run, then each trial's own lines as they arrive."""

    def __init__(self, sink: logs.Sink) -> None:
        self.sink = sink

    def begun(self, run: Run, missing: int, found: int) -> None:
        """Log which run this is."""
        there = f", already done: {found}" if found else ""
        self.sink(logs.event(f"{run.name}: trials to train: {missing}{there}", run=run.name, url=run.url))

    def ready(self, device: str, workers: int) -> None:
        """Log where the training runs."""
        self.sink(logs.event(f"training on the {device}", device=device, workers=workers))

    def log(self, event: logs.Event) -> None:
        """Pass on a trial's line."""
        self.sink(event)

    def failed(self, trial: str, error: SweepError) -> None:
        """Log the failure of a trial whose worker was killed before it could log it."""
        if isinstance(error, TrialError):
            return
        self.sink(logs.event(f"{trial} failed: {error}", severity="ERROR", trial=trial, exit_code=error.exit_code))
