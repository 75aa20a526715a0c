"""The log-rank test, beside plain counting and published numbers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from replicates import MERCAPTOPURINE, PLACEBO, seen, solved_at, some_trial, watched

from job.statistics.comparison import log_rank_test

pytestmark = pytest.mark.filterwarnings("error")


def log_rank_by_counting(first, second):
    """Mantel's statistic: the first trial's solves less their hypergeometric mean, epoch by epoch."""
    excess = variance = Fraction(0)
    epochs, solved = (
        np.concatenate([first.epochs, second.epochs]),
        np.concatenate([first.solved, second.solved]),
    )
    for epoch in sorted(set(epochs[solved].tolist())):
        n, n1 = int((epochs >= epoch).sum()), int((first.epochs >= epoch).sum())
        d, d1 = int(((epochs == epoch) & solved).sum()), int(((first.epochs == epoch) & first.solved).sum())
        excess += d1 - Fraction(d * n1, n)
        if n > 1:
            variance += Fraction(d * n1 * (n - n1) * (n - d), n * n * (n - 1))
    return float(excess) / math.sqrt(variance) if variance else 0.0


def test_log_rank_is_that_of_plain_counting():
    rng = np.random.default_rng(12)
    for _ in range(300):
        first, second = some_trial(rng), some_trial(rng)
        test, z = log_rank_test(first, second), log_rank_by_counting(first, second)
        assert test.z == pytest.approx(z, abs=1e-9)
        if len(first.epochs) + len(second.epochs) > 16:
            assert test.p_value == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=1e-9)


def log_rank_excess(first, second):
    """By how many more of the first trial solved than would have, were there no difference."""
    excess = Fraction(0)
    for epoch in {*first.epochs[first.solved].tolist(), *second.epochs[second.solved].tolist()}:
        ours, theirs = (int((data.epochs >= epoch).sum()) for data in (first, second))
        mine, hers = (int((data.solved & (data.epochs == epoch)).sum()) for data in (first, second))
        excess += mine - Fraction((mine + hers) * ours, ours + theirs)
    return excess


def test_the_p_value_of_few_replicates_is_that_of_all_ways_to_share_them_by_counting():
    rng = np.random.default_rng(13)
    for _ in range(20):
        sizes = rng.integers(1, 5, 2)
        first, second = (watched(rng.geometric(0.2, size), 8) for size in sizes)
        pooled = list(zip(np.r_[first.epochs, second.epochs], np.r_[first.solved, second.solved], strict=True))
        every = []
        for chosen in itertools.combinations(range(len(pooled)), sizes[0]):
            ours = [pooled[at] for at in chosen]
            theirs = [pair for at, pair in enumerate(pooled) if at not in chosen]
            every.append(log_rank_excess(seen(*zip(*ours, strict=True)), seen(*zip(*theirs, strict=True))))
        own = log_rank_excess(first, second)
        less, more = sum(one <= own for one in every), sum(one >= own for one in every)
        assert log_rank_test(first, second).p_value == pytest.approx(min(1, 2 * min(less, more) / len(every)))


@pytest.mark.parametrize("replicates", [2, 3, 4, 5])
def test_a_few_replicates_of_equal_trials_are_told_apart_5_times_in_100_at_most(replicates):
    rng = np.random.default_rng(6)
    pairs = [[watched(rng.geometric(0.05, replicates), 1000) for _ in range(2)] for _ in range(1000)]
    told_apart = sum(log_rank_test(*pair).p_value < 0.05 for pair in pairs)
    assert told_apart <= 50


def test_published_log_rank():
    test = log_rank_test(PLACEBO, MERCAPTOPURINE)
    assert test.z**2 == pytest.approx(16.79, abs=0.005)
    assert test.p_value == pytest.approx(4.17e-5, abs=5e-8)
    assert test.first_is_sooner
    assert not test.second_is_sooner


def test_swapping_the_two_swaps_only_the_direction():
    test, swapped = log_rank_test(PLACEBO, MERCAPTOPURINE), log_rank_test(MERCAPTOPURINE, PLACEBO)
    assert swapped.second_is_sooner
    assert not swapped.first_is_sooner
    assert (swapped.z, swapped.p_value) == (pytest.approx(-test.z), pytest.approx(test.p_value))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (solved_at(unsolved=9), solved_at(unsolved=4)),
        (solved_at(*[7] * 9), solved_at(*[7] * 9)),
        (
            solved_at(*[7] * 49),
            solved_at(unsolved=9, limit=3),
        ),  # none of the second is watched for long enough
        (solved_at(7), solved_at(unsolved=1, limit=3)),
    ],
)
def test_two_trials_with_nothing_to_compare_do_not_differ(first, second):
    for test in (log_rank_test(first, second), log_rank_test(second, first)):
        assert (test.z, test.p_value, test.p_adjusted) == (0, 1, 1)


def test_a_trial_that_never_solves_is_later_than_one_that_does():
    assert log_rank_test(solved_at(*[90] * 20), solved_at(unsolved=20, limit=100)).first_is_sooner


@pytest.mark.parametrize(("among", "pairs"), [(2, 1), (3, 3), (15, 105), (100, 4950)])
def test_p_is_multiplied_by_the_pairs_that_could_have_been_picked(among, pairs):
    test = log_rank_test(PLACEBO, MERCAPTOPURINE, among=among)
    assert test.p_adjusted == pytest.approx(min(1, pairs * test.p_value))
    assert test.first_is_sooner == (pairs * test.p_value < 0.05)
