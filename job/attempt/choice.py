"""Which replicate's network is kept as the trial's model, and which others are worth a closer look."""

import numpy as np
from numpy.typing import NDArray

from job.problems import Problem
from job.runs.snapshots import unsolved_patterns
from job.training.loop import Keep, Training


def choose_replicate(problem: Problem, training: Training) -> int:
    """Return the position of the replicate whose network is kept as the trial's model.

    It is one whose final weights answer every row correctly, if there is any; of those, the one with the lowest
    loss in its last epoch.
    """
    return _best(problem, training.predictions, training.loss[-1])


def worth_keeping(problem: Problem) -> Keep:
    """Return a function that picks a block's replicates that may be chosen, or shown as never having solved."""

    def keep(predictions: NDArray[np.float32], loss: NDArray[np.float32], solved: NDArray[np.bool_]) -> set[int]:
        unsolved = {position for position, _ in unsolved_patterns(predictions, solved)}
        return {_best(problem, predictions, loss), *unsolved}

    return keep


def _best(problem: Problem, predictions: NDArray[np.float32], loss: NDArray[np.float32]) -> int:
    right = problem.right(predictions).all(axis=0)
    return int(np.lexsort((np.nan_to_num(loss, nan=np.inf), ~right))[0])
