import itertools
import json
import math
import warnings
from dataclasses import asdict
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from job.statistics.survival import EpochsToSolve, compare, outcome, rank

Z = NormalDist().inv_cdf(0.975)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


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


# one trial


def test_quantiles_of_ten_replicates_by_hand():
    # at risk 10, 9, 8 | censored at 30 | 6, 5, 4: S = .9 .8 .7 | .58333 .46667 .35
    it = outcome(seen([10, 20, 30, 30, 40, 50, 60, 99, 99, 99], [1, 1, 1, 0, 1, 1, 1, 0, 0, 0]))
    assert (it.replicates, it.solved, it.share_solved) == (10, 6, 0.6)
    assert (it.q10, it.median, it.q90) == (10, 50, None)


def test_a_replicate_that_did_not_get_there_is_neither_dropped_nor_counted_as_the_limit():
    it = outcome(solved_at(10, 20, 30, 40, 50, 60, unsolved=3, limit=100))
    assert (it.median, it.q90) == (50, None)  # dropped: 30 and 60; counted as the limit: 50 and 100
    assert outcome(solved_at(10, 20, 30, 40, 50, 60, unsolved=3, limit=10**6)) == it


def test_a_replicate_that_solves_in_the_last_epoch_did_solve():
    it = outcome(solved_at(5, 5, 100, 100, unsolved=1, limit=100))
    assert (it.solved, it.median) == (4, 100)


def test_published_medians_with_their_log_log_intervals():
    drug, placebo = outcome(MERCAPTOPURINE), outcome(PLACEBO)
    assert (drug.median, drug.median_low, drug.median_high) == (23, 13, None)
    assert (placebo.median, placebo.median_low, placebo.median_high) == (8, 4, 11)


def test_published_wilson_interval():
    # Brown, Cai and DasGupta 2001 give the formula; Agresti and Coull 1998, 0 of 10: [0, .2775]
    it = outcome(solved_at(unsolved=10))
    assert it.share_low == 0
    assert it.share_high == pytest.approx(0.2775, abs=5e-5)


def test_median_is_reached_where_exactly_half_solved():
    for half in [*range(1, 200), 256, 500, 1000, 3000]:
        it = outcome(solved_at(*range(1, half + 1), unsolved=half, limit=half))
        assert (it.median, it.median_high) == (half, None)


@pytest.mark.parametrize("replicates", [3, 10, 57, 256, 1001])
def test_median_is_not_reached_where_one_less_than_half_solved(replicates):
    solved = (replicates - 1) // 2
    it = outcome(solved_at(*range(1, solved + 1), unsolved=replicates - solved))
    assert (it.median, it.median_high, it.q90) == (None, None, None)


def test_10_and_90_percent_are_reached_where_exactly_so_many_solved():
    for tenth in [*range(1, 60), 100, 300]:
        nine = outcome(solved_at(*range(1, 9 * tenth + 1), unsolved=tenth, limit=9 * tenth))
        assert (nine.q10, nine.q90) == (tenth, 9 * tenth)
        one = outcome(solved_at(*range(1, tenth + 1), unsolved=9 * tenth))
        assert (one.q10, one.q90) == (tenth, None)


@pytest.mark.parametrize("replicates", [6, 7, 256])
def test_all_that_solve_at_one_epoch_have_that_epoch_as_their_interval(replicates):
    it = outcome(solved_at(*[17] * replicates))
    assert (it.q10, it.median_low, it.median, it.median_high, it.q90) == (17, 17, 17, 17, 17)
    assert it.share_high == 1


@pytest.mark.parametrize("replicates", range(1, 6))
def test_five_replicates_do_not_bound_the_median_from_above(replicates):
    assert outcome(solved_at(*range(10, 10 + replicates))).median_high is None


def test_one_replicate_has_numbers():
    it = outcome(solved_at(5))
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
    it = outcome(solved_at(unsolved=replicates))
    assert (it.solved, it.share_solved, it.share_low) == (0, 0, 0)
    assert {it.q10, it.median, it.median_high, it.q90} == {None}
    assert it.median_low == (None if replicates == 256 else 1)


@pytest.mark.parametrize("replicates", [1, 2, 3, 4, 5, 6, 7, 8])
def test_few_replicates_too_have_intervals_that_hold_the_median_95_times_in_100(replicates):
    rng = np.random.default_rng(5)
    intervals = [outcome(watched(rng.geometric(0.05, replicates), 1000)) for _ in range(1000)]
    true = 14  # the first epoch by which half of them solve: 1 - 0.95**14 = 0.51
    held = sum(it.median_low <= true <= (it.median_high or math.inf) for it in intervals)
    assert held >= 935  # a share of 0.95 gives fewer in 1 of 60 tries; these draws are always the same


def test_the_numbers_are_plain_and_can_be_written_as_json():
    it = asdict(outcome(MERCAPTOPURINE))
    assert json.loads(json.dumps(it)) == it
    assert {type(value) for value in asdict(compare(PLACEBO, MERCAPTOPURINE)).values()} == {float}


def test_the_order_of_the_replicates_does_not_matter():
    shuffle = np.random.default_rng(3).permutation(21)
    assert outcome(EpochsToSolve(MERCAPTOPURINE.epochs[shuffle], MERCAPTOPURINE.solved[shuffle])) == outcome(
        MERCAPTOPURINE
    )


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
        it, curve = outcome(trial), list(curve_by_counting(trial))
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
    trials = [outcome(watched(draw(rng, replicates), limit)) for _ in range(800)]
    held = np.mean([it.median_low <= true <= (it.median_high or math.inf) for it in trials])
    assert 0.93 <= held <= 0.97


# two trials


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
        test, z = compare(first, second), log_rank_by_counting(first, second)
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
        assert compare(first, second).p_value == pytest.approx(min(1, 2 * min(less, more) / len(every)))


@pytest.mark.parametrize("replicates", [2, 3, 4, 5])
def test_a_few_replicates_of_equal_trials_are_told_apart_5_times_in_100_at_most(replicates):
    rng = np.random.default_rng(6)
    pairs = [[watched(rng.geometric(0.05, replicates), 1000) for _ in range(2)] for _ in range(1000)]
    told_apart = sum(compare(*pair).p_value < 0.05 for pair in pairs)
    assert told_apart <= 50


def test_published_log_rank():
    test = compare(PLACEBO, MERCAPTOPURINE)
    assert test.z**2 == pytest.approx(16.79, abs=0.005)
    assert test.p_value == pytest.approx(4.17e-5, abs=5e-8)
    assert test.first_is_sooner
    assert not test.second_is_sooner


def test_swapping_the_two_swaps_only_the_direction():
    test, swapped = compare(PLACEBO, MERCAPTOPURINE), compare(MERCAPTOPURINE, PLACEBO)
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
    for test in (compare(first, second), compare(second, first)):
        assert (test.z, test.p_value, test.p_adjusted) == (0, 1, 1)


def test_a_trial_that_never_solves_is_later_than_one_that_does():
    assert compare(solved_at(*[90] * 20), solved_at(unsolved=20, limit=100)).first_is_sooner


@pytest.mark.parametrize(("among", "pairs"), [(2, 1), (3, 3), (15, 105), (100, 4950)])
def test_p_is_multiplied_by_the_pairs_that_could_have_been_picked(among, pairs):
    test = compare(PLACEBO, MERCAPTOPURINE, among=among)
    assert test.p_adjusted == pytest.approx(min(1, pairs * test.p_value))
    assert test.first_is_sooner == (pairs * test.p_value < 0.05)


# all trials


def test_order_is_median_then_share_then_cost_then_as_given():
    trials = {
        "never": solved_at(unsolved=8),
        "third": solved_at(1, 1, unsolved=5),
        "quarter": solved_at(1, 1, unsolved=6),
        "slow": solved_at(*[9] * 8),
        "half": solved_at(*[5] * 4, unsolved=4),
        "dear": solved_at(*[5] * 8),
        "cheap": solved_at(*[5] * 8),
        "cheap too": solved_at(*[5] * 8),
        "fast": solved_at(*[4] * 4, unsolved=4),
    }
    costs = dict.fromkeys(trials, 10) | {"dear": 11, "fast": 99}
    ranking = rank(trials, costs)
    assert list(ranking.outcomes) == [
        *("fast", "cheap", "cheap too", "dear", "half", "slow"),
        *("third", "quarter", "never"),
    ]
    assert ranking.winner == "fast"
    assert list(ranking.comparisons) == list(ranking.outcomes)[1:]
    assert list(rank(trials).outcomes)[1:4] == ["dear", "cheap", "cheap too"]
    assert all(ranking.outcomes[name] == outcome(data) for name, data in trials.items())


def test_the_winner_is_compared_with_each_other_trial_corrected_for_all_pairs():
    rng = np.random.default_rng(5)
    trials = {f"l1-n{n}": watched(rng.geometric(1 / (50 + 9 * n), 64), 300) for n in range(10)}
    ranking = rank(trials)
    assert len(ranking.comparisons) == 9
    assert min(test.p_adjusted for test in ranking.comparisons.values()) < 0.5
    for name, test in ranking.comparisons.items():
        assert test == compare(trials[ranking.winner], trials[name], among=10)


def test_only_the_trials_that_are_worse_beyond_doubt_are_told_apart():
    rng = np.random.default_rng(6)
    means = {"best": 50, "same": 50, "worse": 100, "worst": 200}
    ranking = rank({name: watched(rng.geometric(1 / mean, 256), 400) for name, mean in means.items()})
    assert {ranking.winner, *ranking.not_told_apart} == {"best", "same"}
    assert ranking.sooner_overall == ()


def test_a_difference_that_one_comparison_would_show_is_not_enough_among_many():
    sooner, later = solved_at(*range(1, 21)), solved_at(*range(6, 26))
    alone = rank({"a": sooner, "b": later})
    among = rank({"a": sooner, "b": later} | {f"never{n}": solved_at(unsolved=20) for n in range(13)})
    assert alone.not_told_apart == ()
    assert among.not_told_apart == ("b",)


def test_a_trial_that_is_sooner_over_all_epochs_is_not_told_apart_from_the_winner():
    quick_or_never = solved_at(*[50] * 520, unsolved=480)
    surely = solved_at(*[60] * 1000)
    ranking = rank({"surely": surely, "quick or never": quick_or_never})
    assert ranking.winner == "quick or never"
    assert ranking.comparisons["surely"].p_adjusted < 0.001
    assert ranking.not_told_apart == ranking.sooner_overall == ("surely",)


def test_no_winner_where_nothing_solved():
    ranking = rank({"a": solved_at(unsolved=9), "b": solved_at(unsolved=9)}, {"a": 5, "b": 4})
    assert (ranking.winner, ranking.comparisons, ranking.not_told_apart) == (None, {}, ())
    assert list(ranking.outcomes) == ["b", "a"]


def test_one_trial_wins():
    ranking = rank({"only": solved_at(5, unsolved=3)})
    assert (ranking.winner, ranking.comparisons) == ("only", {})


def test_ranking_needs_trials_and_all_costs_or_none():
    with pytest.raises(ValueError, match="no trial"):
        rank({})
    with pytest.raises(ValueError, match="no cost for b"):
        rank({"a": PLACEBO, "b": PLACEBO}, {"a": 1})


def test_trials_that_do_not_differ_are_told_apart_in_at_most_5_percent_of_the_sweeps():
    rng = np.random.default_rng(2025)
    sweeps = 200
    corrected = uncorrected = 0
    for _ in range(sweeps):
        epochs = np.ceil(rng.lognormal(math.log(100), 0.6, (10, 64))).astype(int)
        tests = rank({str(n): watched(of, 187) for n, of in enumerate(epochs)}).comparisons.values()
        corrected += any(test.first_is_sooner or test.second_is_sooner for test in tests)
        uncorrected += any(test.p_value < 0.05 / len(tests) for test in tests)
    assert corrected / sweeps <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / sweeps)
    assert corrected < uncorrected
