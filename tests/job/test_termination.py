"""A pod's termination message: what a pod says of its results when it has ended."""

import pytest

from job import termination
from job.runs.results import Outcome
from job.termination import KeyNumbers

OUTCOME = Outcome(100, 49, 0.49, 0.39, 0.59, None, 447, None, 20, None)
NUMBERS = KeyNumbers(None, 447, None, 0.49)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file that Kubernetes reads; there is something in it already."""
    path = tmp_path / "termination-log"
    path.write_text("x" * 10_000)
    monkeypatch.setattr(termination, "FILE", path)
    return path


def test_what_is_written_is_read_again(file):
    termination.write_message({"l1-n2": OUTCOME, "l2-n2": OUTCOME})
    assert termination.read_message(file.read_text()) == {"l1-n2": NUMBERS, "l2-n2": NUMBERS}


def test_of_many_trials_as_many_are_told_as_kubernetes_keeps(file):
    termination.write_message({f"l1-n{neurons}": OUTCOME for neurons in range(1, 1000)})
    assert len(file.read_bytes()) <= 4096
    told = termination.read_message(file.read_text())
    assert list(told) == [f"l1-n{neurons}" for neurons in range(1, len(told) + 1)]
    assert len(told) > 30


def test_outside_kubernetes_no_file_is_made(file):
    file.unlink()
    termination.write_message({"l1-n2": OUTCOME})
    assert not file.exists()


@pytest.mark.parametrize(
    "message", ["", "boom", "[]", "3", '{"l1-n2": 1}', '{"l1-n2": {"median": 1}}', '{"a": nul']
)
def test_any_other_message_tells_nothing(message):
    assert termination.read_message(message) == {}
