"""How fast the vectorised loop trains, beside `keras.Model.fit` and `train_on_batch`, in one run: `make bench`.

One process, one thread. Each figure is the median of several measurements of a compiled program; the ratio is
what counts, since all three run on the same machine within the same minute.
"""

import statistics
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from job.training.devices import start_tensorflow
from job.wording import scaled

start_tensorflow("cpu")

from job.problems import problem_of  # noqa: E402
from job.settings.grid import Architecture, trials  # noqa: E402
from job.settings.validation import make_settings  # noqa: E402
from job.training.loop import BLOCK, train  # noqa: E402
from job.training.networks import plain_model  # noqa: E402

XOR = problem_of("xor")
REPEATS = 3
EPOCHS = 400


def main() -> None:
    """Measure every trial of the default grid and print a table."""
    table = Table("trial", "weights", "this", "train_on_batch", "fit", "x train_on_batch", "x fit", box=None)
    for trial in trials(make_settings({})):
        ours, batch, fit = (measure(trial.architecture) for measure in (vectorised, train_on_batch, keras_fit))
        rates = [scaled(rate) for rate in (ours, batch, fit)]
        weights = str(trial.architecture.weights)
        table.add_row(trial.name, weights, *rates, f"{ours / batch:,.0f}", f"{ours / fit:,.0f}")
    console = Console(width=110)
    console.print("replicate-epochs per second, one process, one thread")
    console.print(table)


def vectorised(architecture: Architecture) -> float:
    """Return the replicate-epochs per second of the loop in job/training/loop.py, compilation left out."""

    def once() -> float:
        training = train(XOR, architecture, range(BLOCK), EPOCHS, keep_training=True)
        return BLOCK * (EPOCHS - 1) / training.train_seconds

    return statistics.median(once() for _ in range(REPEATS))


def train_on_batch(architecture: Architecture) -> float:
    """Return the epochs per second of `train_on_batch` with the four rows as one batch."""
    model = plain_model(architecture, 0)
    return _rate(lambda: model.train_on_batch(XOR.features, XOR.targets), 100)


def keras_fit(architecture: Architecture) -> float:
    """Return the epochs per second of `fit`."""
    model = plain_model(architecture, 0)
    return _rate(lambda: model.fit(XOR.features, XOR.targets, epochs=20, verbose=0), 1) * 20


def _rate(step: Callable[[], object], steps: int) -> float:
    step()  # Traces and compiles.

    def once() -> float:
        started = time.perf_counter()
        for _ in range(steps):
            step()
        return steps / (time.perf_counter() - started)

    return statistics.median(once() for _ in range(REPEATS))


if __name__ == "__main__":
    main()
