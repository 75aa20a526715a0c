"""The grid as trials: pure functions from a sweep to its trials, their names, indexes and seeds."""

import difflib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from job.errors import ConfigError
from job.settings.sweep import AXES, OPTIMIZERS, SweepConfig
from job.wording import value_words

SEED_SPAN = 2**31 - 2
"""Keras on TensorFlow draws with seeds modulo this number: only seeds below it differ in what they draw."""


@dataclass(frozen=True)
class Architecture:
    """A network and how it is trained: what a trial trains from many random starts."""

    layers: int
    neurons: int
    activation: str = "relu"
    loss: str = "mean_squared_error"
    optimizer: str = "adam"
    learning_rate: float = OPTIMIZERS["adam"]

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from the two inputs through the hidden layers to the one output."""
        return (2, *(self.neurons,) * self.layers, 1)

    @property
    def weights(self) -> int:
        """How many numbers one replicate trains: kernels and biases."""
        return sum(inputs * units + units for inputs, units in itertools.pairwise(self.widths))


@dataclass(frozen=True)
class Trial:
    """One point of the grid: its index in the grid, its name there, and its architecture."""

    index: int
    name: str
    architecture: Architecture


def trials(config: SweepConfig) -> Iterator[Trial]:
    """Yield the grid's trials in the order of their indexes, the last axis counting fastest."""
    axes = [getattr(config, axis) or (None,) for axis in AXES]
    varied = [len(values) > 1 for values in axes]
    for index, point in enumerate(itertools.product(*axes)):
        yield _trial(index, point, varied)


def trial_at(config: SweepConfig, index: int) -> Trial:
    """Return the trial with this index, from 0 to `config.trial_count` - 1."""
    return next(itertools.islice(trials(config), index, None))


def trials_of_pod(config: SweepConfig, index: object, where: str = "index") -> list[Trial]:
    """Return the trials that the pod with this completion index trains: one, or `trials_per_pod` of them.

    Args:
        config: the sweep.
        index: from 0 to `config.pod_count` - 1.
        where: what a person calls the index's place.

    Raises:
        ConfigError: it is no such index.
    """
    last = config.pod_count - 1
    if not isinstance(index, int) or not 0 <= index <= last:
        raise ConfigError(f"{where}: {index} is not in the grid: give a whole number from 0 to {last}")
    first = index * config.trials_per_pod
    return list(itertools.islice(trials(config), first, first + config.trials_per_pod))


def trial_named(config: SweepConfig, name: str) -> Trial:
    """Return the trial with this name, such as `l2-n16`.

    Raises:
        ConfigError: the grid has no such trial; the message names the one whose name is nearest.
    """
    by_name = {trial.name: trial for trial in trials(config)}
    if name not in by_name:
        like = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
        names = (
            f"did you mean '{like[0]}'?" if like else f"its trials are {next(iter(by_name))} to {[*by_name][-1]}"
        )
        raise ConfigError(f"the grid has no trial '{name}'; {names}")
    return by_name[name]


def replicate_seeds(config: SweepConfig, architecture: Architecture) -> range:
    """Return the seeds of an architecture's replicates, one after the other.

    They depend on the sweep's seed and the architecture only, so the same architecture has the same rows
    in any grid. Two architectures start at places of their own, far apart but for chance, because equal seeds
    would give them alike weights and the comparison of the two assumes independent starts.
    """
    words = f"{config.seed} {architecture}"
    first = int.from_bytes(sha256(words.encode()).digest()[:8]) % (SEED_SPAN - 1_000_000)
    return range(first, first + config.replicates)


def _trial(index: int, point: tuple[Any, ...], varied: list[bool]) -> Trial:
    layers, neurons, *others = point
    name = f"l{layers}-n{neurons}"
    for value, varies in zip(others, varied[2:], strict=True):
        if varies:
            name += f"-{'lr' if isinstance(value, float) else ''}{value_words(value)}"
    settings = dict(zip(AXES, point, strict=True))
    if settings["learning_rate"] is None:
        settings["learning_rate"] = OPTIMIZERS[str(settings["optimizer"])]
    return Trial(index, name, Architecture(**settings))
