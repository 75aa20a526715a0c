"""The commands that train: a whole sweep, some of its trials, or one network from one start."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from job import logs
from job.cli.given import GivenSettings, pass_given_settings
from job.cli.leaderboard import print_table
from job.cli.options import GRID, LOG_FORMAT, TRAINING_DEBUG, ValueType, options, setting
from job.errors import ConfigError, FailedTrialsError, SweepError
from job.settings.axes import AXES
from job.wording import listed_reasons

if TYPE_CHECKING:
    from job.execution.pool import Watcher
    from job.execution.sweep import SweepOutcome
    from job.report.reading import Report
    from job.settings.grid import Trial
    from job.settings.sweep import Settings
    from job.statistics.leaderboard import Leaderboard


@click.command("sweep")
@GRID
@options(setting("workers"), LOG_FORMAT, TRAINING_DEBUG)
@pass_given_settings
def sweep_command(given: GivenSettings, log_format: str, debug: bool) -> None:
    """Train the whole grid on this machine, then write the report and show the leaderboard.

    Running the same sweep again trains only the trials that have no result yet.

    \b
    xor-sweep sweep
    xor-sweep sweep --layers 1,2 --neurons 4,8,16 --activation relu,tanh
    xor-sweep sweep --config sweep.yaml --output gs://bucket/prefix
    """
    settings = given.settings()
    from job.execution.sweep import run_sweep
    from job.report.page import write_report  # scipy, after bad input
    from job.report.undone import Undone
    from job.runs.layout import PAGE
    from job.signals import StopRequest

    with StopRequest(logs.error_printer(log_format)) as stop, _sweep_watcher(log_format) as watcher:
        outcome = run_sweep(settings, watcher=watcher, stop=stop, debug=debug)
        failed = [Undone(name, "failed", str(error)) for name, error in outcome.failed.items()]
        written = write_report(outcome.run, failed)
    say = logs.sink(log_format)
    say(logs.event(f"report written to {outcome.run.url}/{PAGE}"))
    if not outcome.trained and not outcome.failed:
        have = _who_has_results(len(outcome.found), len(written.board.damaged))
        say(logs.event(f"{outcome.run.name}: {have}: nothing to train"))
    _show_leaderboard(written.board, log_format)
    _raise_damage(outcome, written)
    _raise_failures(outcome.failed, settings.trial_count)


@click.command("trial")
@GRID
@setting("trials_per_pod")
@click.option(
    "--index",
    type=ValueType(),
    envvar=["XOR_SWEEP_INDEX", "JOB_COMPLETION_INDEX"],
    show_envvar=True,
    help="The trial's index in the grid, from 0; with --trials-per-pod, the pod's index.",
)
@click.option(
    "--name",
    envvar="XOR_SWEEP_NAME",
    show_envvar=True,
    metavar="TRIAL",
    help="The trial's name, such as l2-n16.",
)
@options(LOG_FORMAT, TRAINING_DEBUG)
@pass_given_settings
def trial_command(given: GivenSettings, index: Any, name: str | None, log_format: str, debug: bool) -> None:
    """Train one trial of the grid, given by its index or name, and store its result.

    \b
    xor-sweep trial --index 8
    xor-sweep trial --name l2-n16 --config sweep.yaml
    """
    from job.execution.sweep import run_trials
    from job.signals import StopRequest

    settings = given.settings()
    chosen = _chosen_trials(settings, index, name, given.places)
    with StopRequest(logs.error_printer(log_format)) as stop:
        run_trials(settings, chosen, stop=stop, sink=logs.sink(log_format), debug=debug)


_ONE_NETWORK: dict[str, Any] = {"layers": 1, "neurons": 16}
"""The network that `train` trains by default; its other axes keep the defaults of a sweep."""


@click.command("train")
@options(
    setting("data"),
    *(setting(axis.name, single=True, default=_ONE_NETWORK.get(axis.name)) for axis in AXES),
    setting("epochs"),
    click.option(
        "--seed",
        "replicate_seed",
        type=ValueType(),
        default=0,
        envvar="XOR_SWEEP_REPLICATE_SEED",
        show_envvar=True,
        help="The seed of the initial weights, as in replicates.csv: a whole number from 0 to 2147483645. "
        "(default: 0)",
    ),
    setting(
        "keep_training",
        text="Train up to the limit even after the network has solved the problem: true or false.",
    ),
    setting("device"),
    LOG_FORMAT,
    TRAINING_DEBUG,
)
@pass_given_settings
def train_command(given: GivenSettings, replicate_seed: Any, log_format: str, debug: bool) -> None:
    """Train one network from one random start, and show what it learned.

    Each option takes one value. With a seed from a run's replicates.csv, this replays that replicate exactly.

    \b
    xor-sweep train --layers 2 --neurons 16
    xor-sweep train --neurons 32 --seed 7 --loss binary_crossentropy
    """
    from job.execution.single import check_seed, train_single
    from job.signals import StopRequest

    for axis in AXES:
        value = str(given.values.get(axis.name))
        if "," in value:
            place = given.places[axis.name]
            raise ConfigError(f"{place}: '{value}' is a list: give one value (`xor-sweep sweep` takes lists)")
    check_seed(replicate_seed, given.places.get("replicate_seed", "--seed"))
    settings = given.settings(**_ONE_NETWORK, replicates=1)
    # Nothing is stored, so there is nothing to save.
    with StopRequest(logs.error_printer(log_format)) as stop, stop.exit_immediately():
        train_single(settings, replicate_seed, sink=logs.sink(log_format), debug=debug)


def _chosen_trials(settings: "Settings", index: Any, name: str | None, places: Mapping[str, str]) -> "list[Trial]":
    from job.settings.grid import trial_named, trials_of_pod

    by_index, by_name = places.get("index") == "--index", places.get("name") == "--name"
    if by_index and by_name:
        raise ConfigError("--index and --name were both given: give one of them")
    # A pod always has JOB_COMPLETION_INDEX: a name overrides it.
    if name is not None and not by_index:
        return [trial_named(settings, name)]
    if index is None:
        raise ConfigError("which trial? Give --index or --name (in a pod, JOB_COMPLETION_INDEX is the index)")
    return trials_of_pod(settings, index, places["index"])


def _sweep_watcher(log_format: str) -> "AbstractContextManager[Watcher]":
    from rich.console import Console

    from job.cli.progress import LogWatcher, TerminalWatcher

    # The bar goes to standard error; a reader of redirected standard output gets log lines instead.
    if log_format != "json" and sys.stdout.isatty() and sys.stderr.isatty():
        return TerminalWatcher(Console(stderr=True))
    return nullcontext(LogWatcher(logs.sink(log_format)))


def _who_has_results(done: int, damaged: int) -> str:
    if damaged:
        are = "is" if damaged == 1 else "are"
        return f"{done - damaged} of {done} trials have results, {damaged} {are} damaged"
    return f"all {done} trials have results"


def _show_leaderboard(board: "Leaderboard", log_format: str) -> None:
    from job.statistics.formats import leaderboard_record

    if logs.wants_json(log_format, sys.stdout):
        logs.sink(log_format)(logs.event(board.verdict, leaderboard=leaderboard_record(board)))
    else:
        print_table(board)


def _raise_damage(outcome: "SweepOutcome", written: "Report") -> None:
    damage = [written.damage_words] if written.damage else []
    # The report has already named the trials whose result is damaged.
    unshown = [str(error) for name, error in outcome.unshown.items() if name not in written.board.damaged]
    if unshown:
        damage.append(f"TensorBoard cannot show the damaged trials: {listed_reasons(unshown)}")
    if damage:
        raise SweepError("; ".join(damage))


def _raise_failures(failed: Mapping[str, SweepError], count: int) -> None:
    if failed:
        reasons = listed_reasons([f"{name}: {error}" for name, error in failed.items()])
        failures = list(failed.values())
        raise FailedTrialsError(f"{len(failed)} of {count} trials failed: {reasons}", failures) from failures[0]
