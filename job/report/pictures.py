"""Every picture of the report by its kind, each as an SVG file that stands alone."""

from collections.abc import Callable, Sequence
from importlib.resources import files

from markupsafe import Markup

from job.errors import ConfigError, SweepError
from job.report.reading import Detail, Report
from job.report.svg import bars, curves, heatmap, marks, networks

MOST_PANELS = 24
"""The most trials, one beside the other, of a picture that draws each by itself."""

_GAP, _HEAD = 28.0, 26.0


def _heatmap(metric: str) -> Callable[[Report, Sequence[Detail] | None], marks.Picture]:
    def draw(report: Report, _: Sequence[Detail] | None) -> marks.Picture:
        shown, _left_out = heatmap.panels(report)
        pictures = [heatmap.draw_panel(report, panel, metric) for panel in shown]
        names = [panel.name for panel in shown]
        if scale := heatmap.draw_scale(report, metric):
            pictures.append(scale)
            names.append(heatmap.METRICS[metric])
        return _beside(pictures, names, title="The grid")

    return draw


def _survival(report: Report, wanted: Sequence[Detail] | None) -> marks.Picture:
    picked = [detail.row.trial for detail in wanted] if wanted else curves.default_picks(report)
    return curves.draw_survival(report, picked)


def _accuracy(report: Report, wanted: Sequence[Detail] | None) -> marks.Picture:
    shown = wanted or report.details[:1]
    pictures = [curves.draw_accuracy(report, detail) for detail in shown]
    return _beside(pictures, [detail.row.trial for detail in shown], title="Accuracy by epoch", columns=2)


def _boundary(report: Report, wanted: Sequence[Detail] | None) -> marks.Picture:
    shown = wanted or report.details
    drawn = [(detail.row.trial, picture) for detail in shown if (picture := networks.draw_chosen(detail))]
    drawn = drawn if wanted else drawn[:MOST_PANELS]
    return _beside([picture for _, picture in drawn], [name for name, _ in drawn], title="Decision boundaries")


def _network(report: Report, wanted: Sequence[Detail] | None) -> marks.Picture:
    shown = wanted or report.details[:1]
    drawn = [(detail.row.trial, picture) for detail in shown if (picture := networks.draw_network(detail))]
    return _beside([picture for _, picture in drawn], [name for name, _ in drawn], title="Networks", columns=1)


def _unsolved(report: Report, wanted: Sequence[Detail] | None) -> marks.Picture:
    drawn = networks.failures(wanted) if wanted else networks.failures(report.details, networks.MOST_FAILURES)
    words = [f"{item.trial}: {item.count} of {item.unsolved}" for item in drawn]
    return _beside([item.picture for item in drawn], words, title="Starts that never solved XOR")


def _activations(report: Report, _: Sequence[Detail] | None) -> marks.Picture:
    drawn = networks.draw_activations(report)
    return _beside(drawn, [""] * len(drawn), title="Activations")


def _intervals(report: Report, _: Sequence[Detail] | None) -> marks.Picture:
    return bars.draw_intervals(report)


def _times(report: Report, _: Sequence[Detail] | None) -> marks.Picture:
    return bars.draw_times(report) or _beside([], [], title="Where the time went")


KINDS: dict[str, Callable[[Report, Sequence[Detail] | None], marks.Picture]] = {
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
        "boundary": networks.why_not_known(detail),
        "network": networks.why_not_drawn(detail),
        "unsolved": networks.why_not_known(detail),
    }.get(kind)
    return f"{detail.row.trial} cannot be drawn for '{kind}': {why}" if why else None


def _why_nothing(report: Report, kind: str, wanted: Sequence[Detail]) -> str:
    """Say why there is nothing, where that is not for want of results."""
    shown = wanted or report.details
    if kind == "network" and shown:
        return f": {shown[0].row.trial} is the first, and {networks.why_not_drawn(shown[0])}"
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


def as_file(picture: marks.Picture) -> str:
    """Return a picture as an SVG file's text."""
    # A style sheet is no markup: nothing of it comes from a file of a run.
    return f"{picture.element(Markup('<style>{}</style>').format(Markup(style())))}\n"  # noqa: S704


def _beside(
    pictures: Sequence[marks.Picture], names: Sequence[str], *, title: str, columns: int = 0
) -> marks.Picture:
    """Put pictures beside and below each other, each under its name, into one."""
    if not pictures:
        return marks.Picture((), 0, 0, title, "", "sheet")
    wide = max(max(picture.width, 7.5 * len(name)) for picture, name in zip(pictures, names, strict=True))
    columns = min(columns or max(1, int(1000 // (wide + _GAP))), len(pictures))
    content: list[Markup] = []
    y, widest = 0.0, 0.0
    for start in range(0, len(pictures), columns):
        x = 0.0
        row = list(zip(pictures, names, strict=True))[start : start + columns]
        for picture, name in row:
            content.append(marks.text(x + 2, y + 16, name, "name"))
            inner = picture.element()
            content.append(
                marks.tag("g", inner, transform=f"translate({marks.number(x)} {marks.number(y + _HEAD)})")
            )
            x += wide + _GAP
        widest = max(widest, x - _GAP)
        y += max(picture.height for picture, _ in row) + _HEAD + 14
    description = ". ".join(f"{name}: {picture.description}" for picture, name in zip(pictures, names, strict=True))
    return marks.Picture(tuple(content), widest, y - 14, title, description, "sheet")
