"""The order of the trials, and what is said of the winner."""

import math

import numpy as np
import pytest
from replicates import PLACEBO, solved_at, watched

from job.statistics.comparison import log_rank_test
from job.statistics.ranking import rank_trials
from job.statistics.survival import estimate_outcome

pytestmark = pytest.mark.filterwarnings("error")


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
    ranking = rank_trials(trials, costs)
    assert list(ranking.outcomes) == [
        *("fast", "cheap", "cheap too", "dear", "half", "slow"),
        *("third", "quarter", "never"),
    ]
    assert ranking.winner == "fast"
    assert list(ranking.comparisons) == list(ranking.outcomes)[1:]
    assert list(rank_trials(trials).outcomes)[1:4] == ["dear", "cheap", "cheap too"]
    assert all(ranking.outcomes[name] == estimate_outcome(data) for name, data in trials.items())


def test_the_winner_is_compared_with_each_other_trial_corrected_for_all_pairs():
    rng = np.random.default_rng(5)
    trials = {f"l1-n{n}": watched(rng.geometric(1 / (50 + 9 * n), 64), 300) for n in range(10)}
    ranking = rank_trials(trials)
    assert len(ranking.comparisons) == 9
    assert min(test.p_adjusted for test in ranking.comparisons.values()) < 0.5
    for name, test in ranking.comparisons.items():
        assert test == log_rank_test(trials[ranking.winner], trials[name], among=10)


def test_only_the_trials_that_are_worse_beyond_doubt_are_told_apart():
    rng = np.random.default_rng(6)
    means = {"best": 50, "same": 50, "worse": 100, "worst": 200}
    ranking = rank_trials({name: watched(rng.geometric(1 / mean, 256), 400) for name, mean in means.items()})
    assert {ranking.winner, *ranking.not_told_apart} == {"best", "same"}
    assert ranking.sooner_overall == ()


def test_a_difference_that_one_comparison_would_show_is_not_enough_among_many():
    sooner, later = solved_at(*range(1, 21)), solved_at(*range(6, 26))
    alone = rank_trials({"a": sooner, "b": later})
    among = rank_trials({"a": sooner, "b": later} | {f"never{n}": solved_at(unsolved=20) for n in range(13)})
    assert alone.not_told_apart == ()
    assert among.not_told_apart == ("b",)


def test_a_trial_that_is_sooner_over_all_epochs_is_not_told_apart_from_the_winner():
    quick_or_never = solved_at(*[50] * 520, unsolved=480)
    surely = solved_at(*[60] * 1000)
    ranking = rank_trials({"surely": surely, "quick or never": quick_or_never})
    assert ranking.winner == "quick or never"
    assert ranking.comparisons["surely"].p_adjusted < 0.001
    assert ranking.not_told_apart == ranking.sooner_overall == ("surely",)


def test_no_winner_where_nothing_solved():
    ranking = rank_trials({"a": solved_at(unsolved=9), "b": solved_at(unsolved=9)}, {"a": 5, "b": 4})
    assert (ranking.winner, ranking.comparisons, ranking.not_told_apart) == (None, {}, ())
    assert list(ranking.outcomes) == ["b", "a"]


def test_one_trial_wins():
    ranking = rank_trials({"only": solved_at(5, unsolved=3)})
    assert (ranking.winner, ranking.comparisons) == ("only", {})


def test_ranking_needs_trials_and_all_costs_or_none():
    with pytest.raises(ValueError, match="no trial"):
        rank_trials({})
    with pytest.raises(ValueError, match="no cost for b"):
        rank_trials({"a": PLACEBO, "b": PLACEBO}, {"a": 1})


def test_trials_that_do_not_differ_are_told_apart_in_at_most_5_percent_of_the_sweeps():
    rng = np.random.default_rng(2025)
    sweeps = 200
    corrected = uncorrected = 0
    for _ in range(sweeps):
        epochs = np.ceil(rng.lognormal(math.log(100), 0.6, (10, 64))).astype(int)
        tests = rank_trials({str(n): watched(of, 187) for n, of in enumerate(epochs)}).comparisons.values()
        corrected += any(test.first_is_sooner or test.second_is_sooner for test in tests)
        uncorrected += any(test.p_value < 0.05 / len(tests) for test in tests)
    assert corrected / sweeps <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / sweeps)
    assert corrected < uncorrected
