"""The numbers of one trial, beside those of plain counting."""

import json
import math
from dataclasses import asdict
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from replicates import MERCAPTOPURINE, PLACEBO, seen, solved_at, some_trial, watched

from job.statistics.comparison import log_rank_test
from job.statistics.survival import EpochsToSolve, estimate_outcome

pytestmark = pytest.mark.filterwarnings("error")


Z = NormalDist().inv_cdf(0.975)


def test_quantiles_of_ten_replicates_by_hand():
    # at risk 10, 9, 8 | censored at 30 | 6, 5, 4: S = .9 .8 .7 | .58333 .46667 .35
    it = estimate_outcome(seen([10, 20, 30, 30, 40, 50, 60, 99, 99, 99], [1, 1, 1, 0, 1, 1, 1, 0, 0, 0]))
    assert (it.replicates, it.solved, it.share_solved) == (10, 6, 0.6)
    assert (it.q10, it.median, it.q90) == (10, 50, None)


def test_a_replicate_that_did_not_get_there_is_neither_dropped_nor_counted_as_the_limit():
    it = estimate_outcome(solved_at(10, 20, 30, 40, 50, 60, unsolved=3, limit=100))
    assert (it.median, it.q90) == (50, None)  # dropped: 30 and 60; counted as the limit: 50 and 100
    assert estimate_outcome(solved_at(10, 20, 30, 40, 50, 60, unsolved=3, limit=10**6)) == it


def test_a_replicate_that_solves_in_the_last_epoch_did_solve():
    it = estimate_outcome(solved_at(5, 5, 100, 100, unsolved=1, limit=100))
    assert (it.solved, it.median) == (4, 100)


def test_published_medians_with_their_log_log_intervals():
    drug, placebo = estimate_outcome(MERCAPTOPURINE), estimate_outcome(PLACEBO)
    assert (drug.median, drug.median_low, drug.median_high) == (23, 13, None)
    assert (placebo.median, placebo.median_low, placebo.median_high) == (8, 4, 11)


def test_published_wilson_interval():
    # Brown, Cai and DasGupta 2001 give the formula; Agresti and Coull 1998, 0 of 10: [0, .2775]
    it = estimate_outcome(solved_at(unsolved=10))
    assert it.share_low == 0
    assert it.share_high == pytest.approx(0.2775, abs=5e-5)


def test_median_is_reached_where_exactly_half_solved():
    for half in [*range(1, 200), 256, 500, 1000, 3000]:
        it = estimate_outcome(solved_at(*range(1, half + 1), unsolved=half, limit=half))
        assert (it.median, it.median_high) == (half, None)


@pytest.mark.parametrize("replicates", [3, 10, 57, 256, 1001])
def test_median_is_not_reached_where_one_less_than_half_solved(replicates):
    solved = (replicates - 1) // 2
    it = estimate_outcome(solved_at(*range(1, solved + 1), unsolved=replicates - solved))
    assert (it.median, it.median_high, it.q90) == (None, None, None)


def test_10_and_90_percent_are_reached_where_exactly_so_many_solved():
    for tenth in [*range(1, 60), 100, 300]:
        nine = estimate_outcome(solved_at(*range(1, 9 * tenth + 1), unsolved=tenth, limit=9 * tenth))
        assert (nine.q10, nine.q90) == (tenth, 9 * tenth)
        one = estimate_outcome(solved_at(*range(1, tenth + 1), unsolved=9 * tenth))
        assert (one.q10, one.q90) == (tenth, None)


@pytest.mark.parametrize("replicates", [6, 7, 256])
def test_all_that_solve_at_one_epoch_have_that_epoch_as_their_interval(replicates):
    it = estimate_outcome(solved_at(*[17] * replicates))
    assert (it.q10, it.median_low, it.median, it.median_high, it.q90) == (17, 17, 17, 17, 17)
    assert it.share_high == 1


@pytest.mark.parametrize("replicates", range(1, 6))
def test_five_replicates_do_not_bound_the_median_from_above(replicates):
    assert estimate_outcome(solved_at(*range(10, 10 + replicates))).median_high is None


def test_one_replicate_has_numbers():
    it = estimate_outcome(solved_at(5))
    assert (it.share_solved, it.q10, it.median, it.median_low, it.median_high, it.q90) == (
        1,
        5,
        5,
        1,
        None,
        5,
    )


@pytest.mark.parametrize("replicates", [1, 2, 256])
def test_no_replicate_solved_means_no_epoch_is_named(replicates):
    it = estimate_outcome(solved_at(unsolved=replicates))
    assert (it.solved, it.share_solved, it.share_low) == (0, 0, 0)
    assert {it.q10, it.median, it.median_high, it.q90} == {None}
    assert it.median_low == (None if replicates == 256 else 1)


@pytest.mark.parametrize("replicates", [1, 2, 3, 4, 5, 6, 7, 8])
def test_few_replicates_too_have_intervals_that_hold_the_median_95_times_in_100(replicates):
    rng = np.random.default_rng(5)
    intervals = [estimate_outcome(watched(rng.geometric(0.05, replicates), 1000)) for _ in range(1000)]
    true = 14  # the first epoch by which half of them solve: 1 - 0.95**14 = 0.51
    held = sum(it.median_low <= true <= (it.median_high or math.inf) for it in intervals)
    assert held >= 935  # a share of 0.95 gives fewer in 1 of 60 tries; these draws are always the same


def test_the_numbers_are_plain_and_can_be_written_as_json():
    it = asdict(estimate_outcome(MERCAPTOPURINE))
    assert json.loads(json.dumps(it)) == it
    assert {type(value) for value in asdict(log_rank_test(PLACEBO, MERCAPTOPURINE)).values()} == {float}


def test_the_order_of_the_replicates_does_not_matter():
    shuffle = np.random.default_rng(3).permutation(21)
    shuffled = EpochsToSolve(MERCAPTOPURINE.epochs[shuffle], MERCAPTOPURINE.solved[shuffle])
    assert estimate_outcome(shuffled) == estimate_outcome(MERCAPTOPURINE)


def curve_by_counting(trial):
    """Each epoch with solves, the share not solved by then, and its log-log band."""
    pairs = list(zip(trial.epochs.tolist(), trial.solved.tolist(), strict=True))
    left, variance = Fraction(1), Fraction(0)
    for epoch in sorted({e for e, solved in pairs if solved}):
        at_risk = sum(e >= epoch for e, _ in pairs)
        solved = sum(e == epoch and s for e, s in pairs)
        left *= Fraction(at_risk - solved, at_risk)
        if left:
            variance += Fraction(solved, at_risk * (at_risk - solved))
            spread = Z * math.sqrt(variance) / abs(math.log(left))
            yield epoch, left, left ** math.exp(spread), left ** math.exp(-spread)
        else:
            yield epoch, left, 0.0, 1 - 0.025 ** (1 / trial.solved.sum())


def test_every_number_is_that_of_plain_counting():
    rng = np.random.default_rng(11)
    for _ in range(300):
        trial = some_trial(rng)
        it, curve = estimate_outcome(trial), list(curve_by_counting(trial))
        assert it.q10 == next((epoch for epoch, left, _, _ in curve if left <= Fraction(9, 10)), None)
        assert it.median == next((epoch for epoch, left, _, _ in curve if left <= Fraction(1, 2)), None)
        assert it.q90 == next((epoch for epoch, left, _, _ in curve if left <= Fraction(1, 10)), None)
        lowest = next((epoch for epoch, _, low, _ in curve if low <= 0.5), None)
        assert it.median_low == (1 if len(trial.epochs) < 6 else lowest)
        assert it.median_high == next((epoch for epoch, _, _, high in curve if high <= 0.5), None)
        n, share = it.replicates, it.share_solved
        assert (n, it.solved, share) == (len(trial.epochs), sum(trial.solved), sum(trial.solved) / n)
        middle, half = share + Z**2 / (2 * n), Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        assert it.share_low == pytest.approx((middle - half) / (1 + Z**2 / n), abs=1e-12)
        assert it.share_high == pytest.approx((middle + half) / (1 + Z**2 / n), abs=1e-12)


@pytest.mark.parametrize(
    ("epochs", "solved", "complaint"),
    [
        (np.array([], int), np.array([], bool), "at least one replicate"),
        (np.array([1, 2]), np.array([True]), "must both be"),
        (np.array([[1, 2]]), np.array([[True, True]]), "must both be"),
        (np.array([0, 2]), np.array([True, True]), "count from 1"),
        (np.array([1.5, 2]), np.array([True, True]), "not integers"),
        (np.array([1, 2]), np.array([1, 0]), "not integers and booleans"),
    ],
)
def test_data_that_would_give_wrong_numbers_are_refused(epochs, solved, complaint):
    with pytest.raises(ValueError, match=complaint):
        EpochsToSolve(epochs, solved)


@pytest.mark.parametrize(
    ("replicates", "draw"),
    [
        (256, lambda rng, n: np.ceil(rng.lognormal(math.log(100), 0.6, n)).astype(int)),
        (32, lambda rng, n: rng.geometric(0.007, n)),
    ],
)
def test_the_median_interval_holds_the_true_median_in_95_percent_of_the_trials(replicates, draw):
    rng = np.random.default_rng(2024)
    many = np.sort(draw(rng, 1_000_001))
    true, limit = many[500_000], int(np.quantile(many, 0.85))
    trials = [estimate_outcome(watched(draw(rng, replicates), limit)) for _ in range(800)]
    held = np.mean([it.median_low <= true <= (it.median_high or math.inf) for it in trials])
    assert 0.93 <= held <= 0.97
