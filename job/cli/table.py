"""The leaderboard as a table for a terminal."""

import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from job.settings.axes import AXIS_NAMES
from job.statistics.leaderboard import Leaderboard
from job.statistics.rows import NOT_TOLD_APART, WINNER, LeaderboardRow
from job.wording import epochs_words, listed, median_words, p_value_words, share_words

MEDIAN, SPREAD, SOLVED = "epochs to solve\nmedian (95 %)", "10 % to 90 %", "solved (95 %)"
TRIAL, WEIGHTS, P_VALUE = "trial", "weights", "p against\nwinner"

_SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
_MEANINGS = {WINNER: "winner", NOT_TOLD_APART: "cannot be told apart from it"}


MOST_MISSING = 20
"""The most trials without a result that are named."""

LEAST_NAME = 20
"""A name of up to so many letters is never broken, a longer one only where numbers would have to go for it."""


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table and the verdict; only axes on which the trials differ have a column, where there is room.

    An epoch written as `>1000` lies beyond the limit: the data do not reach it.
    """
    if board.rows:
        _print_rows(board, console)
    console.print(Text(board.verdict))
    if board.missing:
        console.print(f"No result yet: {escape(listed(board.missing, MOST_MISSING))}", highlight=False)


def _print_rows(board: Leaderboard, console: Console) -> None:
    cells = [_cells(row, board.epochs) for row in board.rows]
    columns = _columns(board, cells, console.width)
    room = console.width - _width(columns, cells)
    least = _least_name(board)
    names = [_folded(row.trial, max(room, least)) for row in board.rows]
    longest_line = max(len(line) for name in names for line in name.split("\n"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True, min_width=1)
    table.add_column(TRIAL, no_wrap=True, min_width=min(longest_line, console.width // 2), overflow="fold")
    for title in columns:
        # Without room for all, numbers are folded: the rest of a number that is cut off would be another one.
        table.add_column(title, justify="right", no_wrap=room >= least, overflow="fold")
    for row, name, numbers in zip(board.rows, names, cells, strict=True):
        shown = (_SIGNS.get(row.standing, ""), name, *(numbers[title] for title in columns))
        table.add_row(*shown, style="bold" if row.standing == WINNER else None)
    # Not the table's own title: that would be folded to the width of a narrow table.
    console.print(f"Leaderboard of {board.run}", style="table.title", markup=False, highlight=False)
    console.print(table)
    standings = {row.standing for row in board.rows}
    signs = [f"{sign} {_MEANINGS[standing]}" for standing, sign in _SIGNS.items() if standing in standings]
    corrected = ["p is corrected for all pairs of trials"] if P_VALUE in columns else []
    legend = "  ".join([*signs, f">{board.epochs} not reached by the data", *corrected])
    console.print(legend, style="dim", highlight=False)


def _columns(board: Leaderboard, rows: list[dict[str, str]], width: int) -> list[str]:
    """Return what is shown of each trial beside its name, which tells its axes where there is no room for them."""
    axes = [_title(axis) for axis in AXIS_NAMES if axis in AXIS_NAMES[:2] or _varies(board, axis)]
    p_value = [P_VALUE] if any(row.p_adjusted is not None for row in board.rows) else []
    numbers = [MEDIAN, SPREAD, SOLVED, *p_value]
    longest, least = max(len(row.trial) for row in board.rows), _least_name(board)
    choices = [
        *((longest, columns) for columns in ([*axes, WEIGHTS, *numbers], [WEIGHTS, *numbers], numbers)),
        *((least, columns) for columns in ([MEDIAN, SOLVED, *p_value], [MEDIAN, SOLVED], [MEDIAN])),
    ]
    fitting = (columns for name, columns in choices if name + _width(columns, rows) <= width)
    return next(fitting, [MEDIAN])


def _least_name(board: Leaderboard) -> int:
    """Return the width in which the names can be read: whole, or broken where a '-' is."""
    names = [row.trial for row in board.rows]
    longest_part = max(len(part) for name in names for part in _parts(name))
    return max(longest_part, min(LEAST_NAME, max(map(len, names))))


def _parts(name: str) -> list[str]:
    """Split a name behind each '-' but that of a number, such as 1e-05."""
    return re.split(r"(?<=-)(?<![0-9]e-)", name)


def _folded(name: str, width: int) -> str:
    """Break a name into lines of at most so many letters, behind a '-'."""
    lines = [""]
    for part in _parts(name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _width(columns: list[str], rows: list[dict[str, str]]) -> int:
    """Return how wide a table is with these columns beside the names, with two spaces between any two."""
    widest = (max(map(len, [*title.split("\n"), *(row[title] for row in rows)])) for title in columns)
    return 1 + 2 + sum(2 + width for width in widest)


def _varies(board: Leaderboard, axis: str) -> bool:
    return len({getattr(row.architecture, axis) for row in board.rows}) > 1


def _title(axis: str) -> str:
    return axis.replace("_", "\n")


def _cells(row: LeaderboardRow, limit: int) -> dict[str, str]:
    numbers = row.outcome
    return {
        **{_title(axis): str(getattr(row.architecture, axis)) for axis in AXIS_NAMES},
        WEIGHTS: str(row.architecture.weights),
        MEDIAN: median_words(numbers.median, numbers.median_low, numbers.median_high, limit),
        SPREAD: epochs_words(numbers.q10, numbers.q90, limit),
        SOLVED: share_words(numbers.share_solved, numbers.share_low, numbers.share_high),
        P_VALUE: "" if row.p_adjusted is None else p_value_words(row.p_adjusted),
    }
