"""The leaderboard of a run: a table in a notebook and on a terminal, a DataFrame on request."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from rich.console import Console

from job.report.table import (
    TRIAL,
    leaderboard_cells,
    leaderboard_legend,
    leaderboard_titles,
    print_leaderboard,
)
from job.runs.results import Outcome
from job.statistics.formats import leaderboard_record
from job.statistics.leaderboard import Leaderboard
from job.statistics.rows import LeaderboardRow
from job.wording import listed

if TYPE_CHECKING:
    import pandas as pd

_HEAD, _CELL = Markup("<th>{}</th>"), Markup("<td>{}</td>")

WIDTH = 120
"""The width of the table as text, in characters."""

MOST_NAMED = 20
"""An error names at most this many trials."""


def no_result_words(trial: str, known: Sequence[str]) -> str:
    """Say that a trial has no result, and which trials have one."""
    return f"no trial {trial!r} has a result; those that have one: {listed(known, MOST_NAMED)}"


class LeaderboardTable:
    """A run's trials, best first; iterating yields its rows."""

    def __init__(self, board: Leaderboard) -> None:
        """Wrap the leaderboard to show."""
        self.board = board

    @property
    def verdict(self) -> str:
        """What the data say, in one sentence."""
        return self.board.verdict

    def __len__(self) -> int:
        """Return how many trials have a result."""
        return len(self.board.rows)

    def __iter__(self) -> Iterator[LeaderboardRow]:
        """Yield the rows, best first."""
        return iter(self.board.rows)

    def __getitem__(self, trial: str) -> LeaderboardRow:
        """Return the row of a trial by its name.

        Raises:
            KeyError: no trial with this name has a result.
        """
        for row in self.board.rows:
            if row.trial == trial:
                return row
        raise KeyError(no_result_words(trial, [row.trial for row in self.board.rows]))

    def to_records(self) -> list[dict[str, Any]]:
        """Return a dict for each row, as in leaderboard.csv; a number that the data do not reach is None."""
        return list(leaderboard_record(self.board)["trials"])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas DataFrame, indexed by the trials' names.

        Whole numbers that the data may not reach, such as medians, have the pandas type `Int64`, with `<NA>` for
        those not reached.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas as pd

        frame = pd.DataFrame(self.to_records()).set_index("trial")
        return frame.astype({field.name: "Int64" for field in fields(Outcome) if field.type == int | None})

    def __repr__(self) -> str:
        """Return the table as a terminal shows it."""
        console = Console(file=io.StringIO(), width=WIDTH, color_system=None, force_jupyter=False)
        print_leaderboard(self.board, console)
        lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        table = self._table() if self.board.rows else ""
        return str(Markup("{}<p>{}</p>").format(table, self.verdict))

    def _table(self) -> Markup:
        """Return the table, with the terminal's columns, and its legend."""
        titles = leaderboard_titles(self.board)
        rows = [_row(_HEAD, ["", TRIAL, *titles])]
        for row in self.board.rows:
            cells = leaderboard_cells(row, self.board.epochs)
            rows.append(_row(_CELL, [row.sign, row.trial, *(cells[title] for title in titles)]))
        legend = ", ".join(leaderboard_legend(self.board, titles))
        return Markup("<table>{}</table><p>{}</p>").format(Markup("").join(rows), legend)


def _row(cell: Markup, words: Iterable[str]) -> Markup:
    return Markup("<tr>{}</tr>").format(Markup("").join(cell.format(each) for each in words))
