"""Replicates as they were seen, for the tests of the statistics."""

import numpy as np

from job.statistics.survival import EpochsToSolve


def seen(epochs, solved):
    return EpochsToSolve(np.array(epochs, int), np.array(solved, bool))


def watched(epochs, limit):
    """The epochs that solving takes, watched up to a limit."""
    return EpochsToSolve(np.minimum(epochs, limit), epochs <= limit)


def solved_at(*epochs, unsolved=0, limit=1000):
    return seen([*epochs, *[limit] * unsolved], [True] * len(epochs) + [False] * unsolved)


def some_trial(rng):
    """A few replicates, many ties; in half of the cases some were watched for less than the limit."""
    replicates, limit = int(rng.integers(1, 60)), int(rng.integers(5, 40))
    watched_for = rng.integers(1, limit + 1, replicates) if rng.random() < 0.5 else np.full(replicates, limit)
    return watched(rng.geometric(rng.uniform(0.02, 0.4), replicates), watched_for)


# 6-mercaptopurine against placebo, weeks of remission: Freireich et al., Blood 21, 1963
MERCAPTOPURINE = seen(
    [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], [True] * 9 + [False] * 12
)
PLACEBO = solved_at(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
