"""The commands for the champion, the model in use."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import click

from job.cli.cluster import print_notice
from job.cli.cluster_options import ClusterChoice, option, pass_cluster
from job.cli.options import DEBUG, setting
from job.storage import PLACES

if TYPE_CHECKING:
    from job.statistics.champion import Champions
    from job.storage.base import Storage
    from k8s.api.client import Cluster
    from k8s.release.outputs import ReleaseOutput


@click.group("champion")
def champion_group() -> None:
    """Show, explain or roll back the choice of the model in use.

    \b
    xor-sweep champion show --output gs://bucket/prefix
    xor-sweep champion history --release demo
    xor-sweep champion rollback --release demo --namespace lab
    """


def _pass_champion_storage(command: "Callable[[Storage, str], None]") -> Callable[..., None]:
    """Add `--format` and the options that locate the champion; pass the format and the champion's storage.

    If that storage is a release's volume, which cannot be reached from here, run the command in a pod instead.
    """

    @setting("output", text=f"Where champion.json is: {PLACES}.")
    @option(
        "--format",
        "text_format",
        type=click.Choice(["text", "json"]),
        default="text",
        envvar="XOR_SWEEP_CHAMPION_FORMAT",
        show_default=True,
        help="The output format.",
    )
    @DEBUG
    @option(
        "--release",
        envvar="XOR_SWEEP_RELEASE",
        help="A release in the cluster whose output holds champion.json; --output overrides it.",
    )
    @pass_cluster
    @wraps(command)
    def run(choice: ClusterChoice, /, output: str | None, text_format: str, release: str | None) -> None:
        if release and not output:
            cluster = choice.connect()
            from k8s.release.outputs import find_release_output

            found = find_release_output(cluster, release)
            if not found.has_readable_champion():
                name = str(click.get_current_context().command.name)
                _run_in_pod(cluster, found, ["champion", name, "--format", text_format])
                return
            output = found.url
        from job.storage import open_storage

        command(open_storage(output or "."), text_format)

    return run


def _run_in_pod(cluster: "Cluster", output: "ReleaseOutput", words: list[str]) -> None:
    from job.signals import unwind_on_signals
    from k8s.release.volume import run_there

    with unwind_on_signals():
        click.echo(run_there(cluster, output, [*words, "--output", output.url], print_notice), nl=False)


@champion_group.command("show")
@_pass_champion_storage
def show_champion(storage: "Storage", text_format: str) -> None:
    """Show the champion: the model in use, and its numbers.

    \b
    xor-sweep champion show --output gs://bucket/prefix --format json
    xor-sweep champion show --release demo
    """
    current = _champions(storage).champion
    click.echo(current.model_dump_json(indent=2) if text_format == "json" else f"{current}\n{current.model}")


@champion_group.command("history")
@_pass_champion_storage
def show_history(storage: "Storage", text_format: str) -> None:
    """Show every decision about the champion, oldest first, and why it was made.

    \b
    xor-sweep champion history --output gs://bucket/prefix
    """
    for past in _champions(storage).history:
        line = f"{past.time}  {past.action}: {past.contender}: {past.why}"
        click.echo(past.model_dump_json() if text_format == "json" else line)


@champion_group.command("rollback")
@_pass_champion_storage
def roll_back_champion(storage: "Storage", text_format: str) -> None:
    """Make the previous champion the champion again.

    \b
    xor-sweep champion rollback --output gs://bucket/prefix
    """
    from job.statistics.champion import roll_back  # scipy

    decision = roll_back(storage)
    click.echo(decision.model_dump_json() if text_format == "json" else f"champion again: {decision.contender}")


def _champions(storage: "Storage") -> "Champions":
    from job.statistics.champion import no_champion, read_champions  # scipy

    found = read_champions(storage)
    if found is None:
        raise no_champion(storage)
    return found
