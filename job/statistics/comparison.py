"""The comparison of two trials: the log-rank test."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import logrank

from job.statistics.survival import ROUNDING, EpochsToSolve, censored

SIGNIFICANCE_LEVEL = 0.05

MOST_PERMUTED = 16
"""There are at most 12,870 ways to split this many replicates between two trials."""


@dataclass(frozen=True)
class Comparison:
    """The log-rank test of a first trial against a second.

    Attributes:
        z: the signed statistic, standard normal if the two do not differ; positive if the first solves
            sooner. Its square is the chi-squared statistic (1 degree of freedom) that R's survdiff prints.
        p_value: two-sided, for this one comparison.
        p_adjusted: the same, corrected for the number of comparisons that could have been made.
    """

    z: float
    p_value: float
    p_adjusted: float

    @property
    def first_is_sooner(self) -> bool:
        """The data show that the first trial solves sooner than the second."""
        return self.z > 0 and self.p_adjusted < SIGNIFICANCE_LEVEL

    @property
    def second_is_sooner(self) -> bool:
        """The data show that the second trial solves sooner than the first."""
        return self.z < 0 and self.p_adjusted < SIGNIFICANCE_LEVEL


def log_rank_test(first: EpochsToSolve, second: EpochsToSolve, *, among: int = 2) -> Comparison:
    """Test whether two trials differ in their epochs to solve, and which of them is sooner.

    The log-rank test (`scipy.stats.logrank`; Mantel, Cancer Chemotherapy Reports 50, 1966) weighs all
    observed epochs. It finds a trial that is sooner throughout; two trials whose curves cross can look alike to it.

    Args:
        first: one trial.
        second: the other.
        among: the number k of trials that these two were picked from after the results were seen. The p-value
            is multiplied by the k(k-1)/2 pairs that could have been picked (Bonferroni), up to 1. The default
            is for two trials that were chosen beforehand.

    Returns:
        The test. If it has nothing to go by (none solved, or all at once), the p-values are 1. With few
        replicates, the normal approximation would be overconfident: up to 16 in both together, the p-value is
        that of the exact permutation test of the log-rank scores (Peto and Peto, J. R. Stat. Soc. A 135, 1972).
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing to go by: a variance of 0
        test = logrank(censored(first), censored(second))
    z, p_value = (float(test.statistic), float(test.pvalue)) if np.isfinite(test.statistic) else (0.0, 1.0)
    if first.epochs.size + second.epochs.size <= MOST_PERMUTED:
        p_value = _permutation_p(first, second)
    return Comparison(z=z, p_value=p_value, p_adjusted=min(1.0, p_value * (among * (among - 1) // 2)))


def _permutation_p(first: EpochsToSolve, second: EpochsToSolve) -> float:
    """Return the two-sided p-value over all ways to split the replicates between two trials of these sizes."""
    epochs = np.concatenate([first.epochs, second.epochs])
    solved = np.concatenate([first.solved, second.solved])
    times = np.unique(epochs[solved])
    at_risk = epochs[:, None] >= times
    hazard = np.array([np.count_nonzero(solved & (epochs == at)) for at in times]) / at_risk.sum(axis=0)
    scores = solved - at_risk @ hazard
    # scipy.stats.permutation_test refuses a trial of one replicate.
    ways = np.array(list(combinations(range(epochs.size), first.epochs.size)))
    sums, own = scores[ways].sum(axis=1), scores[: first.epochs.size].sum()
    return min(1.0, 2 * float(min(np.mean(sums <= own + ROUNDING), np.mean(sums >= own - ROUNDING))))
