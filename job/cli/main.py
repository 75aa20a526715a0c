"""The command line: its commands, and how an error becomes one line and an exit code."""

import io
import os
import sys
import traceback
from typing import NoReturn

import click

from job import logs
from job.cli.champion import champion_group
from job.cli.cluster import driver_command, logs_command, results_command, retrain_command, status_command
from job.cli.leaderboard import leaderboard_command
from job.cli.options import ErrorDisplay
from job.cli.report import plot, report
from job.cli.training import sweep_command, train_command, trial_command
from job.errors import SweepError


class _Commands(click.Group):
    """Lists its commands in the order in which they were added: training, results, the cluster."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*self.commands]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="xor-sweep", prog_name="xor-sweep")
def cli() -> None:
    """How many layers, how many neurons? A sweep whose verdict is statistically sound.

    Each architecture in a grid is trained from hundreds of random starts at once, on XOR or another problem.

    \b
    xor-sweep sweep                            the default grid, into ./runs
    xor-sweep train --layers 2 --neurons 16    one network, one random start
    xor-sweep leaderboard RUN                  a run's leaderboard again
    xor-sweep report RUN                       a run's page again, with all its pictures
    """


for command in (
    sweep_command,
    trial_command,
    train_command,
    leaderboard_command,
    report,
    plot,
    champion_group,
    driver_command,
    retrain_command,
    status_command,
    logs_command,
    results_command,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error becomes one line on standard error and an exit code."""
    display = ErrorDisplay()
    _reopen_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # Better a table with a "?" than none.
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="xor-sweep", obj=display))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message(), 2, display)
    except BrokenPipeError:
        logs.silence_broken_pipe()
        sys.exit(1)
    except Exception as error:
        if display.debug:
            traceback.print_exception(error)
        if isinstance(error, SweepError):
            _fail(str(error), error.exit_code, display)
        _fail(f"{type(error).__name__}: {error}; --debug shows where", 1, display)


def _reopen_standard_streams() -> None:
    """Open /dev/null for standard input, output or error if the caller has closed it (`<&-`).

    Otherwise the next file opened would get its number and be mistaken for it. The order matters: a new file gets
    the lowest free number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout, sys.stderr = sys.stdout or os.fdopen(1, "w"), sys.stderr or os.fdopen(2, "w")


def _fail(message: str, exit_code: int, display: ErrorDisplay) -> NoReturn:
    logs.print_error(message, exit_code, display.log_format)
    sys.exit(exit_code)
