"""The leaderboard as a table for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from job.config import AXES
from job.leaderboard import NOT_TOLD_APART, WINNER, Leaderboard, Row, epoch
from job.wording import percent

MEDIAN, SPREAD, SOLVED = "epochs to solve\nmedian (95 %)", "10 % to 90 %", "solved (95 %)"
TRIAL, WEIGHTS, P_VALUE = "trial", "weights", "p against\nwinner"

_SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
_MEANINGS = {WINNER: "winner", NOT_TOLD_APART: "cannot be told apart from it"}


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table and the verdict; only axes on which the trials differ have a column, where there is room.

    An epoch written as `>1000` lies beyond the limit: the data do not reach it.
    """
    rows = [(row, _cells(row, board.epochs)) for row in board.rows]
    columns = _columns(board, [cells for _, cells in rows], console.width)
    table = Table(title=f"Leaderboard of {board.run}", title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(TRIAL, overflow="fold")
    for title in columns:
        table.add_column(title, justify="right", no_wrap=True)
    for row, cells in rows:
        shown = (_SIGNS.get(row.standing, ""), *(cells[title] for title in (TRIAL, *columns)))
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


def _columns(board: Leaderboard, rows: list[dict[str, str]], width: int) -> list[str]:
    """Return what is shown of each trial beside its name, which tells its axes where there is no room for them."""
    axes = [_title(axis) for axis in AXES if axis in AXES[:2] or _varies(board, axis)]
    numbers = [MEDIAN, SPREAD, SOLVED, P_VALUE]
    choices = [[*axes, WEIGHTS, *numbers], [WEIGHTS, *numbers], numbers, [MEDIAN, SOLVED, P_VALUE]]
    return next((columns for columns in choices if _width([TRIAL, *columns], rows) <= width), choices[-1])


def _width(columns: list[str], rows: list[dict[str, str]]) -> int:
    """Return how wide a table is with these columns, two spaces between them, and the sign in front."""
    widest = (max(map(len, [*title.split("\n"), *(row[title] for row in rows)])) for title in columns)
    return 1 + sum(2 + width for width in widest)


def _varies(board: Leaderboard, axis: str) -> bool:
    return len({getattr(row.architecture, axis) for row in board.rows}) > 1


def _title(axis: str) -> str:
    return axis.replace("_", "\n")


def _cells(row: Row, limit: int) -> dict[str, str]:
    numbers = row.outcome
    median, low, high = (epoch(value, limit) for value in (numbers.median, numbers.median_low, numbers.median_high))
    return {
        TRIAL: row.trial,
        **{_title(axis): str(getattr(row.architecture, axis)) for axis in AXES},
        WEIGHTS: str(row.architecture.weights),
        MEDIAN: f"{median} ({low} to {high})",
        SPREAD: f"{epoch(numbers.q10, limit)} to {epoch(numbers.q90, limit)}",
        SOLVED: f"{percent(numbers.share_solved)}% ({numbers.share_low:.1%} to {numbers.share_high:.1%})",
        P_VALUE: _p_value(row.p_adjusted),
    }


def _p_value(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
