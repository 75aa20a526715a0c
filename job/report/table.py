"""The leaderboard as a table: what it shows of each trial, and how a terminal shows it."""

import re
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from job.settings.axes import AXES, OPTIONAL_AXES, Axis
from job.statistics.columns import COLUMNS, P_VALUE, Column, shown_columns
from job.statistics.leaderboard import Leaderboard
from job.statistics.rows import NOT_TOLD_APART, SIGNS, WINNER, LeaderboardRow
from job.wording import listed

TRIAL, WEIGHTS = "trial", "weights"

_MEANINGS = {WINNER: "winner", NOT_TOLD_APART: "cannot be told apart from it"}

MOST_MISSING = 20
"""At most this many trials without a result are named."""

LEAST_NAME = 20
"""A name of up to this many characters is never broken; a longer one only if it would crowd out numbers."""


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table and the verdict; only axes on which the trials differ get a column, if there is room.

    An epoch shown as `>1000` is beyond the limit: the data do not reach it.
    """
    if board.rows:
        _print_rows(board, console)
    console.print(Text(board.verdict))
    if board.missing:
        console.print(f"No result yet: {escape(listed(board.missing, MOST_MISSING))}", highlight=False)


def _print_rows(board: Leaderboard, console: Console) -> None:
    cells = [leaderboard_cells(row, board.epochs) for row in board.rows]
    columns = _columns(board, cells, console.width)
    room = console.width - _width(columns, cells)
    least = _least_name(board)
    names = [_folded(row.trial, max(room, least)) for row in board.rows]
    longest_line = max(len(line) for name in names for line in name.split("\n"))
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True, min_width=1)
    table.add_column(TRIAL, no_wrap=True, min_width=min(longest_line, console.width // 2), overflow="fold")
    for title in columns:
        # Without room for all, numbers are wrapped: what is left of a truncated number would read as another one.
        table.add_column(title, justify="right", no_wrap=room >= least, overflow="fold")
    for row, name, numbers in zip(board.rows, names, cells, strict=True):
        shown = (row.sign, name, *(numbers[title] for title in columns))
        table.add_row(*shown, style="bold" if row.standing == WINNER else None)
    # Not the table's own title: that would be wrapped to the width of a narrow table.
    console.print(f"Leaderboard of {board.run}", style="table.title", markup=False, highlight=False)
    console.print(table)
    console.print("  ".join(leaderboard_legend(board, columns)), style="dim", highlight=False)


def leaderboard_titles(board: Leaderboard) -> list[str]:
    """Return the titles of the columns beside a trial's name: the axes, the weights and the numbers.

    Layers and neurons always have a column, any other axis only if the trials differ on it.
    """
    return [*_axis_titles(board), WEIGHTS, *_number_titles(board)]


def leaderboard_cells(row: LeaderboardRow, limit: int) -> dict[str, str]:
    """Return everything that can be shown about a trial, by column title."""
    return {
        **{_axis_title(axis): row.architecture.words(axis) for axis in AXES},
        WEIGHTS: str(row.architecture.weights),
        **{_title(column): column.words(row, limit) for column in COLUMNS},
    }


def leaderboard_legend(board: Leaderboard, titles: Sequence[str]) -> list[str]:
    """Return what the signs and numbers in a table with these columns mean."""
    standings = {row.standing for row in board.rows}
    signs = [f"{SIGNS[standing]} {words}" for standing, words in _MEANINGS.items() if standing in standings]
    corrected = ["p is corrected for all pairs of trials"] if _title(P_VALUE) in titles else []
    return [*signs, f">{board.epochs} not reached by the data", *corrected]


def _columns(board: Leaderboard, rows: list[dict[str, str]], width: int) -> list[str]:
    """Return the titles of the columns beside a trial's name: all of them, or as many as there is room for.

    The axes are dropped first, since the names hold them, then the numbers, the least important first.
    """
    shown, numbers = shown_columns(board.rows), _number_titles(board)
    ranks = sorted(column.rank for column in shown)
    fewer = ([_title(column) for column in shown if column.rank <= rank] for rank in reversed(ranks[:-1]))
    longest, least = max(len(row.trial) for row in board.rows), _least_name(board)
    choices = [
        *((longest, titles) for titles in (leaderboard_titles(board), [WEIGHTS, *numbers], numbers)),
        *((least, titles) for titles in fewer),
    ]
    fitting = (titles for name, titles in choices if name + _width(titles, rows) <= width)
    return next(fitting, choices[-1][1])


def _least_name(board: Leaderboard) -> int:
    """Return the least width in which the names are readable: whole, or broken after a '-'."""
    names = [row.trial for row in board.rows]
    longest_part = max(len(part) for name in names for part in _parts(name))
    return max(longest_part, min(LEAST_NAME, max(map(len, names))))


def _parts(name: str) -> list[str]:
    """Split a name after each '-', except one in a number such as 1e-05."""
    return re.split(r"(?<=-)(?<![0-9]e-)", name)


def _folded(name: str, width: int) -> str:
    """Break a name after a '-', into lines of at most this many characters."""
    lines = [""]
    for part in _parts(name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _width(columns: list[str], rows: list[dict[str, str]]) -> int:
    """Return the width of all but the names in a table of these columns, two spaces apart."""
    widest = (max(map(len, [*title.split("\n"), *(row[title] for row in rows)])) for title in columns)
    return 1 + 2 + sum(2 + width for width in widest)


def _axis_titles(board: Leaderboard) -> list[str]:
    return [_axis_title(axis) for axis in AXES if axis not in OPTIONAL_AXES or _varies(board, axis)]


def _number_titles(board: Leaderboard) -> list[str]:
    return [_title(column) for column in shown_columns(board.rows)]


def _varies(board: Leaderboard, axis: Axis) -> bool:
    return len({row.architecture.words(axis) for row in board.rows if row.architecture.has(axis)}) > 1


def _axis_title(axis: Axis) -> str:
    return axis.title.replace(" ", "\n")


def _title(column: Column) -> str:
    return column.terminal_title or column.title
