"""One trial: train its replicates, write what they did, commit the result."""

import csv
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from job import logs
from job.attempt.model_card import Chosen, model_card
from job.attempt.tensorboard import write_events
from job.errors import StorageUnavailableError, TrialError
from job.problems.parity import TARGETS
from job.runs.run import CARD, EVENTS, HISTORY, LOG, MODEL, REPLICATES, Run, TrialResult
from job.runs.snapshots import (
    FIRST,
    MOST_PATTERNS,
    MOST_WEIGHTS,
    NETWORKS,
    Network,
    Networks,
    Unsolved,
    as_plane,
    curve,
    finite,
    plane_points,
    unsolved_patterns,
)
from job.settings.grid import Architecture, Trial, replicate_seeds
from job.signals import StopRequest
from job.statistics.survival import EpochsToSolve, Outcome, outcome
from job.training.loop import Progress, Training, train
from job.training.networks import as_plain_model, outputs_of
from job.wording import count_words, limit_words, percent

MILESTONES = (
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    *(10**power * step for power in (3, 4, 5) for step in (1, 2, 5)),
)
"""The epochs whose accuracy is logged: growing, so that a log stays short however long the training is."""


def new_attempt() -> str:
    """Return a name for this attempt that no other has: the pod's uid in a pod, else a random word."""
    return os.environ.get("XOR_SWEEP_POD_UID") or uuid.uuid4().hex


def run_trial(
    run: Run,
    trial: Trial,
    *,
    device: str,
    stop: StopRequest,
    sink: logs.Sink,
    start_seconds: float = 0.0,
    report: Callable[[Progress], None] = lambda _: None,
) -> TrialResult:
    """Train a trial and commit its result; where another attempt is done already, return its result.

    Args:
        run: the run, which has begun.
        trial: a trial of its grid.
        device: where TensorFlow was started, `cpu` or `gpu`.
        stop: asked after each segment whether to stop.
        sink: takes each log line; they are stored with the attempt, too.
        start_seconds: how long this process took to start TensorFlow, where this is its first trial.
        report: called after each segment of the training.

    Returns:
        The trial's result: this attempt's, or that of another attempt which was first.

    Raises:
        TrialError: the trial can never succeed; the attempt's log is stored.
        InterruptedRunError: it was told to stop; what the attempt has is stored, the trial is not done.
        StorageError, StorageUnavailableError: the result could not be stored.
    """
    log = _Log(sink, trial)
    if run.is_finished(trial.name):
        result = run.result(trial.name)
        run.show(result)
        log("its result is there already", result=result.summary)
        return result
    attempt = new_attempt()
    started = time.monotonic()
    limit, replicates = run.config.epochs, count_words(run.config.replicates, "replicate")
    log(
        f"training {replicates} for at most {limit_words(limit)} on the {device}",
        run=run.name,
        attempt=attempt,
        architecture=asdict(trial.architecture),
    )
    with tempfile.TemporaryDirectory(prefix="xor-sweep-") as name:
        folder = Path(name)
        try:
            training = _train(run, trial, stop, log, report)
        except TrialError as error:
            log(str(error), severity="ERROR", exit_code=error.exit_code)
            with _local_errors(folder):
                log.write(folder)
            run.save_attempt(trial.name, attempt, folder)
            raise
        chosen = choose_replicate(training)
        numbers = outcome(EpochsToSolve(training.epochs, training.solved))
        with _local_errors(folder):
            write_replicates(folder, training)
            # A process that was told to stop has seconds left, too few for the curves of a long training.
            if not training.stopped:
                _write_details(folder, run, trial, training, chosen, numbers)
        if training.stopped:
            log("stopped before it was done; what this attempt has is stored", severity="WARNING")
        else:
            summary = _summary(training, numbers, chosen, device) | _seconds(training, start_seconds, started)
            log(in_words(numbers, limit), result=summary)
        with _local_errors(folder):
            log.write(folder)
        files = run.save_attempt(trial.name, attempt, folder)
    if training.stopped:
        raise stop.error()
    return run.commit(
        TrialResult(
            trial=trial.name,
            index=trial.index,
            attempt=attempt,
            config_hash=run.config.hash,
            summary=summary,
            files=files,
        )
    )


@contextmanager
def _local_errors(folder: Path) -> Iterator[None]:
    """Say of a file that cannot be written where it was to be: it is not the output that has no room.

    Raises:
        StorageUnavailableError: in the place of an OSError; another machine may have room.
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot write a trial's files into {folder.parent}: {error.strerror or error}"
        raise StorageUnavailableError(f"{reason}; make room there, or name another folder in TMPDIR") from error


def _write_details(folder: Path, run: Run, trial: Trial, training: Training, chosen: int, numbers: Outcome) -> None:
    history = write_history(folder, training, chosen)
    seconds = training.compile_seconds + training.train_seconds
    write_events(folder / EVENTS, run.name, run.config, trial, history, numbers, seconds)
    write_networks(folder, training, trial.architecture, chosen)
    as_plain_model(trial.architecture, training.weights[chosen]).save(folder / MODEL)
    write_card(folder, run, trial, training, chosen, in_words(numbers, run.config.epochs))


def _train(run: Run, trial: Trial, stop: StopRequest, log: "_Log", report: Callable[[Progress], None]) -> Training:
    def each_segment(progress: Progress) -> None:
        log.progress(progress)
        report(progress)

    return train(
        trial.architecture,
        replicate_seeds(run.config, trial.architecture),
        run.config.epochs,
        keep_training=run.config.keep_training,
        report=each_segment,
        should_stop=stop,
        keep=worth_keeping,
    )


class Milestone(NamedTuple):
    """An epoch that is logged: loss and accuracy averaged over a block, and how many of it are solved."""

    epoch: int
    loss: float
    accuracy: float
    solved: int


def milestones(progress: Progress) -> Iterator[Milestone]:
    """Yield those epochs of a segment that are in `MILESTONES`."""
    first = progress.epoch - len(progress.accuracy) + 1
    for epoch in MILESTONES:
        if first <= epoch <= progress.epoch:
            at = epoch - first
            yield Milestone(epoch, float(progress.loss[at]), float(progress.accuracy[at]), int(progress.solved[at]))


class _Log:
    """The attempt's log: each line names the trial, goes to the sink, and is kept for log.jsonl."""

    def __init__(self, sink: logs.Sink, trial: Trial) -> None:
        self.sink = sink
        self.trial = trial
        self.lines: list[logs.Event] = []

    def __call__(self, message: str, *, severity: str = "INFO", **fields: Any) -> None:
        line = logs.event(f"{self.trial.name}: {message}", severity=severity, trial=self.trial.name, **fields)
        self.lines.append(line)
        self.sink(line)

    def progress(self, progress: Progress) -> None:
        """Log the milestones of a segment."""
        block = f"block {progress.block} of {progress.blocks}, " if progress.blocks > 1 else ""
        for milestone in milestones(progress):
            self(
                f"{block}epoch {milestone.epoch}: accuracy {milestone.accuracy:.3f}, "
                f"{milestone.solved} of {progress.replicates} solved",
                epoch=milestone.epoch,
                accuracy=round(milestone.accuracy, 6),
                loss=round(milestone.loss, 6),
                solved=milestone.solved,
                replicates=progress.replicates,
                block=progress.block,
            )

    def write(self, folder: Path) -> None:
        text = "".join(logs.as_json(line) + "\n" for line in self.lines)
        (folder / LOG).write_text(text, encoding="utf-8")


def choose_replicate(training: Training) -> int:
    """Return the position of the replicate whose network is kept as the trial's model.

    It is one whose final weights predict XOR, where there is any; of those, the one with the lowest loss in
    its last epoch.
    """
    return _best(training.predictions, training.loss[-1])


def worth_keeping(
    predictions: NDArray[np.float32], loss: NDArray[np.float32], solved: NDArray[np.bool_]
) -> set[int]:
    """Return which replicates of a block may be chosen, or be shown as one that never solved XOR.

    Args:
        predictions: (4, R) what they predict for XOR's rows.
        loss: (R,) in their last epoch.
        solved: (R,) whether they solved XOR.
    """
    return {_best(predictions, loss), *(position for position, _ in unsolved_patterns(predictions, solved))}


def _best(predictions: NDArray[np.float32], loss: NDArray[np.float32]) -> int:
    right = (((predictions > 0.5) == (TARGETS > 0.5)) & np.isfinite(predictions)).all(axis=0)
    return int(np.lexsort((np.nan_to_num(loss, nan=np.inf), ~right))[0])


def in_words(numbers: Outcome, limit: int) -> str:
    """Say a trial's outcome in one line."""
    if numbers.median is None:
        half = f"fewer than half of the starts solve XOR within {limit_words(limit)}"
    else:
        high = numbers.median_high or f"over {limit}"
        half = (
            f"half of the starts solve XOR by epoch {numbers.median} (95 % interval {numbers.median_low} to {high})"
        )
    return (
        f"{half}; {numbers.solved} of {numbers.replicates} solved, {percent(numbers.share_solved)}% "
        f"(95 % interval {numbers.share_low:.1%} to {numbers.share_high:.1%})"
    )


def _summary(training: Training, numbers: Outcome, chosen: int, device: str) -> dict[str, Any]:
    return {
        **asdict(numbers),
        "replicate_epochs": training.replicate_epochs,
        "chosen_seed": int(training.seeds[chosen]),
        "chosen_epochs_to_solve": int(training.epochs[chosen]) if training.solved[chosen] else None,
        "chosen_epochs_trained": int(training.trained[chosen]),
        "device": device,
    }


def _seconds(training: Training, start: float, started: float) -> dict[str, float]:
    """Say where the time went, up to now; `other_seconds`: drawing the weights, writing the files."""
    spent = time.monotonic() - started
    seconds = {
        "start_seconds": start,
        "compile_seconds": training.compile_seconds,
        "train_seconds": training.train_seconds,
        "other_seconds": spent - training.compile_seconds - training.train_seconds,
    }
    return {name: round(value, 3) for name, value in seconds.items()}


def write_replicates(folder: Path, training: Training) -> None:
    """Write replicates.csv into a local folder, a replicate a line.

    `epochs_to_solve` is empty where the replicate is right-censored: it was trained for `epochs_trained`
    epochs and had not solved.
    """
    replicates = zip(
        training.seeds.tolist(),
        [epoch if solved else "" for epoch, solved in zip(training.epochs, training.solved, strict=True)],
        training.trained.tolist(),
        training.loss[-1].tolist(),
        training.accuracy[-1].tolist(),
        strict=True,
    )
    _write_csv(folder / REPLICATES, REPLICATES_COLUMNS, replicates)


def write_history(folder: Path, training: Training, chosen: int) -> dict[str, NDArray[Any]]:
    """Write history.csv into a local folder, an epoch a line: quantiles over the replicates, and the chosen one's.

    A replicate whose training has ended counts with its last values; `in_training` says how many have not.

    Args:
        folder: where to write it.
        training: R replicates' curves.
        chosen: the position of the replicate whose network is kept, from 0 to R - 1.

    Returns:
        Its columns by their names, (epochs,) each.
    """
    columns = dict(zip(HISTORY_COLUMNS, _history(training, chosen), strict=True))
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    _write_csv(folder / HISTORY, HISTORY_COLUMNS, rows)
    return columns


def write_card(folder: Path, run: Run, trial: Trial, training: Training, chosen: int, words: str) -> None:
    """Write the model card of the chosen network into a local folder.

    Args:
        folder: where to write it.
        run: the run, which it names.
        trial: the trial.
        training: its replicates.
        chosen: the position of the replicate whose network is kept.
        words: the trial's outcome, in one line.
    """
    epochs = int(training.epochs[chosen]) if training.solved[chosen] else None
    replicate = Chosen(int(training.seeds[chosen]), epochs, training.predictions[:, chosen])
    card = model_card(run.name, run.config, trial, replicate, words)
    (folder / CARD).write_text(card, encoding="utf-8")


def write_networks(folder: Path, training: Training, architecture: Architecture, chosen: int) -> None:
    """Write networks.json into a local folder: a few replicates in detail, for the report.

    Args:
        folder: where to write it.
        training: the replicates; it has the weights of all that `worth_keeping` names.
        architecture: their network.
        chosen: the position of the replicate whose network is kept.
    """
    groups = unsolved_patterns(training.predictions, training.solved)[:MOST_PATTERNS]
    shown = [training.weights[at] for at in (chosen, *(position for position, _ in groups))]
    seeds = training.seeds.tolist()
    planes = [as_plane(output) for output in outputs_of(architecture, shown, plane_points())]
    kept = architecture.weights <= MOST_WEIGHTS
    weights = [_rounded(weight) for weight in training.weights[chosen]] if kept else None
    networks = Networks(
        chosen=Network(
            seed=seeds[chosen],
            predictions=finite(training.predictions[:, chosen].tolist()),
            plane=planes[0],
            weights=weights,
        ),
        first=[curve(seed, training.accuracy[:, at]) for at, seed in enumerate(seeds[:FIRST])],
        unsolved=[
            Unsolved(
                predictions=(training.predictions[:, at] > 0.5).tolist(), count=count, seed=seeds[at], plane=plane
            )
            for (at, count), plane in zip(groups, planes[1:], strict=True)
        ],
    )
    (folder / NETWORKS).write_text(networks.model_dump_json() + "\n", encoding="utf-8")


def _rounded(weight: NDArray[np.float32]) -> Any:
    return weight.astype(float).round(5).tolist()


REPLICATES_COLUMNS = ("seed", "epochs_to_solve", "epochs_trained", "last_loss", "last_accuracy")
HISTORY_COLUMNS = (
    *("epoch", "in_training", "solved"),
    *("loss_q10", "loss_median", "loss_q90", "loss_mean"),
    *("accuracy_q10", "accuracy_median", "accuracy_q90", "accuracy_mean"),
    *("chosen_loss", "chosen_accuracy"),
)


def _history(training: Training, chosen: int) -> list[NDArray[Any]]:
    epochs = np.arange(1, len(training.loss) + 1)
    in_training = (training.trained >= epochs[:, None]).sum(axis=1)
    solved = np.logical_or.accumulate(training.accuracy == 1).sum(axis=1)
    columns = [epochs, in_training, solved]
    for curves in (training.loss, training.accuracy):
        columns += [*np.quantile(curves, (0.1, 0.5, 0.9), axis=1), curves.mean(axis=1)]
    return [*columns, training.loss[:, chosen], training.accuracy[:, chosen]]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
