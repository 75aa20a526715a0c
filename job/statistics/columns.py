"""The numbers that a leaderboard shows for each trial: one list for the terminal, the page and the README.

leaderboard.csv and the JSON have every field of `Outcome`, which holds the columns' numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from job.statistics.rows import LeaderboardRow
from job.wording import epochs_words, median_words, p_value_words, share_words


@dataclass(frozen=True)
class Column:
    """One number for each trial, or one with its interval."""

    title: str
    """The heading of the column."""
    value: Callable[[LeaderboardRow], float | None]
    """The number to sort by; None sorts after all numbers."""
    words: Callable[[LeaderboardRow, int], str]
    """What is shown for a row, given the epoch limit; a column that is empty in every row is left out."""
    meaning: str
    """What the README says about it."""
    rank: int
    """Its importance, 1 being the most: a narrow terminal drops the column of the highest rank first."""
    terminal_title: str = ""
    """Its title in a terminal, if that takes two lines."""


MEDIAN = Column(
    title="median (95%)",
    terminal_title="epochs to solve\nmedian (95%)",
    value=lambda row: row.outcome.median,
    words=lambda row, limit: median_words(
        row.outcome.median, row.outcome.median_low, row.outcome.median_high, limit
    ),
    meaning="the first epoch by which half of the starts have solved the problem, and its 95% interval",
    rank=1,
)

SPREAD = Column(
    title="10% to 90%",
    value=lambda row: row.outcome.q10,
    words=lambda row, limit: epochs_words(row.outcome.q10, row.outcome.q90, limit),
    meaning="the epochs by which 10% and 90% of the starts have solved it",
    rank=4,
)

SOLVED = Column(
    title="solved (95%)",
    value=lambda row: row.outcome.share_solved,
    words=lambda row, _: share_words(row.outcome.share_solved, row.outcome.share_low, row.outcome.share_high),
    meaning="the share of the starts that solved it within the limit, and its 95% interval",
    rank=2,
)

P_VALUE = Column(
    title="p against winner",
    terminal_title="p against\nwinner",
    value=lambda row: row.p_adjusted,
    words=lambda row, _: "" if row.p_adjusted is None else p_value_words(row.p_adjusted),
    meaning="how often chance alone would give a difference this large (log-rank test)",
    rank=3,
)

COLUMNS = (MEDIAN, SPREAD, SOLVED, P_VALUE)
"""The columns from left to right."""


def shown_columns(rows: tuple[LeaderboardRow, ...]) -> list[Column]:
    """Return the columns that have something to show for these rows."""
    return [column for column in COLUMNS if any(column.words(row, 1) for row in rows)]
