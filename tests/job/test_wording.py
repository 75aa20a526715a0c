"""Numbers as people read them."""

import pytest

from job.wording import count_words, limit_words, percent, value_words


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


def test_different_values_of_an_axis_are_different_words():
    assert [value_words(value) for value in (16, 0.001, 1000.0, 0.0300001, 0.03000012, "adam")] == [
        *("16", "0.001", "1000", "0.0300001", "0.03000012", "adam")
    ]
