"""networks.json: details of a few replicates, which an attempt keeps for the report to draw.

It holds plain numbers, so that reading it requires neither Keras nor TensorFlow.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from job.problems import THRESHOLD, Problem

SIDE = 41
"""Points along each side of a plane."""
FIRST = 8
"""How many replicates' accuracy is kept: the first by seed, a fair sample because seeds are arbitrary."""
MOST_CHANGES = 500
"""At most this many changes of accuracy are kept for one replicate; its curve ends there."""
MOST_PATTERNS = 6
"""How many of the ways of not solving the problem are kept: the most frequent ones."""
MOST_GROUPS = 64
"""At most this many such ways are distinguished within one block: with many rows, each replicate may differ."""
MOST_WEIGHTS = 20_000
"""The weights of larger networks are not kept: a drawing of them would show nothing."""

_Output = Annotated[float, Field(ge=0, le=1)] | None
"""The output of a sigmoid; None if it is not finite."""

Plane = Annotated[
    list[Annotated[list[_Output], Field(min_length=SIDE, max_length=SIDE)]],
    Field(min_length=SIDE, max_length=SIDE),
]
"""The network's output for each pair of inputs: a row for each value of the second input, ascending, with a number
for each value of the first; None where it is not finite."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Network(_Part):
    """The network that is kept as the trial's model."""

    seed: int
    """The seed of its initial weights."""
    predictions: list[_Output]
    """Its answer in each of the problem's rows; None where it is not finite."""
    plane: Plane | None
    """Its answers around those rows; None if the problem cannot be drawn as a plane."""
    weights: list[list[list[FiniteFloat]] | list[FiniteFloat]] | None
    """Kernel (inputs, units) and bias (units,) of each layer in turn; None if they are too many."""

    def check(self, problem: Problem, widths: Sequence[int]) -> None:
        """Check that this can be a network that learned a problem.

        Args:
            problem: the problem.
            widths: how many units each layer has, from the inputs to the output.

        Raises:
            ValueError: its weights, its predictions or its plane are not those of such a network.
        """
        if len(self.predictions) != len(problem.rows) or (self.plane is None) != (problem.plane is None):
            raise ValueError(f"its predictions are not those of a network that learned {problem.name}")
        wanted = [shape for pair in itertools.pairwise(widths) for shape in (pair, pair[1:])]
        if self.weights is not None and [np.shape(weight) for weight in self.weights] != wanted:
            raise ValueError("its weights are not those of the trial's network")


class Curve(_Part):
    """The accuracy of one replicate: when it changes, and to what."""

    seed: int
    epochs: list[int]
    """The first epoch, and each one at which the accuracy differs from that of the epoch before."""
    accuracy: list[Annotated[float, Field(ge=0, le=1)]]
    """The accuracy from that epoch on."""
    until: int
    """The last epoch of the curve."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        rising = all(first < second for first, second in itertools.pairwise([0, *self.epochs, self.until + 1]))
        if not self.epochs or len(self.epochs) != len(self.accuracy) or not rising:
            raise ValueError("a curve's epochs do not increase, or are not as many as its accuracies")
        return self


class Unsolved(_Part):
    """The replicates that never solved the problem and ended with the same predictions."""

    predictions: list[bool]
    """What they predict in each of the problem's rows, rounded."""
    count: PositiveInt
    """How many replicates ended this way."""
    seed: int
    """The seed of the first one."""
    plane: Plane | None
    """The answers of that one; None if the problem cannot be drawn as a plane."""


class Networks(_Part):
    """What networks.json holds."""

    chosen: Network
    first: list[Curve]
    unsolved: list[Unsolved]


def plane_points(span: tuple[float, float]) -> NDArray[np.float32]:
    """Return the (SIDE * SIDE, 2) inputs of a plane whose axes have this range, in the order of its rows."""
    along = np.linspace(*span, SIDE, dtype="float32")
    second, first = np.meshgrid(along, along, indexing="ij")
    return np.stack([first.ravel(), second.ravel()], axis=1)


def as_plane(outputs: NDArray[np.float32]) -> list[list[float | None]]:
    """Return a network's outputs at `plane_points` as a plane, with three decimals."""
    rows = outputs.reshape(SIDE, SIDE).astype(float).round(3)
    return [finite(row) for row in rows.tolist()]


def finite(values: Iterable[float]) -> list[float | None]:
    """Return numbers as JSON can hold them: None in place of any that is not finite."""
    return [value if np.isfinite(value) else None for value in values]


def curve(seed: int, accuracy: NDArray[np.float32]) -> Curve:
    """Return the curve of one replicate from its accuracy in each epoch, (E,)."""
    changes = np.flatnonzero(np.diff(accuracy)) + 1
    starts = np.concatenate([[0], changes])[:MOST_CHANGES]
    until = len(accuracy) if len(changes) < MOST_CHANGES else int(changes[MOST_CHANGES - 1])
    return Curve(seed=seed, epochs=(starts + 1).tolist(), accuracy=accuracy[starts].tolist(), until=until)


def unsolved_patterns(predictions: NDArray[np.float32], solved: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Group the replicates that never solved by what they predict.

    Args:
        predictions: (rows, R) outputs in the problem's rows.
        solved: (R,) whether the replicate solved.

    Returns:
        For each group, the position of its first replicate and its size: at most `MOST_GROUPS`, largest first.
    """
    unsolved = np.flatnonzero(~solved)
    codes = np.packbits(predictions[:, unsolved] > THRESHOLD, axis=0)
    _, first, counts = np.unique(codes, axis=1, return_index=True, return_counts=True)
    groups = sorted(zip((-counts).tolist(), unsolved[first].tolist(), strict=True))
    return [(position, -count) for count, position in groups[:MOST_GROUPS]]
