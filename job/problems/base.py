"""What a problem is: rows to learn, the right answers, and the words for both."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


THRESHOLD = 0.5
"""A network's output above this is the answer 1, any other is 0."""


@dataclass(frozen=True)
class Problem:
    """A truth table that a network learns: a start has solved it when the network answers every row correctly.

    Raises:
        ValueError: a row differs in length from `inputs`, or there are not as many answers and names as rows.
    """

    name: str
    """What it is called in `--data`, in the sweep file and in sweep.json, such as `parity:3`."""
    title: str
    """Its name in a sentence, so that "half of the starts solve {title}" reads well, such as `XOR`."""
    task: str
    """What a network that has learned it does, such as `say whether two bits differ`."""
    inputs: tuple[str, ...]
    """The names of the inputs."""
    output: str
    """The name of the answer."""
    rows: tuple[tuple[float, ...], ...]
    """The inputs' values in each row."""
    answers: tuple[int, ...]
    """The right answer in each row, 0 or 1."""
    row_names: tuple[str, ...]
    """Each row in words, so that "{row_name} = {answer}" reads well, such as `0 xor 1`."""
    plane: tuple[float, float] | None = None
    """With two inputs, the range of both axes of the plane of answers to draw; None draws no plane."""

    def __post_init__(self) -> None:
        """Refuse a table whose parts do not match."""
        if any(len(row) != len(self.inputs) for row in self.rows):
            raise ValueError(f"every row of {self.name} must have {len(self.inputs)} values, one for each input")
        if not len(self.rows) == len(self.answers) == len(self.row_names):
            raise ValueError(f"{self.name} must have one answer and one name for each row")
        if self.plane and len(self.inputs) != 2:
            raise ValueError(f"{self.name} has {len(self.inputs)} inputs: only two can be drawn as a plane")

    @cached_property
    def features(self) -> "NDArray[np.float32]":
        """(rows, inputs) the inputs' values."""
        import numpy as np  # `--help` lists the problems without NumPy

        return np.array(self.rows, "float32")

    @cached_property
    def targets(self) -> "NDArray[np.float32]":
        """(rows, 1) the right answers."""
        import numpy as np

        return np.array(self.answers, "float32")[:, None]

    def right(self, outputs: "NDArray[np.float32]") -> "NDArray[np.bool_]":
        """Return which answers are right.

        Args:
            outputs: (rows, ...) what networks answer, from 0 to 1; above `THRESHOLD` counts as 1.

        Returns:
            (rows, ...) true where the answer is right; a number that is not finite never is.
        """
        import numpy as np

        targets = self.targets.reshape(-1, *(1 for _ in outputs.shape[1:]))
        right: NDArray[np.bool_] = ((outputs > THRESHOLD) == (targets > THRESHOLD)) & np.isfinite(outputs)
        return right


@dataclass(frozen=True)
class Family:
    """The problems that one file in this folder makes."""

    words: str
    """How a person writes their names, such as `parity:N (N from 2 to 8)`."""
    pattern: str
    """A regular expression that matches their names and nothing else."""
    examples: tuple[str, ...]
    """Names that match: the command line completes them, and tests train them."""
    make: Callable[[str], Problem]
    """Returns the problem of a name that matches; two names may mean the same problem."""
