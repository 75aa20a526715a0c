"""A run: what a sweep has trained, and what it found."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.execution.pool import Watcher
from job.execution.sweep import run_sweep
from job.report.page import write_report
from job.report.pictures import PICTURES, draw
from job.report.reading import Report, read_report
from job.report.undone import Undone
from job.runs import layout
from job.runs.results import TrialResult
from job.runs.run import Run, find_run
from job.settings import grid
from job.settings.sweep import Settings
from job.settings.validation import make_settings
from job.training.stored import KerasModel, load_model
from job.wording import listed
from xor_sweep.leaderboard import LeaderboardTable, no_result_words
from xor_sweep.picture import SvgPicture

Integers: TypeAlias = int | np.integer[Any] | Sequence[int] | range | NDArray[np.integer[Any]]
"""A whole number, or several."""

Floats: TypeAlias = float | np.floating[Any] | Sequence[float] | NDArray[np.floating[Any]]
"""A number, or several."""

Names: TypeAlias = str | Sequence[str]
"""A name, or several."""


class SweepRun:
    """A run in its folder or bucket, and what it found; get one from `sweep` or `open_run`."""

    def __init__(self, stored: Run, failed: Mapping[str, SweepError] | None = None) -> None:
        """Wrap a stored run, with the trials that are known to have failed, and why."""
        self._stored = stored
        self._read: Report | None = None
        self.failed = dict(failed or {})

    @property
    def name(self) -> str:
        """The run's name."""
        return self._stored.name

    @property
    def url(self) -> str:
        """Where the run is: a folder, or the URL of one in a bucket."""
        return self._stored.url

    @property
    def settings(self) -> Settings:
        """The run's settings: what was requested, and where and how it ran."""
        return self._stored.settings

    @property
    def report_url(self) -> str:
        """Where the run's page is."""
        return self._stored.url_of(layout.PAGE)

    @property
    def leaderboard(self) -> LeaderboardTable:
        """The trials that have a result, best first; damaged results are left out."""
        return LeaderboardTable(self._report.board)

    @property
    def verdict(self) -> str:
        """What the data say, in one sentence."""
        return self.leaderboard.verdict

    def picture(self, kind: str, trials: Names = ()) -> SvgPicture:
        """Draw one of the report's pictures.

        Args:
            kind: which one, such as `heatmap`, `intervals` or `survival`; `xor-sweep plot --help` lists them all.
            trials: the trial or trials to draw, for pictures that draw trials one by one; by default, the
                picture's choice.

        Raises:
            ConfigError: there is no such picture, one of the trials cannot be drawn, or trials are named for a
                picture that shows the whole run.
            NothingToDrawError: the run has nothing for this picture to show; the text says why.
            StorageError, StorageUnavailableError: the run cannot be read.
        """
        kinds = [picture.kind for picture in PICTURES]
        if kind not in kinds:
            raise ConfigError(f"there is no picture {kind!r}; the pictures are {listed(kinds)}")
        names = [trials] if isinstance(trials, str) else [*trials]
        return SvgPicture(kind, draw(self._report, kind, names))

    def model(self, trial: str) -> KerasModel:
        """Load the network that a trial has kept, as a plain Keras model.

        Args:
            trial: the trial's name, such as `l2-n16`.

        Raises:
            ObjectNotFoundError: the trial has no result.
            DamagedResultError: the model is gone or damaged.
            StorageError, StorageUnavailableError: the run cannot be read.
        """
        names = [each.name for each in grid.trials(self.settings)]
        if trial not in names or not self._stored.is_finished(trial):
            finished = self._stored.finished()
            raise ObjectNotFoundError(no_result_words(trial, [name for name in names if name in finished]))
        data = self._stored.read_file(self._stored.result(trial), layout.MODEL)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, layout.MODEL)
            path.write_bytes(data)
            return load_model(path)

    def write_report(self) -> str:
        """Write the run's page and pictures again, and return where the page is.

        Raises:
            StorageError, StorageUnavailableError: they cannot be written.
        """
        self._read = write_report(self._stored, self._undone())
        return self.report_url

    @property
    def _report(self) -> Report:
        """What the run's files say, read once; `write_report` reads them again."""
        if self._read is None:
            self._read = read_report(self._stored, self._undone())
        return self._read

    def _undone(self) -> Iterable[Undone]:
        return [Undone(name, "failed", str(error)) for name, error in self.failed.items()]

    def __repr__(self) -> str:
        """Return where the run is, how much of it is done, and its verdict."""
        done, count = len(self.leaderboard), self.settings.trial_count
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<SweepRun {self.name}: {done} of {count} trials done{failed}, in {self.url}>\n{self.verdict}"


class _Lines(Watcher):
    """Prints a line when the sweep begins, and one for each trial that is done or has failed."""

    def begun(self, run: Run, missing: int, found: int) -> None:
        there = f", {found} already done" if found else ""
        print(f"{run.name}: {missing} trials to train{there}, writing to {run.url}", flush=True)

    def done(self, result: TrialResult) -> None:
        outcome = result.summary.outcome
        half = "not reached" if outcome.median is None else f"epoch {outcome.median}"
        print(f"{result.trial}: {outcome.solved} of {outcome.replicates} solved, median {half}", flush=True)

    def failed(self, trial: str, error: SweepError) -> None:
        print(f"{trial} failed: {error}", flush=True)


def sweep(  # noqa: PLR0913 - a setting each
    *,
    layers: Integers | None = None,
    neurons: Integers | None = None,
    activation: Names | None = None,
    loss: Names | None = None,
    optimizer: Names | None = None,
    learning_rate: Floats | None = None,
    data: str | None = None,
    replicates: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    keep_training: bool | None = None,
    device: str | None = None,
    output: str | Path | None = None,
    run: str | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> SweepRun:
    """Train a grid of networks on this machine, write the report, and return the run.

    Running the same sweep again trains only what has no result yet. A setting of None has its default;
    `xor-sweep sweep --help` describes each setting and its default. The first six take one value or several: a
    list, a tuple, or a range or NumPy array of numbers.

    Args:
        layers: hidden layers, from 0 to 100.
        neurons: neurons in each hidden layer, from 1 to 4096.
        activation: names of element-wise Keras activations.
        loss: `mean_squared_error`, `binary_crossentropy`.
        optimizer: names of element-wise Keras optimizers.
        learning_rate: numbers above 0, up to 1000.
        data: what the networks learn, such as `xor` or `parity:3`.
        replicates: random starts of each trial.
        epochs: the limit, in epochs.
        seed: the seed from which every replicate's own seed is derived.
        keep_training: train up to the limit even after every start has solved.
        device: `auto`, `cpu` or `gpu`.
        output: the folder or the bucket's URL to write the run to; the current folder by default.
        run: the run's name.
        workers: processes that train side by side.
        quiet: print nothing.

    Returns:
        The run; its `failed` says which trials failed, and why.

    Raises:
        ConfigError: a setting is wrong; the line says which one, and what would be right.
        DeviceError: a GPU was requested, but there is none.
        StorageError, StorageUnavailableError: the results could not be stored.
    """
    given = {
        "layers": layers,
        "neurons": neurons,
        "activation": activation,
        "loss": loss,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "data": data,
        "replicates": replicates,
        "epochs": epochs,
        "seed": seed,
        "keep_training": keep_training,
        "device": device,
        "output": output,
        "run": run,
        "workers": workers,
    }
    settings = make_settings({name: value for name, value in given.items() if value is not None})
    outcome = run_sweep(settings, watcher=Watcher() if quiet else _Lines())
    finished = SweepRun(outcome.run, outcome.failed)
    finished.write_report()
    return finished


def open_run(where: str | Path, output: str | Path = ".") -> SweepRun:
    """Open a run that has begun, in a folder or a bucket; it may be unfinished.

    Args:
        where: the run's own folder or its URL in a bucket, or its name in `output`.
        output: the folder or the bucket's URL that holds `runs/`.

    Raises:
        ConfigError: there is no such run.
        SweepError: its sweep.json is damaged.
        StorageError, StorageUnavailableError: it cannot be read.
    """
    return SweepRun(find_run(os.fspath(where), os.fspath(output)))
