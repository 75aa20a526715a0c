"""A whole sweep on one machine: missing trials are trained, finished ones are left alone."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from getpass import getuser
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from job import logs, termination
from job.errors import SweepError, TrialError
from job.execution.pool import Pool, Watcher
from job.runs.results import Outcome, TrialResult
from job.runs.run import Run
from job.settings.grid import Trial, trials
from job.settings.sweep import Settings
from job.signals import StopRequest
from job.storage import open_storage
from job.training.devices import start_tensorflow


@dataclass(frozen=True)
class SweepOutcome:
    """What one call of `run_sweep` did."""

    run: Run
    """The run, to read its results from."""
    trained: tuple[str, ...] = ()
    """The trials with a new result."""
    found: tuple[str, ...] = ()
    """The trials that already had a result."""
    failed: dict[str, SweepError] = field(default_factory=dict)
    """The trials that failed, and why."""
    unshown: Mapping[str, SweepError] = field(default_factory=dict)
    """The trials that are done but that TensorBoard cannot show, since a file is gone or damaged, and why."""


def run_sweep(
    settings: Settings,
    *,
    watcher: Watcher | None = None,
    stop: StopRequest | None = None,
    debug: bool = False,
) -> SweepOutcome:
    """Train every trial of the grid that has no result yet, on this machine.

    Args:
        settings: the sweep; `settings.output` is where its run is or will be.
        watcher: receives the progress.
        stop: polled for whether to stop; None never stops.
        debug: let TensorFlow print its start-up messages, and keep tracebacks.

    Returns:
        What was trained, what already existed, and what failed. A trial that fails does not stop the others.

    Raises:
        ConfigError: the output is not writable, or the run of this name belongs to another sweep.
        DeviceError: a GPU was requested, but there is none; nothing was written.
        StorageError, StorageUnavailableError: the results could not be stored.
        InterruptedRunError: it was told to stop; what was committed is kept.
    """
    watcher = watcher or Watcher()
    storage = open_storage(settings.output)
    storage.check_writable("runs")
    run = Run(storage, settings, settings.run_name)
    finished = run.finished() if run.check() else set()
    missing = [trial for trial in trials(settings) if trial.name not in finished]
    watcher.begun(run, len(missing), len(finished))
    if not missing:
        return SweepOutcome(run, found=tuple(sorted(finished)), unshown=run.publish_all_events())
    pool = Pool(run, missing, watcher=watcher, stop=stop, provenance=provenance, debug=debug)
    trained, failed = pool.work()
    return SweepOutcome(run, tuple(trained), tuple(sorted(finished)), failed, run.publish_all_events())


def run_trials(
    settings: Settings, wanted: Sequence[Trial], *, stop: StopRequest, sink: logs.Sink, debug: bool = False
) -> None:
    """Train trials of a sweep in this process, as a pod does, one by one; skip those with a result.

    Args:
        settings: the sweep; `settings.output` is where its run is or will be.
        wanted: trials of its grid.
        stop: asked whether to stop.
        sink: receives the log lines; a trial's first line names it, its last holds its result.
        debug: let TensorFlow print its start-up messages.

    Raises:
        ConfigError: the output is not writable, or the run of this name belongs to another sweep.
        DeviceError: a GPU was requested, but there is none; nothing was written.
        TrialError: a trial can never succeed; the others were trained.
        StorageError, StorageUnavailableError: a result could not be stored.
        InterruptedRunError: it was told to stop.
    """
    failure = None
    outcomes: dict[str, Outcome] = {}
    # First of all, so that a pod's log begins with its trial's name: the storage may take a minute to answer.
    for trial in wanted:
        sink(logs.event(f"{trial.name}: trial {trial.index} of run {settings.run_name}", **_where(settings, trial)))
    with stop.exit_immediately():
        storage = open_storage(settings.output)
        storage.check_writable("runs")
        run = Run(storage, settings, settings.run_name)
        for trial in wanted:
            if found := _found(run, trial, sink):
                outcomes[trial.name] = found.summary.outcome
        missing = [trial for trial in wanted if trial.name not in outcomes]
        if not missing:
            termination.write_message(outcomes)
            return
        started = time.monotonic()
        device = start_tensorflow(settings.device, debug=debug)
        from job.attempt.attempt import run_trial  # TensorFlow must be started first

        start_seconds = time.monotonic() - started
        run.begin(provenance(device))
    for trial in _in_turn(missing):
        try:
            result = run_trial(run, trial, device=device, stop=stop, sink=sink, start_seconds=start_seconds)
            outcomes[trial.name] = result.summary.outcome
        except TrialError as error:
            failure = error
        start_seconds = 0.0
    if failure:
        raise failure
    termination.write_message(outcomes)


def _in_turn(missing: Sequence[Trial]) -> list[Trial]:
    """Start with a different trial than earlier pods did: one that ends its pod must not hold up the others."""
    failures = os.environ.get("XOR_SWEEP_FAILURE_COUNT", "")
    first = int(failures) % len(missing) if failures.isdecimal() else 0
    return [*missing[first:], *missing[:first]]


def _found(run: Run, trial: Trial, sink: logs.Sink) -> TrialResult | None:
    """Return the result that a trial already has, and log it; None if it has none."""
    if not (run.check() and run.is_finished(trial.name)):
        return None
    result = run.result(trial.name)
    run.publish_events(result)
    words = f"{trial.name}: its result already exists"
    sink(logs.event(words, **_where(run.settings, trial), result=result.summary.record()))
    return result


def _where(settings: Settings, trial: Trial) -> dict[str, str]:
    return {"trial": trial.name, "run": settings.run_name}


def provenance(device: str) -> dict[str, Any]:
    """Return where a run comes from: versions, machine, user, image and time."""
    return {
        "created": logs.timestamp(),
        "device": device,
        "host": platform.node(),
        "user": _user(),
        "image": os.environ.get("XOR_SWEEP_IMAGE"),
        "versions": {
            "python": platform.python_version(),
            **{name: found for name in ("xor-sweep", "tensorflow", "keras", "numpy") if (found := _version(name))},
        },
    }


def _version(package: str) -> str | None:
    for name in (package, f"{package}-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _user() -> str | None:
    try:
        return getuser()
    except (KeyError, OSError):
        return None  # A container's user may have no name.
