"""The verdict on a run in words, for each way that a run can end."""

import pytest
from replicates import solved_at

from job.runs.run import Run
from job.settings.validation import make_settings
from job.statistics.leaderboard import leaderboard_of
from job.statistics.survival import estimate_outcome
from job.statistics.verdict import outcome_words
from job.storage import open_storage

FAST, SLOW, NEVER = solved_at(*range(10, 40)), solved_at(*range(500, 530)), solved_at(unsolved=30)


def verdict(seen, damaged=(), **settings):
    config = make_settings({"layers": [0, 1], "neurons": [2, 16], **settings})
    return leaderboard_of(Run(open_storage("nowhere"), config, "run"), seen, damaged).verdict


def test_a_winner_without_hidden_layers_is_said_to_have_none():
    assert verdict({"l0": FAST, "l1-n2": SLOW, "l1-n16": SLOW}) == (
        "l0 (no hidden layer) is fastest: half of its starts solve XOR by epoch 24 (95% interval 19 to 30); "
        "every other trial is slower."
    )


def test_the_verdict_names_the_problem():
    said = verdict({"l0": NEVER, "l1-n2": SLOW, "l1-n16": FAST}, data="parity:3")
    assert said.startswith("l1-n16 (1 hidden layer of 16 neurons) is fastest: ")
    assert "half of its starts solve the parity of 3 bits by epoch 24 " in said
    nobody = verdict({"l0": NEVER, "l1-n2": NEVER, "l1-n16": NEVER}, data="parity:3", epochs=40)
    assert nobody == "No start of any trial solved the parity of 3 bits within 40 epochs."


def test_where_fewer_than_half_of_the_starts_solve_a_trial_leads_and_is_not_called_the_fastest():
    few = solved_at(*range(10, 20), unsolved=20)
    assert verdict({"l0": NEVER, "l1-n2": NEVER, "l1-n16": few}).startswith(
        "l1-n16 (1 hidden layer of 16 neurons) leads: 33.3% of its starts solve XOR within 1000 epochs; "
    )


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (["l0"], "; 1 of 3 trials has no result; the result of l0 is damaged."),
        (["l0", "l1-n2"], "; the results of l0 and l1-n2 are damaged."),
    ],
)
def test_the_verdict_says_what_is_missing_and_what_is_damaged(damaged, words):
    said = verdict({"l1-n16": FAST}, damaged)
    assert said.startswith("l1-n16 (1 hidden layer of 16 neurons): half of its starts solve XOR by epoch 24 ")
    assert said.endswith(words)


def test_of_many_trials_that_cannot_be_told_apart_five_are_named():
    names = [f"l1-n{neurons}" for neurons in range(1, 9)]
    said = verdict(dict.fromkeys(names, FAST), layers=1, neurons=[*range(1, 9)])
    assert "; l1-n2, l1-n3, l1-n4, l1-n5, l1-n6 and 2 more cannot be told apart from it." in said


def test_a_trial_that_is_faster_over_all_epochs_than_the_winner_by_the_median_is_named():
    quick_or_never, surely = solved_at(*[50] * 520, unsolved=480), solved_at(*[60] * 1000)
    said = verdict({"l1-n2": surely, "l1-n16": quick_or_never})
    assert "l1-n2 cannot be told apart from it, and l1-n2 is faster over all epochs" in said


def test_a_trials_outcome_is_put_into_words():
    assert outcome_words(estimate_outcome(FAST), 1000, "XOR") == (
        "half of the starts solve XOR by epoch 24 (95% interval 19 to 30); 30 of 30 solved, 100.0% "
        "(95% interval 88.6% to 100.0%)"
    )
    few = estimate_outcome(solved_at(*range(10, 20), unsolved=20))
    assert outcome_words(few, 1000, "the parity of 3 bits").startswith(
        "fewer than half of the starts solve the parity of 3 bits within 1000 epochs; 10 of 30 solved, 33.3% "
    )
    five = estimate_outcome(solved_at(*range(1, 6)))
    assert "by epoch 3 (95% interval 1 to >1000)" in outcome_words(five, 1000, "XOR")
