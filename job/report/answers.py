"""What networks answer for the rows of their problem: as words, and row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from job.problems import THRESHOLD, Problem
from job.runs.snapshots import Network, Unsolved

MOST_WRONG = 4
"""At most this many wrong answers of a network are listed one by one."""


@dataclass(frozen=True)
class RowAnswer:
    """A network's answer for one row of its problem."""

    row: str
    """The row's name."""
    target: int
    """The right answer."""
    words: str
    """The network's answer, such as `0.93`."""
    error: float
    """How far it is from the right answer; infinite if it is not a number."""
    right: bool


def row_answers(problem: Problem, network: Network) -> list[RowAnswer]:
    """Return a network's answers for all rows of its problem, in order."""
    right = problem.right(_outputs(network.predictions)).tolist()
    return [
        RowAnswer(row, target, _answer_words(value), _error(value, target), is_right)
        for row, target, value, is_right in zip(
            problem.row_names, problem.answers, network.predictions, right, strict=True
        )
    ]


def is_right(problem: Problem, network: Network) -> bool:
    """Return whether a network's answer is right for every row."""
    return bool(problem.right(_outputs(network.predictions)).all())


def hardest_first(answers: Sequence[RowAnswer], most: int) -> list[RowAnswer]:
    """Return all answers in order or, if there are too many, those furthest from their target, furthest first."""
    if len(answers) <= most:
        return list(answers)
    return sorted(answers, key=lambda answer: -answer.error)[:most]


def wrong_words(problem: Problem, group: Unsolved) -> str:
    """Return which answers of a group of starts are wrong, such as `answer 0 xor 0 = 1`."""
    if group.plane and all(value is None for row in group.plane for value in row):
        return "do not answer with numbers"
    wrong = [
        f"{row} = {int(answer)}"
        for row, target, answer in zip(problem.row_names, problem.answers, group.predictions, strict=True)
        if answer != bool(target)
    ]
    if not wrong:
        return "are right after the last epoch's update"
    if len(wrong) > MOST_WRONG:
        return f"are wrong in {len(wrong)} of {len(problem.rows)} rows"
    return f"answer {' and '.join(wrong)}"


def _outputs(predictions: Sequence[float | None]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.array([np.nan if value is None else value for value in predictions], "float64")


def _error(value: float | None, target: int) -> float:
    return float("inf") if value is None else abs(value - target)


def _answer_words(value: float | None) -> str:
    """Write an output with enough digits to show on which side of one half it is."""
    if value is None:
        return "not a number"
    texts = [format(value, f".{digits}f") for digits in (2, 4, 6, 8)]
    return next((text for text in texts if float(text) != THRESHOLD), texts[0])
