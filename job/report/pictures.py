"""Every kind of picture in the report, in one list: for the page, the SVG files, `plot` and its help.

The list itself imports nothing slow, because `xor-sweep --help` needs it: each picture's module is imported when
the picture is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from job.errors import ConfigError, NothingToDrawError
from job.wording import listed

if TYPE_CHECKING:
    from job.report.reading import Detail, Report
    from job.report.svg.elements import Drawing

MOST_SUGGESTED = 10
"""An error names at most this many trials that can be drawn."""


@dataclass(frozen=True)
class Picture:
    """One kind of picture."""

    kind: str
    """Its name, for `plot` and for its SVG file."""
    title: str
    """What it shows, as a heading."""
    draw: "Callable[[Report, Sequence[Detail]], Drawing]"
    """Draws it from a report, for the given trials or, if there are none, for its own choice.

    It raises NothingToDrawError if there is nothing to draw, or if a named trial cannot be drawn.
    """
    of_trials: bool = False
    """Whether it draws trials one by one, so that a reader can choose which."""
    needs_results: bool = True
    """Whether it needs a trial with a result."""
    in_template: bool = False
    """Whether page.html.jinja has a place for it; every other picture gets a section of its own on the page."""


def _heatmap(report: "Report", _: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.heatmap import draw_heatmap
    from job.report.svg.heatmap_cells import MEDIAN_METRIC

    return draw_heatmap(report, MEDIAN_METRIC)


def _heatmap_solved(report: "Report", _: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.heatmap import draw_heatmap
    from job.report.svg.heatmap_cells import SOLVED_METRIC

    return draw_heatmap(report, SOLVED_METRIC)


def _intervals(report: "Report", _: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.intervals import draw_intervals

    return draw_intervals(report)


def _survival(report: "Report", trials: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.survival import default_picks, draw_survival

    return draw_survival(report, [detail.row.trial for detail in trials] or default_picks(report))


def _accuracy(report: "Report", trials: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.accuracy import draw_accuracy_of

    return draw_accuracy_of(report, trials)


def _boundary(report: "Report", trials: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.boundary import draw_boundaries

    return draw_boundaries(report, trials)


def _unsolved(report: "Report", trials: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.unsolved import draw_unsolved

    return draw_unsolved(report, trials)


def _network(report: "Report", trials: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.network import draw_networks

    return draw_networks(report, trials)


def _activations(report: "Report", _: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.activations import draw_activations

    return draw_activations(report)


def _times(report: "Report", _: "Sequence[Detail]") -> "Drawing":
    from job.report.svg.times import draw_times

    return draw_times(report)


PICTURES = (
    Picture("heatmap", "The grid: median epochs to solve", _heatmap, in_template=True),
    Picture("heatmap-solved", "The grid: share of the starts that solve it", _heatmap_solved, in_template=True),
    Picture("intervals", "Medians with their intervals, best first", _intervals, in_template=True),
    Picture("survival", "Starts still unsolved, epoch by epoch", _survival, of_trials=True, in_template=True),
    Picture("accuracy", "Accuracy by epoch", _accuracy, of_trials=True, in_template=True),
    Picture("boundary", "Decision boundaries", _boundary, of_trials=True, in_template=True),
    Picture("unsolved", "Starts that never solved it", _unsolved, of_trials=True, in_template=True),
    Picture("network", "Networks with their weights", _network, of_trials=True, in_template=True),
    Picture("activations", "The activations in use", _activations, needs_results=False, in_template=True),
    Picture("times", "Where the time went", _times),
)
"""Every kind of picture, in the order of the page."""


def draw(report: "Report", kind: str, trials: Sequence[str] = (), where: str = "trials") -> str:
    """Draw one picture.

    Args:
        report: what is known about the run.
        kind: the kind of one of `PICTURES`.
        trials: the names of the trials to draw, if the picture draws trials one by one; empty for its own choice.
        where: what a person calls the place of these names, such as `--trials`.

    Returns:
        The text of an SVG file, with its style for light and dark mode.

    Raises:
        ConfigError: one of the trials cannot be drawn by itself, or the picture shows the whole run.
        NothingToDrawError: the run has nothing of this kind to draw; the message says why.
    """
    (picture,) = (picture for picture in PICTURES if picture.kind == kind)
    if trials and not picture.of_trials:
        choosing = listed([picture.kind for picture in PICTURES if picture.of_trials])
        raise ConfigError(f"{where}: '{kind}' shows the whole run; trials can be chosen for {choosing}")
    by_name = {detail.row.trial: detail for detail in report.details}
    if unknown := [name for name in trials if name not in by_name]:
        known = listed([*by_name], MOST_SUGGESTED)
        raise ConfigError(f"{where}: '{unknown[0]}' has no result that can be drawn; those that have one: {known}")
    try:
        return as_file(drawing_of(report, picture, [by_name[name] for name in trials]))
    except NothingToDrawError as error:
        raise NothingToDrawError(f"{report.run.url} has nothing to draw for '{kind}': {error}") from None


def drawing_of(report: "Report", picture: Picture, trials: "Sequence[Detail]" = ()) -> "Drawing":
    """Return a picture of a report, as the page shows it.

    Raises:
        NothingToDrawError: there is nothing to draw; the message says why.
    """
    if picture.needs_results and not report.details:
        raise NothingToDrawError("no trial has a result")
    return picture.draw(report, trials)


def drawable(report: "Report") -> dict[str, str]:
    """Return the text of the SVG file of every picture that has something to draw, by its kind."""
    drawn = {}
    for picture in PICTURES:
        try:
            drawn[picture.kind] = as_file(drawing_of(report, picture))
        except NothingToDrawError:
            continue
    return drawn


def style() -> str:
    """Return the style sheet of the pictures."""
    from job.report.svg.lines import line_styles

    return files("job.report").joinpath("plot.css").read_text(encoding="utf-8") + line_styles()


def as_file(drawing: "Drawing") -> str:
    """Return a drawing as the text of an SVG file."""
    from markupsafe import Markup

    # A style sheet is not escaped: nothing in it comes from a run's files.
    return f"{drawing.element(Markup('<style>{}</style>').format(Markup(style())))}\n"  # noqa: S704
