"""A Job's index ranges."""

import random

import pytest

from k8s.observe.ranges import IndexRanges


@pytest.mark.parametrize(
    ("text", "indexes"),
    [("", []), ("0", [0]), ("1,3-5", [1, 3, 4, 5]), ("0-2,4,7-8", [0, 1, 2, 4, 7, 8]), ("9999", [9999])],
)
def test_the_ranges_hold_the_indexes_that_they_name_and_no_other(text, indexes):
    ranges = IndexRanges(text)
    assert list(ranges) == indexes
    assert len(ranges) == len(indexes)
    assert [index for index in range(10_001) if index in ranges] == indexes


def test_any_set_of_indexes_is_read_as_kubernetes_writes_it():
    for seed in range(50):
        chosen = sorted(random.Random(seed).sample(range(60), seed))
        assert list(IndexRanges(as_kubernetes_writes(chosen))) == chosen


def as_kubernetes_writes(indexes):
    parts, rest = [], list(indexes)
    while rest:
        last = first = rest.pop(0)
        while rest and rest[0] == last + 1:
            last = rest.pop(0)
        parts.append(f"{first}" if first == last else f"{first}-{last}")
    return ",".join(parts)


def test_a_long_range_takes_no_more_memory_than_a_short_one():
    assert len(vars(IndexRanges("0-99999"))["_first"]) == 1
    assert 99_999 in IndexRanges("0-99999")
