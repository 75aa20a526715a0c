"""The leaderboard of a run: a table in a notebook and on a terminal, a DataFrame on request."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from rich.console import Console

from job.report.sentences import SIGNS
from job.report.table import print_leaderboard
from job.runs.results import Outcome
from job.statistics.columns import Column, shown_columns
from job.statistics.formats import leaderboard_record
from job.statistics.leaderboard import Leaderboard
from job.statistics.rows import LeaderboardRow

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 120
"""The width of the table as text, in characters."""


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
        known = ", ".join(row.trial for row in self.board.rows) or "none"
        raise KeyError(f"no trial {trial!r} has a result; trials with a result: {known}")

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
        columns = shown_columns(self.board.rows)
        head = Markup("").join(Markup("<th>{}</th>").format(title) for title in ("", "trial", *_titles(columns)))
        rows = Markup("").join(self._row(row, columns) for row in self.board.rows)
        table = Markup("<table><tr>{}</tr>{}</table>").format(head, rows)
        return str(Markup("{}<p>{}</p>").format(table, self.verdict))

    def _row(self, row: LeaderboardRow, columns: Sequence[Column]) -> Markup:
        words = [column.words(row, self.board.epochs) for column in columns]
        cells = (SIGNS.get(row.standing, ""), row.trial, row.architecture.weights, *words)
        return Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells))


def _titles(columns: Sequence[Column]) -> list[str]:
    return ["weights", *(column.title for column in columns)]
