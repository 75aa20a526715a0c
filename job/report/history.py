"""What a drawing needs from a trial's history.csv."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_MEAN_CHANGE = 0.01
"""How much the mean must differ from the last one kept for its epoch to be kept."""


@dataclass(frozen=True)
class History:
    """Accuracy over all replicates, by epoch: only the epochs that a drawing needs.

    Attributes:
        epochs: (K,) rising; between two of them no quantile changes.
        low: (K,) the 10% quantile, from 0 to 1.
        median: (K,) the median.
        high: (K,) the 90% quantile.
        mean: (K,) the mean; before the next one, it changes by less than `LEAST_MEAN_CHANGE`.
    """

    epochs: NDArray[np.int64]
    low: NDArray[np.float64]
    median: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]


def parse_history(data: bytes) -> History:
    """Parse history.csv, keeping the epochs at which a quantile changes, or the mean changes visibly.

    Raises:
        ValueError: it is not valid; the message says why, in words that follow the file's name.
        csv.Error: it is not a CSV file.
    """
    columns = ("accuracy_q10", "accuracy_median", "accuracy_q90", "accuracy_mean")
    kept: list[list[float]] = []
    row: list[float] = []
    lines = csv.DictReader(io.StringIO(data.decode()))
    if lacking := {"epoch", *columns} - set(lines.fieldnames or ()):
        raise ValueError(f"it has no column {', '.join(sorted(lacking))}")
    for line in lines:
        row = [float(line["epoch"]), *(float(line[name]) for name in columns)]
        # "Not less" also keeps what is not a number, for the check below.
        if not kept or row[1:4] != kept[-1][1:4] or not abs(row[4] - kept[-1][4]) < LEAST_MEAN_CHANGE:
            kept.append(row)
    if not kept:
        raise ValueError("it has no epochs")
    if kept[-1] != row:
        kept.append(row)
    epochs, low, median, high, mean = np.array(kept).T
    if not np.isfinite(kept).all() or (np.diff(epochs) <= 0).any():
        raise ValueError("its epochs do not rise, or a number is not finite")
    return History(epochs.astype("int64"), low, median, high, mean)
