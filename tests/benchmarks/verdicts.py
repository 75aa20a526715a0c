"""How often a verdict is wrong: simulated sweeps of trials that do not differ, and intervals of a known median.

    .venv/bin/python -m tests.benchmarks.verdicts [SWEEPS]

The epochs to solve are drawn from a log-normal distribution like that of one hidden layer of 16 neurons (median
100), watched for 1,000 epochs or for 160, where a quarter is censored. README.md and
job/statistics/survival.py quote them.
"""

import sys

import numpy as np
from scipy.stats import binomtest

from job.statistics.comparison import SIGNIFICANCE_LEVEL
from job.statistics.ranking import rank_trials
from job.statistics.survival import EpochsToSolve, estimate_outcome

MEDIAN, SPREAD = 100, 0.75


def trial(rng, replicates, limit):
    epochs = np.ceil(MEDIAN * np.exp(SPREAD * rng.standard_normal(replicates))).astype("int64")
    return EpochsToSolve(np.minimum(epochs, limit), epochs <= limit)


def false_differences(rng, sweeps, trials, replicates):
    """Count the sweeps that tell a trial apart: corrected for all pairs, for the winner's pairs, and not at all."""
    counts = np.zeros(3, int)
    pairs = trials * (trials - 1) // 2
    for _ in range(sweeps):
        ranking = rank_trials({str(number): trial(rng, replicates, 1000) for number in range(trials)})
        best = min(test.p_value for test in ranking.comparisons.values())
        counts += [best * times < SIGNIFICANCE_LEVEL for times in (pairs, trials - 1, 1)]
    return counts


def intervals_that_hold(rng, draws, replicates, limit):
    found = [estimate_outcome(trial(rng, replicates, limit)) for _ in range(draws)]
    return sum(it.median_low <= MEDIAN <= (it.median_high or np.inf) for it in found)


def share(count, of):
    interval = binomtest(int(count), of).proportion_ci(method="wilson")
    return f"{count / of:6.1%} ({interval.low:.1%} to {interval.high:.1%})"


def main() -> None:
    sweeps = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(2026)
    print(f"Sweeps, of {sweeps}, in which a trial of {MEDIAN} is told apart from its equals, corrected for:")
    print("trials  replicates  all pairs               the winner's pairs      nothing")
    for trials, replicates in ((15, 256), (15, 32), (4, 256), (4, 8), (2, 4)):
        counts = false_differences(rng, sweeps, trials, replicates)
        print(f"{trials:6}  {replicates:10}  " + "  ".join(f"{share(count, sweeps):22}" for count in counts))
    print(f"Intervals, of {10 * sweeps}, that hold the true median:")
    for replicates, limit in ((256, 1000), (256, 160), (32, 160), (8, 1000), (3, 1000)):
        held = intervals_that_hold(rng, 10 * sweeps, replicates, limit)
        print(f"{replicates:4} replicates, watched for {limit:4} epochs: {share(held, 10 * sweeps)}")


if __name__ == "__main__":
    main()
