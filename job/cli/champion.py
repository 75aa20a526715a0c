"""The commands about the champion, the model in use."""

from typing import TYPE_CHECKING

import click

from job.cli.cluster import of_a_release
from job.cli.options import DEBUG, options, setting
from job.storage import PLACES

if TYPE_CHECKING:
    from job.statistics.champion import Champions


class _ChampionCommands(click.Group):
    """The commands below, each of which also takes a release in the cluster."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return command and of_a_release(command)


@click.group(cls=_ChampionCommands)
def champion() -> None:
    """Show, explain or take back the choice of the model in use.

    \b
    xor-sweep champion show --output gs://bucket/prefix
    xor-sweep champion history --release demo
    xor-sweep champion rollback --release demo --namespace lab
    """


_CHAMPION_OPTIONS = options(
    setting("output", text=f"Where champion.json is: {PLACES}."),
    click.option(
        "--format",
        "text_format",
        type=click.Choice(["text", "json"]),
        default="text",
        envvar="XOR_SWEEP_CHAMPION_FORMAT",
        show_envvar=True,
        show_default=True,
        help="How to print it.",
    ),
    DEBUG,
)


@champion.command()
@_CHAMPION_OPTIONS
def show(output: str | None, text_format: str) -> None:
    """Show the champion: the model in use, and its numbers.

    \b
    xor-sweep champion show --output gs://bucket/prefix --format json
    xor-sweep champion show --release demo
    """
    current = _champions(output).champion
    click.echo(current.model_dump_json(indent=2) if text_format == "json" else f"{current}\n{current.model}")


@champion.command()
@_CHAMPION_OPTIONS
def history(output: str | None, text_format: str) -> None:
    """Show every decision about the champion, the oldest first, and why it was made.

    \b
    xor-sweep champion history --output gs://bucket/prefix
    """
    for past in _champions(output).history:
        line = f"{past.time}  {past.action}: {past.contender}: {past.why}"
        click.echo(past.model_dump_json() if text_format == "json" else line)


@champion.command()
@_CHAMPION_OPTIONS
def rollback(output: str | None, text_format: str) -> None:
    """Make the champion before this one champion again.

    \b
    xor-sweep champion rollback --output gs://bucket/prefix
    """
    from job.statistics.champion import roll_back  # scipy
    from job.storage import open_storage

    decision = roll_back(open_storage(output or "."))
    click.echo(decision.model_dump_json() if text_format == "json" else f"champion again: {decision.contender}")


def _champions(output: str | None) -> "Champions":
    from job.statistics.champion import no_champion, read_champions  # scipy
    from job.storage import open_storage

    storage = open_storage(output or ".")
    found = read_champions(storage)
    if found is None:
        raise no_champion(storage)
    return found
