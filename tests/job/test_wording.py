"""Numbers as people read them."""

import pytest

from job.wording import (
    count_words,
    duration_words,
    epoch_words,
    epochs_words,
    hidden_layers_words,
    limit_words,
    listed,
    listed_reasons,
    median_words,
    one_line,
    p_equation,
    p_value_words,
    percent,
    rate_words,
    share_words,
    value_words,
)


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (0.0, 1, "0.0"),
        (0.0004, 1, "<0.1"),
        (0.0006, 1, "0.1"),
        (0.977, 1, "97.7"),
        (255 / 256, 1, "99.6"),
        (1999 / 2000, 1, ">99.9"),
        (1.0, 1, "100.0"),
        (255 / 256, 0, ">99"),
        (0.004, 0, "<1"),
        (1.0, 0, "100"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(share, digits, words):
    assert percent(share, digits) == words


def test_what_there_is_one_of_has_no_plural():
    assert (count_words(1, "trial"), count_words(1024, "trial")) == ("1 trial", "1,024 trials")
    assert (limit_words(1), limit_words(1000)) == ("1 epoch", "1000 epochs")


def test_a_network_without_hidden_layers_has_no_neurons_in_them():
    assert hidden_layers_words(0, 0) == "no hidden layer"
    assert hidden_layers_words(1, 1) == "1 hidden layer of 1 neuron"
    assert hidden_layers_words(2, 16) == "2 hidden layers of 16 neurons"


def test_different_values_of_an_axis_are_different_words():
    assert [value_words(value) for value in (16, 0.001, 1000.0, 0.0300001, 0.03000012, "adam")] == [
        *("16", "0.001", "1000", "0.0300001", "0.03000012", "adam")
    ]


def test_an_epoch_that_the_data_do_not_reach_lies_beyond_the_limit():
    assert (epoch_words(22, 1000), epoch_words(None, 1000)) == ("22", ">1000")
    assert epochs_words(618, None, 1000) == "618 to >1000"
    assert median_words(22, 20, 23, 1000) == "22 (20 to 23)"
    assert median_words(None, None, None, 50) == ">50 (>50 to >50)"


def test_a_share_has_its_interval_beside_it():
    assert share_words(0.977, 0.95, 0.989) == "97.7% (95.0% to 98.9%)"


@pytest.mark.parametrize(
    ("p", "in_a_table", "in_a_sentence"),
    [(1.0, "1.000", "p = 1.000"), (0.0123, "0.012", "p = 0.012"), (0.000999, "<0.001", "p < 0.001")],
)
def test_a_small_p_value_is_not_written_as_0(p, in_a_table, in_a_sentence):
    assert (p_value_words(p), p_equation(p)) == (in_a_table, in_a_sentence)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_has_as_many_digits_as_matter(seconds, words):
    assert duration_words(seconds) == words


def test_whole_seconds_need_no_decimals():
    assert duration_words(5, digits=0) == "5 s"


def test_a_training_speed_has_the_prefix_of_its_unit():
    assert rate_words(6.4e6, 2) == "3.2 M replicate-epochs/s"
    assert rate_words(850, 1) == "850 replicate-epochs/s"
    assert rate_words(1.25e9, 1) == "1.2 G replicate-epochs/s"
    assert rate_words(5, 0) == "0 replicate-epochs/s"


@pytest.mark.parametrize(
    ("count", "most", "words"),
    [
        (0, None, "none"),
        (1, None, "a"),
        (2, None, "a and b"),
        (3, None, "a, b and c"),
        (4, 4, "a, b, c and d"),
        (5, 2, "a, b and 3 more"),
    ],
)
def test_of_many_names_the_others_are_counted(count, most, words):
    assert listed("abcde"[:count], most) == words


def test_of_many_reasons_the_others_are_counted():
    assert listed_reasons(["a is gone", "b is gone"]) == "a is gone; b is gone"
    assert listed_reasons([f"{name} is gone" for name in "abcd"]) == "a is gone; b is gone; c is gone; and 1 more"


def test_what_another_program_says_is_written_on_one_line():
    assert one_line(" 403 No access\n\tfor  you.\r\n") == "403 No access for you."
