"""The leaderboard as a table for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from job.config import AXES
from job.leaderboard import NOT_TOLD_APART, WINNER, Leaderboard, Row, epoch

MEDIAN, SPREAD, SOLVED = "epochs to solve\nmedian (95 %)", "10 % to 90 %", "solved (95 %)"
WEIGHTS, P_VALUE = "weights", "p against\nwinner"
WIDE, MIDDLE = 110, 88
"""From so many columns on a terminal has room for the axes and the weights, and for the spread."""

_SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
_MEANINGS = {WINNER: "winner", NOT_TOLD_APART: "cannot be told apart from it"}


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table and the verdict; only axes on which the trials differ have a column, where there is room.

    An epoch written as `>1000` lies beyond the limit: the data do not reach it.
    """
    columns = _columns(board, console.width)
    table = Table(title=f"Leaderboard of {board.run}", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("trial")
    for title in columns:
        table.add_column(title, justify="right", no_wrap=True)
    for row in board.rows:
        cells = _cells(row, board.epochs)
        shown = (_SIGNS.get(row.standing, ""), row.trial, *(cells[title] for title in columns))
        table.add_row(*shown, style="bold" if row.standing == WINNER else None)
    if board.rows:
        console.print(table)
        standings = {row.standing for row in board.rows}
        signs = [f"{sign} {_MEANINGS[standing]}" for standing, sign in _SIGNS.items() if standing in standings]
        legend = "  ".join(
            [*signs, f">{board.epochs} not reached by the data", "p is corrected for all pairs of trials"]
        )
        console.print(legend, style="dim", highlight=False)
    console.print(Text(board.verdict))
    if board.missing:
        console.print(f"No result yet: {escape(', '.join(board.missing[:20]))}", highlight=False)


def _columns(board: Leaderboard, width: int) -> list[str]:
    """Return what is shown of each trial beside its name, which tells its axes where there is no room for them."""
    if width < WIDE:
        return [MEDIAN, SPREAD, SOLVED, P_VALUE] if width >= MIDDLE else [MEDIAN, SOLVED, P_VALUE]
    axes = [axis for axis in AXES if axis in AXES[:2] or _varies(board, axis)]
    return [*map(_title, axes), WEIGHTS, MEDIAN, SPREAD, SOLVED, P_VALUE]


def _varies(board: Leaderboard, axis: str) -> bool:
    return len({getattr(row.architecture, axis) for row in board.rows}) > 1


def _title(axis: str) -> str:
    return axis.replace("_", "\n")


def _cells(row: Row, limit: int) -> dict[str, str]:
    numbers = row.outcome
    median, low, high = (epoch(value, limit) for value in (numbers.median, numbers.median_low, numbers.median_high))
    return {
        **{_title(axis): str(getattr(row.architecture, axis)) for axis in AXES},
        WEIGHTS: str(row.architecture.weights),
        MEDIAN: f"{median} ({low} to {high})",
        SPREAD: f"{epoch(numbers.q10, limit)} to {epoch(numbers.q90, limit)}",
        SOLVED: f"{numbers.share_solved:.1%} ({numbers.share_low:.1%} to {numbers.share_high:.1%})",
        P_VALUE: _p_value(row.p_adjusted),
    }


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
