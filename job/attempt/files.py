"""The tables and snapshots of an attempt: replicates.csv, history.csv and networks.json."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from job.problems import THRESHOLD, Problem
from job.runs.layout import HISTORY, NETWORKS, REPLICATES
from job.runs.snapshots import (
    FIRST,
    MOST_PATTERNS,
    MOST_WEIGHTS,
    Network,
    Networks,
    Unsolved,
    as_plane,
    curve,
    finite,
    plane_points,
    unsolved_patterns,
)
from job.settings.grid import Architecture
from job.training.loop import Training
from job.training.networks import outputs_of

REPLICATES_COLUMNS = ("seed", "epochs_to_solve", "epochs_trained", "last_loss", "last_accuracy")
HISTORY_COLUMNS = (
    "epoch",
    "in_training",
    "solved",
    "loss_q10",
    "loss_median",
    "loss_q90",
    "loss_mean",
    "accuracy_q10",
    "accuracy_median",
    "accuracy_q90",
    "accuracy_mean",
    "chosen_loss",
    "chosen_accuracy",
)


def write_replicates(folder: Path, training: Training) -> None:
    """Write replicates.csv into a local folder, one line for each replicate.

    `epochs_to_solve` is empty if the replicate is right-censored: it was trained for `epochs_trained` epochs and
    had not solved the problem.
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
    """Write history.csv into a local folder, a line for each epoch: quantiles and the chosen replicate.

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


def _history(training: Training, chosen: int) -> list[NDArray[Any]]:
    epochs = np.arange(1, len(training.loss) + 1)
    in_training = (training.trained >= epochs[:, None]).sum(axis=1)
    solved = np.logical_or.accumulate(training.accuracy == 1).sum(axis=1)
    columns = [epochs, in_training, solved]
    for curves in (training.loss, training.accuracy):
        columns += [*np.quantile(curves, (0.1, 0.5, 0.9), axis=1), curves.mean(axis=1)]
    return [*columns, training.loss[:, chosen], training.accuracy[:, chosen]]


def write_networks(
    folder: Path, problem: Problem, training: Training, architecture: Architecture, chosen: int
) -> None:
    """Write networks.json into a local folder: a few replicates in detail, for the report.

    Args:
        folder: where to write it.
        problem: what they learned.
        training: the replicates; it has the weights of all that `worth_keeping` names.
        architecture: their network.
        chosen: the position of the replicate whose network is kept.
    """
    groups = unsolved_patterns(training.predictions, training.solved)
    groups = [(at, count) for at, count in groups if at in training.weights][:MOST_PATTERNS]
    planes = _planes(problem, training, architecture, [chosen, *(at for at, _ in groups)])
    seeds = training.seeds.tolist()
    kept = architecture.weights <= MOST_WEIGHTS
    networks = Networks(
        chosen=Network(
            seed=seeds[chosen],
            predictions=finite(training.predictions[:, chosen].tolist()),
            plane=planes[0],
            weights=[_rounded(weight) for weight in training.weights[chosen]] if kept else None,
        ),
        first=[curve(seed, training.accuracy[:, at]) for at, seed in enumerate(seeds[:FIRST])],
        unsolved=[
            Unsolved(
                predictions=(training.predictions[:, at] > THRESHOLD).tolist(),
                count=count,
                seed=seeds[at],
                plane=plane,
            )
            for (at, count), plane in zip(groups, planes[1:], strict=True)
        ],
    )
    (folder / NETWORKS).write_text(networks.model_dump_json() + "\n", encoding="utf-8")


def _planes(
    problem: Problem, training: Training, architecture: Architecture, positions: Sequence[int]
) -> list[list[list[float | None]] | None]:
    """Return the plane of the replicate at each position; None if the problem cannot be drawn as one."""
    if problem.plane is None:
        return [None] * len(positions)
    networks = [training.weights[at] for at in positions]
    return [as_plane(output) for output in outputs_of(architecture, networks, plane_points(problem.plane))]


def _rounded(weight: NDArray[np.float32]) -> Any:
    return weight.astype(float).round(5).tolist()


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
