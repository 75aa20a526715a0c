"""The leaderboard as a table for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from job.config import AXES
from job.leaderboard import NOT_TOLD_APART, WINNER, Leaderboard, Row, epoch

_SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
_MEANINGS = {WINNER: "winner", NOT_TOLD_APART: "cannot be told apart from it"}


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table and the verdict; only axes on which the trials differ have a column.

    An epoch written as `>1000` lies beyond the limit: the data do not reach it.
    """
    axes = [axis for axis in AXES if axis in AXES[:2] or _varies(board, axis)]
    table = Table(title=f"Leaderboard of {board.run}", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("trial")
    for axis in axes:
        table.add_column(axis.replace("_", "\n"), justify="right")
    for title in (
        "weights",
        "epochs to solve\nmedian (95 %)",
        "10 % to 90 %",
        "solved (95 %)",
        "p against\nwinner",
    ):
        table.add_column(title, justify="right")
    for row in board.rows:
        table.add_row(*_cells(row, axes, board.epochs), style="bold" if row.standing == WINNER else None)
    if board.rows:
        console.print(table)
        standings = {row.standing for row in board.rows}
        signs = [f"{sign} {_MEANINGS[standing]}" for standing, sign in _SIGNS.items() if standing in standings]
        legend = "  ".join([*signs, f">{board.epochs} beyond the limit", "p is corrected for all pairs of trials"])
        console.print(legend, style="dim", highlight=False)
    console.print(Text(board.verdict))
    if board.missing:
        console.print(f"No result yet: {escape(', '.join(board.missing[:20]))}", highlight=False)


def _varies(board: Leaderboard, axis: str) -> bool:
    return len({getattr(row.architecture, axis) for row in board.rows}) > 1


def _cells(row: Row, axes: list[str], limit: int) -> list[str]:
    numbers = row.outcome
    median, low, high = (epoch(value, limit) for value in (numbers.median, numbers.median_low, numbers.median_high))
    return [
        _SIGNS.get(row.standing, ""),
        row.trial,
        *(str(getattr(row.architecture, axis)) for axis in axes),
        str(row.architecture.weights),
        f"{median} ({low} to {high})",
        f"{epoch(numbers.q10, limit)} to {epoch(numbers.q90, limit)}",
        f"{numbers.share_solved:.1%} ({numbers.share_low:.1%} to {numbers.share_high:.1%})",
        _p_value(row.p_adjusted),
    ]


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
