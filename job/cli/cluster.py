"""The commands for a release in a cluster: follow its sweep, retrain it, and copy its results.

Slow imports wait until a command runs: `--help` imports this module.
"""

import sys
from pathlib import Path

import click

from job import logs
from job.cli.cluster_options import CLUSTER_OUTPUT, ClusterChoice, SweepChoice, option, pass_cluster, pass_sweep
from job.cli.options import DEBUG, LOG_FORMAT


@click.command("driver")
@CLUSTER_OUTPUT
@pass_sweep
@LOG_FORMAT
def driver_command(choice: SweepChoice, output: str | None, log_format: str) -> None:
    """Watch a release's sweep until it ends, then write the run's leaderboard and summary.

    The exit code is 0 once these are written, even if trials failed: report/summary.json says which, and why.

    \b
    xor-sweep driver demo
    """
    from job.signals import StopRequest
    from job.storage import RETRY_SECONDS

    sink = logs.sink(log_format)
    with StopRequest(logs.error_printer(log_format)) as stop, stop.exit_immediately():
        cluster, sweep = choice.find()
        from k8s.commands.driver import drive  # scipy, after bad input

        drive(cluster, sweep, sweep.run(output, retry_seconds=RETRY_SECONDS), sink)


@click.command("retrain")
@option(
    "--job",
    envvar="XOR_SWEEP_JOB",
    help="The Job that runs this command: the new run derives its name and seed from it, and is deleted with it.",
    required=True,
)
@option(
    "--manifest",
    envvar="XOR_SWEEP_MANIFEST",
    help="The manifest of the Job to start, as rendered by the chart; its sweep.yaml is in the same folder.",
    required=True,
    type=click.Path(path_type=Path),
)
@CLUSTER_OUTPUT
@pass_cluster
@DEBUG
@LOG_FORMAT
def retrain_command(choice: ClusterChoice, job: str, manifest: Path, output: str | None, log_format: str) -> None:
    """Start a new run of a sweep with new seeds, and let its winner challenge the champion.

    The chart's CronJob runs this command. Running it again for the same Job continues the same run.

    \b
    kubectl create job demo-now-$(date +%s) --from=cronjob/demo-xor-sweep-retrain
    """
    from job.signals import StopRequest

    sink = logs.sink(log_format)
    with StopRequest(logs.error_printer(log_format)) as stop, stop.exit_immediately():
        cluster = choice.connect()
        from k8s.commands.retrain import retrain_once  # scipy

        retrain_once(cluster, manifest, job, output, sink)


@click.command("status")
@option(
    "--once",
    envvar="XOR_SWEEP_ONCE",
    help="Show all trials once, then exit; this is the default without a terminal.",
    is_flag=True,
)
@option(
    "--format",
    "table_format",
    envvar="XOR_SWEEP_STATUS_FORMAT",
    help="The output format; json is always printed once.",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
@CLUSTER_OUTPUT
@pass_sweep
def status_command(choice: SweepChoice, once: bool, table_format: str, output: str | None) -> None:
    """Show a release's trials: pending (and why), running, done (with the median) or failed (and why).

    \b
    xor-sweep status demo
    xor-sweep status demo --format json
    """
    cluster, sweep = choice.find()
    from k8s.commands.status import Status, snapshot
    from k8s.commands.status_json import json_lines
    from k8s.commands.status_results import SweepResults
    from k8s.commands.status_table import table_lines

    results = SweepResults(cluster, sweep, output)
    if sys.stdout.isatty() and not once and table_format == "table":
        from rich.console import Console

        from k8s.commands.live import show_live_table

        show_live_table(cluster, sweep, results, Console())
        return
    lines = json_lines if table_format == "json" else table_lines
    for line in lines(Status(cluster, sweep, snapshot(cluster, sweep), results)):
        click.echo(line)


@click.command("logs")
@option(
    "--follow",
    "-f",
    envvar="XOR_SWEEP_FOLLOW",
    help="Wait for the trial to start, then print its log until it ends.",
    is_flag=True,
)
@CLUSTER_OUTPUT
@pass_sweep
@click.argument("trial", envvar="XOR_SWEEP_NAME")
@LOG_FORMAT
def logs_command(choice: SweepChoice, trial: str, follow: bool, output: str | None, log_format: str) -> None:
    """Show the log of a trial, given by name or by index in the grid.

    The log comes from the trial's newest pod or, if its pods are gone, from the run.

    \b
    xor-sweep logs demo l2-n16
    xor-sweep logs demo 8 -f
    """
    cluster, sweep = choice.find()
    from k8s.commands.log_lines import parse_log_line
    from k8s.commands.logs import TrialLog, find_trial

    log = TrialLog(cluster, sweep, find_trial(sweep, trial), print_notice)
    as_text = not logs.wants_json(log_format, sys.stdout)
    for line in log.lines(lambda: sweep.run(output), follow=follow):
        click.echo(parse_log_line(line).message if as_text else line)


@click.command("results")
@CLUSTER_OUTPUT
@pass_sweep
@click.argument("folder", type=click.Path(path_type=Path), envvar="XOR_SWEEP_FOLDER")
@LOG_FORMAT
def results_command(choice: SweepChoice, folder: Path, output: str | None, log_format: str) -> None:
    """Copy a release's results into FOLDER: the report, each trial's files, and the sweep.

    If they are on a cluster volume, a temporary pod copies them. If FOLDER already has results of the same run,
    only the missing ones are copied. A run whose Job is gone is still found, as long as the release has any Job or
    CronJob.

    \b
    xor-sweep results demo ./demo
    xor-sweep results demo ./demo-r1 --revision 1
    """
    cluster = choice.cluster.connect()
    from job.signals import unwind_on_signals
    from k8s.commands.export import check_target, export, sibling_folder
    from k8s.release.outputs import find_release_run
    from k8s.release.volume import fetch_run

    stored = find_release_run(cluster, choice.release, choice.revision, choice.run)
    if output or stored.is_readable_here():
        new, total = export(stored.open(output), folder)
    else:
        check_target(folder, stored.name)
        with unwind_on_signals(), sibling_folder(folder) as fetched:
            fetch_run(cluster, stored.output, stored.name, fetched, print_notice)
            new, total = export(stored.open(str(fetched)), folder)
    logs.sink(log_format)(
        logs.event(f"{folder} has {total} trials of {stored.name}, {new} of them new", run=stored.name)
    )


def print_notice(words: str) -> None:
    """Print a notice to standard error while a command waits."""
    click.echo(words, err=True)
