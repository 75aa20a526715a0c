"""The commands that talk to a cluster; `job.cli.main` finds them by their entry point.

Nothing that takes long to import is imported before a command runs: `--help` imports this module.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from job import logs
from job.cli.cluster_options import CHAMPION_OF, CLUSTER, OUTPUT, RELEASE, SWEEP, option
from job.cli.options import LOG_FORMAT

if TYPE_CHECKING:
    from k8s.api.client import Cluster
    from k8s.release.outputs import ReleaseOutput
    from k8s.release.sweeps import ReleaseSweep


@click.command()
@RELEASE
@OUTPUT
@SWEEP
@LOG_FORMAT
def driver(release: str, output: str | None, log_format: str, **where: Any) -> None:
    """Watch a release's sweep to its end, then write the run's leaderboard and summary.

    It ends with 0 when these are written, also where trials failed: report/summary.json says which, and why.

    \b
    xor-sweep driver demo
    """
    from job.signals import StopRequest
    from job.storage import RETRY_SECONDS

    sink = logs.sink(log_format)
    with StopRequest(logs.error_printer(log_format)) as stop, stop.exit_immediately():
        cluster, sweep = _sweep(release, **where)
        from k8s.commands.driver import drive  # scipy, after bad input

        drive(cluster, sweep, sweep.run(output, retry_seconds=RETRY_SECONDS), sink)


@click.command()
@option(
    "--job",
    envvar="XOR_SWEEP_JOB",
    help="The Job that this is: the new run gets its name and its seed from it, and goes when it goes.",
    required=True,
)
@option(
    "--manifest",
    envvar="XOR_SWEEP_MANIFEST",
    help="The Job to start, as the chart rendered it, beside its sweep.yaml.",
    required=True,
    type=click.Path(path_type=Path),
)
@OUTPUT
@CLUSTER
@LOG_FORMAT
def retrain(job: str, manifest: Path, output: str | None, log_format: str, **where: Any) -> None:
    """Start a new run of a sweep from new seeds, and let its winner challenge the champion.

    The chart's CronJob runs it. Run again for the same Job, it goes on with the same run.

    \b
    kubectl create job demo-now-$(date +%s) --from=cronjob/demo-xor-sweep-retrain
    """
    from job.signals import StopRequest

    sink = logs.sink(log_format)
    with StopRequest(logs.error_printer(log_format)) as stop, stop.exit_immediately():
        cluster = _cluster(**where)
        from k8s.commands.retrain import retrain_once  # scipy

        retrain_once(cluster, manifest, job, output, sink)


@click.command()
@RELEASE
@option(
    "--once",
    envvar="XOR_SWEEP_ONCE",
    help="Show all trials once, and end; without a terminal it is always so.",
    is_flag=True,
)
@option(
    "--format",
    "table_format",
    envvar="XOR_SWEEP_STATUS_FORMAT",
    help="How to print it; json is always once.",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
@OUTPUT
@SWEEP
def status(release: str, once: bool, table_format: str, output: str | None, **where: Any) -> None:
    """Show a release's trials: pending and why, running, done with its median, failed and why.

    \b
    xor-sweep status demo
    xor-sweep status demo --format json
    """
    cluster, sweep = _sweep(release, **where)
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
@RELEASE
@click.argument("trial", envvar="XOR_SWEEP_NAME")
@option(
    *("--follow", "-f"),
    envvar="XOR_SWEEP_FOLLOW",
    help="Wait for the trial to begin, and for further lines until it ends.",
    is_flag=True,
)
@OUTPUT
@SWEEP
@LOG_FORMAT
def show_logs(release: str, trial: str, follow: bool, output: str | None, log_format: str, **where: Any) -> None:
    """Show the log of a trial, given by its name or its index in the grid.

    It is that of the trial's newest pod; where its pods are gone, the one that the run has stored.

    \b
    xor-sweep logs demo l2-n16
    xor-sweep logs demo 8 -f
    """
    cluster, sweep = _sweep(release, **where)
    from k8s.commands.log_lines import parse_log_line
    from k8s.commands.logs import TrialLog, find_trial

    log = TrialLog(cluster, sweep, find_trial(sweep, trial), _notify)
    words = not logs.wants_json(log_format, sys.stdout)
    for line in log.lines(lambda: sweep.run(output), follow=follow):
        click.echo(parse_log_line(line).message if words else line)


@click.command()
@RELEASE
@click.argument("folder", type=click.Path(path_type=Path), envvar="XOR_SWEEP_FOLDER")
@OUTPUT
@SWEEP
@LOG_FORMAT
def results(
    release: str,
    folder: Path,
    output: str | None,
    log_format: str,
    revision: int | None,
    run: str | None,
    **where: Any,
) -> None:
    """Copy a release's results into FOLDER: the report, each trial's files, and the sweep.

    From a volume of the cluster they come through a pod that lives as long as that takes. Into a folder that
    has results of the same run come those that it lacks. A run whose Job is gone is found, too, as long as there
    is any Job or CronJob of the release.

    \b
    xor-sweep results demo ./demo
    xor-sweep results demo ./demo-r1 --revision 1
    """
    cluster = _cluster(**where)
    from job.signals import unwind_on_signals
    from k8s.commands.export import check_target, export, sibling_folder
    from k8s.release.outputs import find_release_run
    from k8s.release.volume import fetch_run

    stored = find_release_run(cluster, release, revision, run)
    if output or stored.is_readable_here():
        new, total = export(stored.open(output), folder)
    else:
        check_target(folder, stored.name)
        with unwind_on_signals(), sibling_folder(folder) as fetched:
            fetch_run(cluster, stored.output, stored.name, fetched, _notify)
            new, total = export(stored.open(str(fetched)), folder)
    logs.sink(log_format)(
        logs.event(f"{folder} has {total} trials of {stored.name}, {new} of them new", run=stored.name)
    )


commands: list[click.Command] = [driver, retrain, status, show_logs, results]


def of_a_release(command: click.Command) -> click.Command:
    """Return a command about the champion that also takes a release, whose output may be on a volume."""

    @click.command(command.name, help=command.help)
    @CHAMPION_OF
    def run(release: str | None, output: str | None, **rest: Any) -> None:
        where = {name: rest.pop(name) for name in ("namespace", "context", "kubeconfig")}
        if release and not output:
            cluster = _cluster(**where)
            from k8s.release.outputs import find_release_output

            found = find_release_output(cluster, release)
            if not found.has_readable_champion():
                _run_there(cluster, found, ["champion", str(command.name), "--format", rest["text_format"]])
                return
            output = found.url
        click.get_current_context().invoke(command, output=output, **rest)

    run.params = [*command.params, *run.params]
    return run


def _run_there(cluster: "Cluster", output: "ReleaseOutput", command: list[str]) -> None:
    from job.signals import unwind_on_signals
    from k8s.release.volume import run_there

    with unwind_on_signals():
        click.echo(run_there(cluster, output, [*command, "--output", output.url], _notify), nl=False)


def _notify(words: str) -> None:
    click.echo(words, err=True)


def _sweep(release: str, *, revision: int | None, run: str | None, **where: Any) -> "tuple[Cluster, ReleaseSweep]":
    """Find the cluster and in it the release's sweep."""
    cluster = _cluster(**where)
    from k8s.release.sweeps import find_sweep

    return cluster, find_sweep(cluster, release, revision, run)


def _cluster(*, namespace: str | None, context: str | None, kubeconfig: str | None) -> "Cluster":
    from k8s.api.connect import connect  # half a second

    return connect(kubeconfig, context, namespace)
