"""A whole sweep on one machine: what is missing is trained, what is there already is left alone."""

import os
import platform
from dataclasses import dataclass, field
from getpass import getuser
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from job import logs
from job.config import SweepConfig
from job.devices import start_tensorflow
from job.errors import SweepError
from job.grid import Trial, trials
from job.pool import Pool, Watcher
from job.run import Run, TrialResult
from job.stopping import StopRequest
from job.storage import open_storage


@dataclass(frozen=True)
class SweepOutcome:
    """What one call of `run_sweep` did."""

    run: Run
    """The run, to read its results from."""
    trained: tuple[str, ...] = ()
    """The trials whose result is new."""
    found: tuple[str, ...] = ()
    """The trials whose result was there already."""
    failed: dict[str, SweepError] = field(default_factory=dict)
    """The trials that can never succeed, and why."""


def run_sweep(
    config: SweepConfig,
    *,
    watcher: Watcher | None = None,
    stop: StopRequest | None = None,
    debug: bool = False,
) -> SweepOutcome:
    """Train every trial of the grid that has no result yet, on this machine.

    Args:
        config: the sweep; `config.output` is where its run lies or will lie.
        watcher: told of the progress.
        stop: asked again and again whether to stop; None never stops.
        debug: let TensorFlow print what it prints at its start, and keep tracebacks.

    Returns:
        What was trained, what was there already, and what failed. A trial that fails does not stop the others.

    Raises:
        ConfigError: the output is not writable, or the run of this name belongs to another sweep.
        DeviceError: a GPU was asked for and there is none; nothing was written.
        StorageError, StorageUnavailableError: the results could not be stored.
        InterruptedRunError: it was told to stop. What was committed stays.
    """
    watcher = watcher or Watcher()
    storage = open_storage(config.output)
    storage.check_writable("runs")
    run = Run(storage, config, config.run_name)
    under_way = run.check()
    finished = run.finished() if under_way else set()
    missing = [trial for trial in trials(config) if trial.name not in finished]
    watcher.begun(run, len(missing), len(finished))
    if not missing:
        return SweepOutcome(run, found=tuple(sorted(finished)))
    if under_way:
        # Somebody else may be at this very run, from its first trial on: meet them in the middle.
        missing.reverse()
    pool = Pool(run, missing, watcher=watcher, stop=stop, provenance=provenance, debug=debug)
    trained, failed = pool.work()
    return SweepOutcome(run, tuple(trained), tuple(sorted(finished)), failed)


def run_one_trial(
    config: SweepConfig, trial: Trial, *, stop: StopRequest, sink: logs.Sink, debug: bool = False
) -> TrialResult:
    """Train one trial of a sweep in this process, as a pod does, unless its result is there already.

    Args:
        config: the sweep; `config.output` is where its run lies or will lie.
        trial: a trial of its grid.
        stop: asked whether to stop.
        sink: takes the log lines; the first names the trial, the last has its result.
        debug: let TensorFlow print what it prints at its start.

    Returns:
        The trial's result.

    Raises:
        ConfigError: the output is not writable, or the run of this name belongs to another sweep.
        DeviceError: a GPU was asked for and there is none; nothing was written.
        TrialError: the trial can never succeed.
        StorageError, StorageUnavailableError: the result could not be stored.
        InterruptedRunError: it was told to stop.
    """
    with stop.at_once():
        storage = open_storage(config.output)
        storage.check_writable("runs")
        run = Run(storage, config, config.run_name)
        sink(logs.event(f"{trial.name}: trial {trial.index} of run {run.name}", trial=trial.name, run=run.name))
        if run.check() and run.is_finished(trial.name):
            result = run.result(trial.name)
            message = f"{trial.name}: its result is there already"
            sink(logs.event(message, trial=trial.name, result=result.summary))
            return result
        device = start_tensorflow(config.device, debug=debug)
        from job.trial import run_trial  # noqa: PLC0415 - TensorFlow must be started first

        run.begin(provenance(device))
    return run_trial(run, trial, device=device, stop=stop, sink=sink)


def provenance(device: str) -> dict[str, Any]:
    """Return where a run comes from: versions, machine, user, image and time."""
    return {
        "created": logs.event("")["time"],
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
