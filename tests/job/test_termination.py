"""A pod's termination message: what a pod says of its results when it has ended."""

import pytest

from job import termination

NUMBERS = {"median": None, "median_low": 447, "median_high": None, "share_solved": 0.49}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file that Kubernetes reads; there is something in it already."""
    path = tmp_path / "termination-log"
    path.write_text("x" * 10_000)
    monkeypatch.setattr(termination, "FILE", path)
    return path


def test_what_is_written_is_read_again(file):
    termination.write({"l1-n2": {**NUMBERS, "device": "cpu"}, "l2-n2": NUMBERS})
    assert termination.read(file.read_text()) == {"l1-n2": NUMBERS, "l2-n2": NUMBERS}


def test_of_many_trials_as_many_are_told_as_kubernetes_keeps(file):
    termination.write({f"l1-n{neurons}": NUMBERS for neurons in range(1, 1000)})
    assert len(file.read_bytes()) <= 4096
    told = termination.read(file.read_text())
    assert list(told) == [f"l1-n{neurons}" for neurons in range(1, len(told) + 1)]
    assert len(told) > 30


def test_outside_kubernetes_no_file_is_made(file):
    file.unlink()
    termination.write({"l1-n2": NUMBERS})
    assert not file.exists()


@pytest.mark.parametrize(
    "message", ["", "boom", "[]", "3", '{"l1-n2": 1}', '{"l1-n2": {"median": 1}}', '{"a": nul']
)
def test_any_other_message_tells_nothing(message):
    assert termination.read(message) == {}
