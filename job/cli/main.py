"""The command line: reads words, calls one function each, prints."""

import io
import os
import sys
import traceback
from typing import Any

import click

from job import logs
from job.cli.champion import champion
from job.cli.cluster import commands as cluster_commands
from job.cli.leaderboard import leaderboard
from job.cli.options import fail
from job.cli.report import plot, report
from job.cli.training import sweep, train, trial
from job.errors import SweepError


class _Commands(click.Group):
    """The commands in the order in which they are added: training, looking at results, the cluster."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*self.commands]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="xor-sweep", prog_name="xor-sweep")
def cli() -> None:
    """How many layers, how many neurons? A sweep whose verdict is statistically true.

    Each architecture of a grid is trained on XOR from hundreds of random starts at once.

    \b
    xor-sweep sweep                            the default grid, into ./runs
    xor-sweep train --layers 2 --neurons 16    one network, one random start
    xor-sweep leaderboard RUN                  a run's table again
    xor-sweep report RUN                       a run's page again, with all its pictures
    """


for command in (sweep, trial, train, leaderboard):
    cli.add_command(command)
cli.add_command(report)
cli.add_command(plot)
cli.add_command(champion)
for command in cluster_commands:
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error becomes one line on standard error and an exit code."""
    how: dict[str, Any] = {"debug": False, "log_format": "auto"}
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # Better a table with a "?" than none.
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="xor-sweep", obj=how))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        fail(error.format_message(), 2, how)
    except BrokenPipeError:
        logs.silence_broken_pipe()
        sys.exit(1)
    except Exception as error:
        if how["debug"]:
            traceback.print_exception(error)
        if isinstance(error, SweepError):
            fail(str(error), error.exit_code, how)
        fail(f"{type(error).__name__}: {error}; --debug shows where", 1, how)


def _open_what_is_closed() -> None:
    """Give standard input, output and error a place where whoever started this has closed them (`<&-`).

    Else the next file that is opened would be taken for one of them. In this order: the lowest number is given.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout, sys.stderr = sys.stdout or os.fdopen(1, "w"), sys.stderr or os.fdopen(2, "w")
