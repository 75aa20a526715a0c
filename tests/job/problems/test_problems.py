"""What is learned: each family's problems, and what every problem must say."""

import itertools
import re

import numpy as np
import pytest

from job.problems import DEFAULT, Problem, families, problem_of
from job.problems.base import Family
from job.settings.validation import make_settings

NAMES = [name for family in families() for name in family.examples]


def test_xor_is_the_parity_of_two_bits_and_the_default():
    assert problem_of("parity:2") is not None
    assert problem_of("parity:2").name == "xor" == DEFAULT == make_settings({}).data
    assert make_settings({"data": "parity:2"}).hash == make_settings({}).hash
    assert make_settings({"data": "parity:3"}).hash != make_settings({}).hash
    assert problem_of("xor").rows == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert problem_of("xor").answers == (0, 1, 1, 0)
    assert problem_of("xor").row_names == ("0 xor 0", "0 xor 1", "1 xor 0", "1 xor 1")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("parity:")])
def test_parity_has_every_row_of_its_bits_once_and_says_whether_an_odd_number_is_one(name):
    problem, bits = problem_of(name), int(name[-1])
    assert sorted(problem.rows) == sorted(itertools.product((0, 1), repeat=bits))
    assert all(answer == sum(row) % 2 for row, answer in zip(problem.rows, problem.answers, strict=True))
    assert problem.features.shape == (2**bits, bits)
    assert problem.targets.shape == (2**bits, 1)
    assert problem.plane is None


@pytest.mark.parametrize("wrong", ["", "or", "parity", "parity:1", "parity:9", "parity:02", "xor:2", "XOR"])
def test_an_unknown_problem_is_refused_with_the_known_ones(wrong):
    with pytest.raises(ValueError, match=re.escape("known problems: xor, parity:N")):
        problem_of(wrong)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.pattern)
def test_every_family_makes_problems_whose_names_it_knows(family):
    assert family.examples
    for name in family.examples:
        assert re.fullmatch(family.pattern, name)
        assert family.make(name).name == name


def test_answers_are_right_on_the_side_of_the_target_and_never_where_they_are_no_number():
    outputs = np.array([[0.1, 0.5], [0.9, 0.5], [0.51, np.nan], [0.2, 0.9]], "float32")
    right = problem_of("xor").right(outputs)
    assert right.tolist() == [[True, True], [True, False], [True, False], [True, False]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": ((0,), (1,))}, "must have 2 values"),
        ({"answers": (0,)}, "one answer and one name for each row"),
        ({"inputs": ("a", "b", "c"), "rows": ((0, 0, 0), (1, 1, 1)), "plane": (0, 1)}, "only two can be drawn"),
    ],
)
def test_a_table_whose_parts_do_not_fit_is_refused(change, words):
    parts = {
        "name": "both",
        "title": "AND",
        "task": "say whether both are 1",
        "inputs": ("a", "b"),
        "output": "both",
        "rows": ((0, 1), (1, 1)),
        "answers": (0, 1),
        "row_names": ("0 and 1", "1 and 1"),
    }
    assert Problem(**parts).targets.tolist() == [[0], [1]]
    with pytest.raises(ValueError, match=words):
        Problem(**{**parts, **change})


def test_a_family_is_found_by_its_file_alone():
    assert all(isinstance(family, Family) for family in families())
    assert re.fullmatch(families()[0].pattern, DEFAULT)
