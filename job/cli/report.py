"""The commands that write a run's report, or one of its pictures."""

from pathlib import Path
from typing import Any

import click

from job.cli.options import DEBUG, OUTPUT, ValuesType, options
from job.errors import ConfigError, SweepError
from job.report.pictures import PICTURES, draw

OF_TRIALS = ", ".join(picture.kind for picture in PICTURES if picture.of_trials)


class _WithPictures(click.Command):
    """A command whose help lists the pictures."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then each kind of picture and what it shows."""
        super().format_options(ctx, formatter)
        with formatter.section("Pictures"):
            formatter.write_dl([(picture.kind, picture.title) for picture in PICTURES])


@click.command()
@click.argument("run", type=click.Path())
@options(OUTPUT, DEBUG)
def report(run: str, output: str | None) -> None:
    """Write RUN's page and pictures into its report/: one index.html that needs no other file.

    RUN may be unfinished: the page says what is missing. Damaged results are left out, and named.

    \b
    xor-sweep report runs/sweep-f572acc9
    xor-sweep report sweep-f572acc9 --output gs://bucket/prefix
    """
    from job.report.page import write_report  # scipy
    from job.runs.layout import PAGE
    from job.runs.run import find_run

    opened = find_run(run, output or ".")
    found = write_report(opened)
    click.echo(f"{opened.url}/{PAGE}")
    if found.damage:
        raise SweepError(found.damage_words)


@click.command(cls=_WithPictures)
@click.argument("kind", metavar="KIND", type=click.Choice([picture.kind for picture in PICTURES]))
@click.argument("run", type=click.Path())
@click.option(
    "--trials",
    type=ValuesType(),
    envvar="XOR_SWEEP_TRIALS",
    show_envvar=True,
    help=f"The trials to draw, such as l2-n16,l1-n32, for {OF_TRIALS} (default: the picture's own choice).",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="XOR_SWEEP_TO",
    show_envvar=True,
    metavar="FILE",
    help="The SVG file to write, or - for standard output. (default: KIND.svg)",
)
@options(OUTPUT, DEBUG)
def plot(kind: str, run: str, trials: Any, to: Path | None, output: str | None) -> None:
    """Draw one picture of RUN's report as an SVG file.

    Damaged results are left out, and named.

    \b
    xor-sweep plot heatmap runs/sweep-f572acc9
    xor-sweep plot survival runs/sweep-f572acc9 --trials l2-n16,l1-n32 --to survival.svg
    """
    from job.report.reading import read_report  # scipy
    from job.runs.run import find_run

    found = read_report(find_run(run, output or "."))
    _write(draw(found, kind, tuple(map(str, trials or ())), "--trials"), to or Path(f"{kind}.svg"))
    if found.damage:
        raise SweepError(found.damage_words)


def _write(drawn: str, target: Path) -> None:
    if str(target) == "-":
        click.echo(drawn, nl=False)
        return
    try:
        target.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from error
    click.echo(target)
