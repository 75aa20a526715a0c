"""The share of the starts that have not solved it, by epoch."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from job.report.reading import Detail, Report
from job.report.sentences import median_of
from job.report.svg.axes import LegendPlace, LogScale, PlotArea, epoch_axis, legend_places, share_axis
from job.report.svg.elements import Drawing, number, polyline, steps, tag, text
from job.report.svg.lines import NAME_HEIGHT, all_slots, name_places, slot, spread_names
from job.statistics.survival import survival_curve
from job.wording import percent

_WIDTH, _HEIGHT = 720, 400
_AREA = PlotArea(left=60, right=700, top=26, bottom=350)


def default_picks(report: Report) -> list[str]:
    """Choose the trials whose survival curves are shown at first.

    The winner, up to two that cannot be told apart from it, and others evenly down the leaderboard; at most six.
    """
    names = [detail.row.trial for detail in report.details]
    ranking = report.board.ranking
    close = [name for name in names if ranking and name in ranking.not_told_apart][:2]
    first = [*names[:1], *(name for name in close if name not in names[:1])]
    others: list[str] = [name for name in names if name not in first]
    count = min(5 - len(first) + 1, len(others))
    at = np.linspace(0, len(others) - 1, count).round().astype(int).tolist()
    picked = {*first, *(others[i] for i in at)}
    return [name for name in names if name in picked]


def draw_survival(report: Report, picked: list[str], *, all_of_them: bool = False) -> Drawing:
    """Draw the share not yet solved by epoch, with its pointwise 95% band.

    Args:
        report: what is known about the run.
        picked: the trials that are shown.
        all_of_them: whether to draw the others, too, but hidden, for the page's script to show.
    """
    scale = LogScale(report.limit, _AREA.left, _AREA.right)
    by_name = {detail.row.trial: detail for detail in report.details}
    shown = {name: position for position, name in enumerate(picked)}
    drawn = by_name if all_of_them else shown
    said = "; ".join(_in_words(by_name[name], report.limit) for name in picked)
    places = [] if all_of_them else legend_places(picked, _AREA.left, _AREA.right)
    return Drawing(
        (
            *share_axis(_AREA, "starts that have not solved it"),
            *epoch_axis(scale, _AREA, "epoch (log scale)"),
            tag("line", x1=_AREA.left, x2=_AREA.right, y1=_AREA.height(0.5), y2=_AREA.height(0.5), class_="half"),
            *(_series(by_name[name], scale, shown.get(name)) for name in by_name if name in drawn),
            _names([by_name[name] for name in by_name if name in drawn], scale, shown),
            *(_legend_entry(at, *entry) for at, entry in enumerate(zip(picked, places, strict=False))),
        ),
        _WIDTH,
        _HEIGHT + (20 * (places[-1].row + 1) if places else 0),
        title=f"Share of the starts that have not solved {report.problem.title}, with 95% bands, by epoch",
        description=f"{said}.",
        class_="survival",
    )


def _in_words(detail: Detail, limit: int) -> str:
    numbers = detail.row.outcome
    never = f"{percent(1 - numbers.share_solved)}% never"
    return f"{detail.row.trial}: median {median_of(numbers, limit)} epochs, {never}"


def _legend_entry(position: int, name: str, place: LegendPlace) -> Markup:
    y = _HEIGHT + place.row * 20.0 + 4
    line = tag("path", d=f"M{number(place.x)} {number(y)}h40", class_="line")
    return tag("g", line, text(place.x + 48, y + 4, name, "tick"), class_=slot(position))


def _series(detail: Detail, scale: LogScale, position: int | None) -> Markup:
    curve = survival_curve(detail.data)
    x = [scale(1), *(scale(at) for at in curve.epochs.tolist())]
    shares = {"share": (1.0, curve.share), "low": (curve.low_before, curve.low), "high": (1.0, curve.high)}
    lines = {
        name: steps(*_thinned(x, [before, *values.tolist()]), until=scale.right)
        for name, (before, values) in shares.items()
    }
    name = detail.row.trial
    band = [*lines["high"], *reversed(lines["low"])]
    return tag(
        "g",
        tag("title", name),
        tag("path", d=polyline(band) + "Z", class_="band"),
        tag("path", d=polyline(lines["share"]), class_="line"),
        class_=f"series {slot(position or 0)}",
        data_trial=name,
        data_words=_in_words(detail, scale.limit),
        hidden="" if position is None else None,
    )


def _names(details: Sequence[Detail], scale: LogScale, shown: Mapping[str, int]) -> Markup:
    """Return the names of the curves, and what the page's script needs to place the names that a reader picks.

    Args:
        details: the trials.
        scale: the epoch axis.
        shown: the position of each trial whose name is shown.
    """
    places = {detail.row.trial: name_places(detail.row.trial, _falls(detail, scale), _AREA) for detail in details}
    chosen = {name: of[shown.get(name, 0) % len(of)] for name, of in places.items()}
    baselines = spread_names({name: chosen[name] for name in shown})
    names = [
        tag(
            "text",
            name,
            x=place.x,
            y=baselines.get(name, place.y),
            text_anchor=place.anchor,
            class_=f"at {slot(shown.get(name, 0))}",
            data_trial=name,
            data_width=place.width,
            data_places=" ".join(f"{number(of.x)},{number(of.y)},{of.anchor}" for of in places[name]),
            hidden=None if name in shown else "",
        )
        for name, place in chosen.items()
    ]
    return tag("g", *names, class_="names", data_slots=",".join(all_slots()), data_name_height=NAME_HEIGHT)


def _falls(detail: Detail, scale: LogScale) -> list[tuple[float, float]]:
    """Return where a trial's curve falls, and to which share."""
    curve = survival_curve(detail.data)
    return list(zip(map(scale, curve.epochs.tolist()), curve.share.tolist(), strict=True))


def _thinned(x: list[float], shares: list[float]) -> tuple[list[float], list[float]]:
    """Return a step function in pixels that keeps only the last of the steps within half a pixel."""
    kept: dict[float, float] = {}
    for at, share in zip(x, shares, strict=True):
        kept[at] = round(2 * _AREA.height(share)) / 2
    return list(kept), list(kept.values())
