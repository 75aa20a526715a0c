"""The grid as trials: pure functions from a sweep to its trials, their names, indexes and seeds."""

import difflib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any

from job.errors import ConfigError
from job.problems import DEFAULT, problem_of
from job.settings.axes import AXES, AXIS_NAMES, LEARNING_RATES, OPTIONAL_AXES, Axis
from job.settings.sweep import Settings, Sweep
from job.wording import NO_VALUE, value_words

SEED_SPAN = 2**31 - 2
"""Keras on TensorFlow draws with seeds modulo this number: only seeds below it differ in what they draw."""


@dataclass(frozen=True)
class Architecture:
    """A network and how it is trained: what a trial trains from many random starts."""

    layers: int
    """Hidden layers; if there are none, the output unit sees the inputs themselves."""
    neurons: int
    """Units in each hidden layer; 0 without hidden layers."""
    activation: str | None = "relu"
    """Activation of the hidden layers; None if there are none."""
    loss: str = "mean_squared_error"
    optimizer: str = "adam"
    learning_rate: float = LEARNING_RATES["adam"]
    inputs: int = field(default=len(problem_of(DEFAULT).inputs), repr=False)
    """How many inputs the problem has."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from the inputs through the hidden layers to the one output."""
        return (self.inputs, *(self.neurons,) * self.layers, 1)

    @property
    def weights(self) -> int:
        """How many numbers one replicate trains: kernels and biases."""
        return sum(inputs * units + units for inputs, units in itertools.pairwise(self.widths))

    def has(self, axis: Axis) -> bool:
        """Return whether it has a value on an axis: without hidden layers, it has no neurons and no activation."""
        return self.layers > 0 or not axis.hidden_only

    def words(self, axis: Axis) -> str:
        """Write its value on an axis for a table, as `16`; it is `–` if it has none."""
        return value_words(getattr(self, axis.name)) if self.has(axis) else NO_VALUE


@dataclass(frozen=True)
class Trial:
    """One point of the grid: its index in the grid, its name there, and its architecture."""

    index: int
    name: str
    architecture: Architecture


def trials(sweep: Sweep) -> Iterator[Trial]:
    """Yield the grid's trials in the order of their indexes, the last axis changing fastest.

    Without hidden layers, neurons and activation make no difference: such an architecture is one trial.
    """
    values = {axis.name: getattr(sweep, axis.name) or (None,) for axis in AXES}
    varied = [axis.name for axis in OPTIONAL_AXES if len(values[axis.name]) > 1]
    without_hidden = {axis.name: (0 if axis.kind is int else None,) for axis in AXES if axis.hidden_only}
    inputs = len(sweep.problem.inputs)
    count = itertools.count()
    for layers in sweep.layers:
        axes = values | {"layers": (layers,)} | ({} if layers else without_hidden)
        for point in itertools.product(*axes.values()):
            yield _trial(next(count), dict(zip(axes, point, strict=True)), varied, inputs)


def trial_at(sweep: Sweep, index: int) -> Trial:
    """Return the trial with this index, from 0 to `sweep.trial_count` - 1."""
    return next(itertools.islice(trials(sweep), index, None))


def trials_of_pod(settings: Settings, index: object, where: str = "index") -> list[Trial]:
    """Return the trials that the pod with this completion index trains: one, or `trials_per_pod` of them.

    Args:
        settings: the sweep, and how many trials a pod trains.
        index: from 0 to `settings.pod_count` - 1.
        where: what a person calls the index's place.

    Raises:
        ConfigError: it is no such index.
    """
    last = settings.pod_count - 1
    if not isinstance(index, int) or not 0 <= index <= last:
        raise ConfigError(f"{where}: {index} is not in the grid: give a whole number from 0 to {last}")
    first = index * settings.trials_per_pod
    return list(itertools.islice(trials(settings), first, first + settings.trials_per_pod))


def trial_named(sweep: Sweep, name: str) -> Trial:
    """Return the trial with this name, such as `l2-n16`.

    Raises:
        ConfigError: the grid has no such trial; the message names the one whose name is nearest.
    """
    by_name = {trial.name: trial for trial in trials(sweep)}
    if name not in by_name:
        like = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
        names = (
            f"did you mean '{like[0]}'?" if like else f"its trials are {next(iter(by_name))} to {[*by_name][-1]}"
        )
        raise ConfigError(f"the grid has no trial '{name}'; {names}")
    return by_name[name]


def replicate_seeds(sweep: Sweep, architecture: Architecture) -> range:
    """Return the seeds of an architecture's replicates, one after the other.

    They depend on the sweep's seed and the architecture only, so the same architecture has the same rows
    in any grid. Two architectures start at pseudo-random places, almost certainly far apart, because equal seeds
    would give them similar or the same weights, and comparing them assumes independent starts.
    """
    words = " ".join([str(sweep.seed), *_seed_words(architecture)])
    first = int.from_bytes(sha256(words.encode()).digest()[:8]) % (SEED_SPAN - 1_000_000)
    return range(first, first + sweep.replicates)


def _seed_words(architecture: Architecture) -> Iterator[str]:
    """Yield an architecture's representation, and its values on newer axes (`repr=False`) unless they are defaults.

    So an axis that is added later leaves the seeds of all earlier architectures as they were.
    """
    yield str(architecture)
    for each in fields(architecture):
        value = getattr(architecture, each.name)
        if not each.repr and each.name in AXIS_NAMES and value != each.default:
            yield f"{each.name}={value}"


def _trial(index: int, point: Mapping[str, Any], varied: list[str], inputs: int) -> Trial:
    """Return the trial at a point of the grid (the name of each axis -> its value)."""
    layers, neurons = point["layers"], point["neurons"]
    parts = [f"l{layers}", *([f"n{neurons}"] if layers else [])]
    parts += [
        f"{axis.short}{value_words(point[axis.name])}"
        for axis in OPTIONAL_AXES
        if axis.name in varied and point[axis.name] is not None
    ]
    learning_rate = point["learning_rate"] or LEARNING_RATES[point["optimizer"]]
    return Trial(index, "-".join(parts), Architecture(**{**point, "learning_rate": learning_rate}, inputs=inputs))
