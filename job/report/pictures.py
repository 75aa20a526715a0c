"""Every picture of the report by its kind, each as an SVG file that stands alone."""

from collections.abc import Callable, Sequence
from importlib.resources import files

from markupsafe import Markup

from job.errors import ConfigError, SweepError
from job.report import sentences as words
from job.report.reading import Detail, Report
from job.report.svg import (
    accuracy,
    activations,
    boundary,
    elements,
    heatmap,
    intervals,
    network,
    survival,
    times,
    unsolved,
)
from job.report.svg.sheet import beside

MOST_PANELS = 24
"""The most trials, one beside the other, of a picture that draws each by itself."""


def _heatmap(metric: str) -> Callable[[Report, Sequence[Detail] | None], elements.Drawing]:
    def draw(report: Report, _: Sequence[Detail] | None) -> elements.Drawing:
        shown, _left_out = heatmap.panels(report)
        pictures = [heatmap.draw_panel(report, panel, metric) for panel in shown]
        names = [panel.name for panel in shown]
        if scale := heatmap.draw_scale(report, metric):
            pictures.append(scale)
            names.append(heatmap.METRICS[metric])
        return beside(pictures, names, title="The grid")

    return draw


def _survival(report: Report, wanted: Sequence[Detail] | None) -> elements.Drawing:
    picked = [detail.row.trial for detail in wanted] if wanted else survival.default_picks(report)
    return survival.draw_survival(report, picked)


def _accuracy(report: Report, wanted: Sequence[Detail] | None) -> elements.Drawing:
    shown = wanted or report.details[:1]
    pictures = [accuracy.draw_accuracy(report, detail) for detail in shown]
    return beside(pictures, [detail.row.trial for detail in shown], title="Accuracy by epoch", columns=2)


def _boundary(report: Report, wanted: Sequence[Detail] | None) -> elements.Drawing:
    shown = wanted or report.details
    drawn = [(detail.row.trial, picture) for detail in shown if (picture := boundary.draw_chosen(detail))]
    drawn = drawn if wanted else drawn[:MOST_PANELS]
    return beside([picture for _, picture in drawn], [name for name, _ in drawn], title="Decision boundaries")


def _network(report: Report, wanted: Sequence[Detail] | None) -> elements.Drawing:
    shown = wanted or report.details[:1]
    drawn = [(detail.row.trial, picture) for detail in shown if (picture := network.draw_network(detail))]
    return beside([picture for _, picture in drawn], [name for name, _ in drawn], title="Networks", columns=1)


def _unsolved(report: Report, wanted: Sequence[Detail] | None) -> elements.Drawing:
    drawn = unsolved.failures(wanted) if wanted else unsolved.failures(report.details, unsolved.MOST_FAILURES)
    words = [f"{item.trial}: {item.count} of {item.unsolved}" for item in drawn]
    return beside([item.picture for item in drawn], words, title="Starts that never solved XOR")


def _activations(report: Report, _: Sequence[Detail] | None) -> elements.Drawing:
    drawn = activations.draw_activations(report)
    return beside(drawn, [""] * len(drawn), title="Activations")


def _intervals(report: Report, _: Sequence[Detail] | None) -> elements.Drawing:
    return intervals.draw_intervals(report)


def _times(report: Report, _: Sequence[Detail] | None) -> elements.Drawing:
    return times.draw_times(report) or beside([], [], title="Where the time went")


KINDS: dict[str, Callable[[Report, Sequence[Detail] | None], elements.Drawing]] = {
    "heatmap": _heatmap(heatmap.MEDIAN),
    "heatmap-solved": _heatmap(heatmap.SOLVED),
    "intervals": _intervals,
    "survival": _survival,
    "accuracy": _accuracy,
    "boundary": _boundary,
    "unsolved": _unsolved,
    "network": _network,
    "activations": _activations,
    "times": _times,
}
"""Each kind of picture, and what draws it: of the report, and of certain trials where these are named."""


def draw(report: Report, kind: str, trials: Sequence[str] = ()) -> str:
    """Draw one picture.

    Args:
        report: what is known of the run.
        kind: one of `KINDS`.
        trials: the trials to draw, where the kind draws trials; empty for its own choice.

    Returns:
        An SVG file's text; it holds its style, for light and dark.

    Raises:
        ConfigError: a trial is not one that is drawn by itself.
        SweepError: the run has nothing of this kind to draw.
    """
    by_name = {detail.row.trial: detail for detail in report.details}
    if unknown := [name for name in trials if name not in by_name]:
        known = ", ".join([*by_name][:10]) or "none"
        raise ConfigError(f"--trials: '{unknown[0]}' has no result that can be drawn; those that have: {known}")
    wanted = [by_name[name] for name in trials]
    if why := next((why for detail in wanted if (why := _why_not(kind, detail))), None):
        raise SweepError(why)
    picture = KINDS[kind](report, wanted or None)
    if not picture.content or (not report.details and kind != "activations"):
        raise SweepError(f"{report.run.url} has nothing to draw for '{kind}'{_why_nothing(report, kind, wanted)}")
    return as_file(picture)


def _why_not(kind: str, detail: Detail) -> str | None:
    """Say why a trial that was named cannot be drawn; None where it can."""
    why = {
        "boundary": words.why_not_known(detail),
        "network": network.why_not_drawn(detail),
        "unsolved": words.why_not_known(detail),
    }.get(kind)
    return f"{detail.row.trial} cannot be drawn for '{kind}': {why}" if why else None


def _why_nothing(report: Report, kind: str, wanted: Sequence[Detail]) -> str:
    """Say why there is nothing, where that is not for want of results."""
    shown = wanted or report.details
    if kind == "network" and shown:
        return f": {shown[0].row.trial} is the first, and {network.why_not_drawn(shown[0])}"
    solved = all(detail.row.outcome.solved == detail.row.outcome.replicates for detail in shown)
    return ": every start solved it" if kind == "unsolved" and shown and solved else ""


def drawable(report: Report) -> dict[str, str]:
    """Return the SVG file's text of every kind that has something to draw."""
    drawn = {}
    for kind in KINDS:
        try:
            drawn[kind] = draw(report, kind)
        except SweepError:
            continue
    return drawn


def style() -> str:
    """Return the style sheet of the pictures."""
    return files("job.report").joinpath("plot.css").read_text(encoding="utf-8")


def as_file(picture: elements.Drawing) -> str:
    """Return a picture as an SVG file's text."""
    # A style sheet is no markup: nothing of it comes from a file of a run.
    return f"{picture.element(Markup('<style>{}</style>').format(Markup(style())))}\n"  # noqa: S704
