"""Accuracy by epoch: single starts, and quantiles over all starts."""

from collections.abc import Sequence

from markupsafe import Markup

from job.report.reading import Detail, Report
from job.report.svg.axes import LogScale, PlotArea, epoch_axis, legend_places, share_axis
from job.report.svg.elements import Drawing, number, polyline, steps, tag, text
from job.report.svg.sheet import side_by_side
from job.wording import limit_words, listed

_AREA = PlotArea(left=60, right=640, top=82, bottom=320)


def draw_accuracy_of(report: Report, trials: Sequence[Detail]) -> Drawing:
    """Draw the accuracy of these trials, or of the best trial."""
    shown = trials or report.details[:1]
    drawings = [draw_accuracy(report, detail) for detail in shown]
    return side_by_side(drawings, [detail.row.trial for detail in shown], title="Accuracy by epoch", columns=2)


def draw_accuracy(report: Report, detail: Detail) -> Drawing:
    """Draw accuracy by epoch: each of the first starts alone, and quantiles and mean over all."""
    scale = LogScale(report.limit, _AREA.left, _AREA.right)
    content = [
        *share_axis(_AREA, "accuracy", above=28),
        *epoch_axis(scale, _AREA, "epoch (log scale)"),
    ]
    if detail.history is not None:
        content += _all_starts(detail, scale)
    if detail.networks is not None:
        content += _single_starts(detail, scale)
    content += _accuracy_legend(len(detail.networks.first) if detail.networks else 0)
    return Drawing(
        tuple(content),
        660,
        370,
        title=f"{detail.row.trial}: accuracy by epoch, single starts and all",
        description=start_words(report, detail),
        class_="accuracy",
    )


def _all_starts(detail: Detail, scale: LogScale) -> list[Markup]:
    history = detail.history
    assert history is not None
    x = [scale(at) for at in history.epochs.tolist()]
    until = scale.until(int(history.epochs[-1]))
    low, middle, high, mean = (
        steps(x, [_AREA.height(share) for share in values.tolist()], until)
        for values in (history.low, history.median, history.high, history.mean)
    )
    return [
        tag("path", d=polyline([*high, *reversed(low)]) + "Z", class_="quantiles"),
        tag("path", d=polyline(middle), class_="middle"),
        tag("path", d=polyline(mean), class_="mean"),
    ]


def _single_starts(detail: Detail, scale: LogScale) -> list[Markup]:
    """Draw each start as steps, slightly apart because they share four levels, with a dot on top if it solved."""
    assert detail.networks is not None
    lines, dots = [], []
    starts = detail.networks.first
    for at, start in reversed(list(enumerate(starts))):
        apart = (at - (len(starts) - 1) / 2) * 1.6
        x = [scale(epoch) for epoch in start.epochs]
        y = [_AREA.height(share) + apart for share in start.accuracy]
        kind = "start first" if at == 0 else "start"
        lines.append(tag("path", d=polyline(steps(x, y, scale.until(start.until))), class_=kind))
        if solved := _solved_at(detail, at):
            dot = {"cx": scale(solved), "cy": _AREA.height(1) - 14, "r": 5.0 if at == 0 else 4.0}
            words = tag("title", f"start {at + 1} (seed {start.seed}): solved in epoch {solved}")
            dots.append(tag("circle", words, **dot, class_=f"dot {kind}"))
    return [*lines, *dots]


def has_dots(detail: Detail) -> bool:
    """Return whether any of the single starts that are drawn has solved it."""
    starts = detail.networks.first if detail.networks else []
    return any(_solved_at(detail, at) for at in range(len(starts)))


def _solved_at(detail: Detail, position: int) -> int | None:
    data = detail.data
    return int(data.epochs[position]) if position < data.epochs.size and data.solved[position] else None


def _accuracy_legend(starts: int) -> list[Markup]:
    items = [
        *([("start first", "the first start")] if starts else []),
        *([("start", f"{starts - 1} more")] if starts > 1 else []),
        ("middle", "median of all"),
        ("mean", "mean"),
        ("quantiles", "10% to 90%"),
    ]
    parts = []
    places = legend_places([words for _, words in items], 14)
    for (kind, words), place in zip(items, places, strict=True):
        x, y = place.x, 5 + 20.0 * place.row
        if kind == "quantiles":
            parts.append(tag("rect", x=x, y=y, width=24.0, height=10.0, class_=kind))
        else:
            parts.append(tag("path", d=f"M{number(x)} {number(y + 5)}h24", class_=kind))
        parts.append(text(x + 30, y + 9, words, "tick"))
    return parts


def start_words(report: Report, detail: Detail) -> str:
    """Return why one start misleads, with this trial's own numbers."""
    numbers, limit = detail.row.outcome, report.limit
    first, title = _solved_at(detail, 0), report.problem.title
    own = f"solves {title} in epoch {first}" if first else f"does not solve {title} within {limit_words(limit)}"
    if numbers.replicates == 1:
        return f"The only start {own}."
    if not numbers.solved:
        return f"The first start {own}; none of the {numbers.replicates} starts does."
    if numbers.q10 is None or detail.data.epochs.size < 10:
        do = "does" if numbers.solved == 1 else "do"
        within = f" within {limit}" if first else ""
        return f"The first start {own}; {numbers.solved} of the {numbers.replicates} starts {do}{within}."
    parts = [
        f"one in ten does by epoch {numbers.q10}",
        *([] if numbers.median is None else [f"half by {numbers.median}"]),
        *([] if numbers.q90 is None else [f"nine in ten by {numbers.q90}"]),
    ]
    if unsolved := numbers.replicates - numbers.solved:
        parts.append(f"{unsolved} {'does' if unsolved == 1 else 'do'} not within {limit}")
    return f"The first start {own}. Of all {numbers.replicates} starts, {listed(parts)}.{_end_words(detail, limit)}"


def _end_words(detail: Detail, limit: int) -> str:
    last = limit if detail.history is None else int(detail.history.epochs[-1])
    return "" if last >= limit else f" Training ended in epoch {last}: all starts had solved it."
