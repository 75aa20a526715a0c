"""The commands that train: a whole sweep, one of its trials, or a single network."""

import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from job import logs
from job.cli.leaderboard import print_table
from job.cli.options import GRID, LOG_FORMAT, OF_THE_POD, TRAINING_DEBUG, Value, fail, options, setting
from job.errors import ConfigError, SweepError
from job.settings.axes import AXIS_NAMES
from job.settings.sweep import Settings
from job.settings.validation import make_settings
from job.wording import listed_reasons

if TYPE_CHECKING:
    from job.settings.grid import Trial
    from job.statistics.leaderboard import Leaderboard

_INDEX_VARIABLES = ["XOR_SWEEP_INDEX", "JOB_COMPLETION_INDEX"]


@click.command()
@GRID
@options(setting("workers"), LOG_FORMAT, TRAINING_DEBUG)
@click.pass_context
def sweep(context: click.Context, /, log_format: str, debug: bool, **_: Any) -> None:
    """Train the whole grid on this machine, then write the report and show the leaderboard.

    The same sweep again trains only what has no result yet.

    \b
    xor-sweep sweep
    xor-sweep sweep --layers 1,2 --neurons 4,8,16 --activation relu,tanh
    xor-sweep sweep --config sweep.yaml --output gs://bucket/prefix
    """
    config = _config(context)
    from job.execution.sweep import run_sweep
    from job.report.page import INDEX, write_report  # scipy, after bad input
    from job.report.reading import Undone
    from job.signals import StopRequest

    with StopRequest(logs.last_words(context.obj)) as stop, _sweep_watcher(log_format) as watcher:
        outcome = run_sweep(config, watcher=watcher, stop=stop, debug=debug)
        failed = [Undone(name, "failed", str(error)) for name, error in outcome.failed.items()]
        written = write_report(outcome.run, failed)
    _say(log_format, f"the report: {outcome.run.url}/{INDEX}")
    if not outcome.trained and not outcome.failed:
        have = _who_has_results(len(outcome.found), len(written.board.damaged))
        _say(log_format, f"{outcome.run.name}: {have}: nothing to train")
    _show(written.board, log_format)
    # Of a trial whose result is damaged, the report has said it.
    unshown = [str(error) for name, error in outcome.unshown.items() if name not in written.board.damaged]
    damage = [written.damage_words] if written.damage else []
    if unshown:
        damage.append(f"TensorBoard goes without what is damaged: {listed_reasons(unshown)}")
    if damage:
        fail("; ".join(damage), 1, context.obj)
    if outcome.failed:
        reasons = listed_reasons([f"{name}: {error}" for name, error in outcome.failed.items()])
        count = f"{len(outcome.failed)} of {config.trial_count} trials failed"
        fail(f"{count}: {reasons}", failures_exit_code(list(outcome.failed.values())), context.obj)


@click.command()
@GRID
@setting("trials_per_pod")
@click.option(
    "--index",
    type=Value(),
    envvar=_INDEX_VARIABLES,
    show_envvar=True,
    help="The trial's index in the grid, from 0; with --trials-per-pod, the pod's.",
)
@click.option(
    "--name",
    envvar="XOR_SWEEP_NAME",
    show_envvar=True,
    metavar="TRIAL",
    help="The trial's name, such as l2-n16.",
)
@options(LOG_FORMAT, TRAINING_DEBUG)
@click.pass_context
def trial(context: click.Context, /, index: Any, name: str | None, log_format: str, debug: bool, **_: Any) -> None:
    """Train one trial of the grid, by its index or its name, and store its result.

    \b
    xor-sweep trial --index 8
    xor-sweep trial --name l2-n16 --config sweep.yaml
    """
    from job.execution.sweep import run_trials
    from job.signals import StopRequest

    config = _config(context)
    chosen = _chosen_trials(context, config, index, name)
    with StopRequest(logs.last_words(context.obj)) as stop:
        run_trials(config, chosen, stop=stop, sink=logs.sink(log_format), debug=debug)


@click.command()
@options(
    setting("data"),
    setting("layers", single=True, default="(default: 1)", text="Hidden layers: a whole number from 0 to 100."),
    setting(
        "neurons",
        single=True,
        default="(default: 16)",
        text="Neurons in each hidden layer: a whole number from 1 to 4096.",
    ),
    *(setting(name, single=True) for name in AXIS_NAMES[2:]),
    setting("epochs"),
    setting(
        "seed",
        text="The seed of the initial weights: a replicate's, as replicates.csv has it, from 0 to 2147483645.",
    ),
    setting("keep_training", text="Train up to the limit, also when it is solved: true or false."),
    setting("device"),
    LOG_FORMAT,
    TRAINING_DEBUG,
)
@click.pass_context
def train(context: click.Context, /, log_format: str, debug: bool, **_: Any) -> None:
    """Train one network from one random start, and show what it learned.

    With a seed of a run's replicates.csv, this replays that replicate exactly.

    \b
    xor-sweep train --layers 2 --neurons 16
    xor-sweep train --neurons 32 --seed 7 --loss binary_crossentropy
    """
    from job.execution.single import check_seed, train_single
    from job.signals import StopRequest

    settings, where = _given(context)
    for axis, value in settings.items():
        if axis in AXIS_NAMES and "," in str(value):
            raise ConfigError(f"{where[axis]}: '{value}' is a list: give one value (`xor-sweep sweep` takes lists)")
    if "seed" in settings:
        check_seed(settings["seed"], where["seed"])
    config = make_settings({"layers": 1, "neurons": 16, "replicates": 1, **settings}, where)
    # Nothing is stored, so there is nothing to save.
    with StopRequest(logs.last_words(context.obj)) as stop, stop.exit_immediately():
        train_single(config, config.seed, sink=logs.sink(log_format), debug=debug)


def _config(context: click.Context) -> Settings:
    """Return the sweep that is asked for: a flag goes before the environment, that before the file."""
    from job.settings.file import read_sweep_file  # YAML

    path = context.params["config"]
    settings, where = read_sweep_file(path) if path else ({}, {})
    given, given_where = _given(context)
    return make_settings({**settings, **given}, {**where, **given_where})


_PREFIX = "XOR_SWEEP_"


def _refuse_mistyped_variables() -> None:
    """Refuse a variable that looks like one of ours and is none; others, such as a Service's, are nobody's."""
    known = {*OF_THE_POD, *_variables(click.get_current_context().find_root().command)}
    words = [variable.removeprefix(_PREFIX) for variable in known]
    for name in sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known):
        if like := get_close_matches(name.removeprefix(_PREFIX), words, 1, cutoff=0.8):
            raise ConfigError(f"{name}: no such variable; did you mean {_PREFIX}{like[0]}?")


def _variables(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ()
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if inner := command.get_command(context, name):
                yield from _variables(inner)


def _given(context: click.Context) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings that flags and the environment give, and what a person calls their places."""
    _refuse_mistyped_variables()
    settings, where = {}, {}
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in Settings.model_fields and source in (
            ParameterSource.COMMANDLINE,
            ParameterSource.ENVIRONMENT,
        ):
            settings[option.name] = context.params[option.name]
            where[option.name] = str(option.envvar) if source == ParameterSource.ENVIRONMENT else option.opts[0]
    return settings, where


def _chosen_trials(context: click.Context, config: Settings, index: Any, name: str | None) -> "list[Trial]":
    from job.settings.grid import trial_named, trials_of_pod

    flags = [
        option
        for option in ("index", "name")
        if context.get_parameter_source(option) == ParameterSource.COMMANDLINE
    ]
    if len(flags) == 2:
        raise ConfigError("--index and --name were both given: give one of them")
    # In a pod JOB_COMPLETION_INDEX is always there: a name goes before it.
    if name is not None and flags != ["index"]:
        return [trial_named(config, name)]
    if index is None:
        raise ConfigError("which trial? Give --index or --name (in a pod, JOB_COMPLETION_INDEX is the index)")
    return trials_of_pod(config, index, _place_of_index(context))


def _sweep_watcher(log_format: str) -> Any:
    from contextlib import nullcontext

    from rich.console import Console

    from job.cli.progress import LogWatcher, TerminalWatcher

    # The bar goes to standard error: where that is a file, what is seen is standard output.
    if log_format != "json" and sys.stdout.isatty() and sys.stderr.isatty():
        return TerminalWatcher(Console(stderr=True))
    return nullcontext(LogWatcher(logs.sink(log_format)))


def _say(log_format: str, message: str) -> None:
    logs.sink(log_format)(logs.event(message))


def _show(board: "Leaderboard", log_format: str) -> None:
    from job.statistics.formats import leaderboard_record

    if logs.wants_json(log_format, sys.stdout):
        logs.sink(log_format)(logs.event(board.verdict, leaderboard=leaderboard_record(board)))
    else:
        print_table(board)


def _who_has_results(done: int, damaged: int) -> str:
    if damaged:
        are = "is" if damaged == 1 else "are"
        return f"{done - damaged} of {done} trials have their results, {damaged} {are} damaged"
    return f"all {done} trials have their results"


def _place_of_index(context: click.Context) -> str:
    if context.get_parameter_source("index") == ParameterSource.COMMANDLINE:
        return "--index"
    return next(name for name in _INDEX_VARIABLES if os.environ.get(name))


def failures_exit_code(failures: list[SweepError]) -> int:
    """Return the exit code of a sweep with failed trials: 1 (try again) where any may yet succeed."""
    return min(failure.exit_code for failure in failures)
