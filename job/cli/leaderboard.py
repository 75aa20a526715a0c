"""The command that shows a run's leaderboard."""

import sys
from typing import TYPE_CHECKING

import click

from job.cli.options import DEBUG, OUTPUT

if TYPE_CHECKING:
    from job.statistics.leaderboard import Leaderboard


@click.command("leaderboard")
@click.argument("run", type=click.Path())
@click.option(
    "--format",
    "table_format",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    envvar="XOR_SWEEP_LEADERBOARD_FORMAT",
    show_envvar=True,
    show_default=True,
    help="The output format.",
)
@OUTPUT
@DEBUG
def leaderboard_command(run: str, table_format: str, output: str | None) -> None:
    """Show the leaderboard of RUN, given by its name in --output or by its own folder or bucket URL.

    \b
    xor-sweep leaderboard runs/sweep-f572acc9
    xor-sweep leaderboard sweep-f572acc9 --output gs://bucket/prefix --format csv
    """
    from job.runs.run import find_run
    from job.statistics import formats
    from job.statistics.leaderboard import make_leaderboard  # scipy

    board = make_leaderboard(find_run(run, output or "."))
    if table_format == "table":
        print_table(board)
    else:
        click.echo(
            formats.leaderboard_json(board) if table_format == "json" else formats.leaderboard_csv(board),
            nl=table_format == "json",
        )


def print_table(board: "Leaderboard") -> None:
    """Print a leaderboard as a table the width of the terminal."""
    from rich.console import Console

    from job.report.table import print_leaderboard

    # Without a terminal, Rich assumes 80 columns, which would wrap the table in a file or a pipe.
    print_leaderboard(board, Console(width=None if sys.stdout.isatty() else 120))
