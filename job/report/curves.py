"""Curves by epoch: the share that has not solved, and accuracy of single starts beside all of them."""

from collections.abc import Callable

import numpy as np
from markupsafe import Markup

from job.leaderboard import epoch
from job.report import marks
from job.report.reading import Detail, Report
from job.report.words import median_words
from job.survival import unsolved_share

Height = Callable[[float], float]

COLOURS, DASHES = 7, 6
"""So many colours and kinds of dashes tell lines apart; together 42, as no number divides both."""

NAMED_AT = (0.1, 0.26, 0.42, 0.58, 0.74, 0.9)
"""At which share a curve has its name, by its kind of dashes: the first, which is the soonest, lowest."""

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 700, 26, 350


def slot(position: int) -> str:
    """Return the classes that give the line at this position its colour and dashes; neighbours differ in both."""
    return f"s{position % COLOURS} d{position % DASHES}"


def default_picks(report: Report) -> list[str]:
    """Choose the trials whose survival curves are shown first.

    The winner, up to two that cannot be told apart from it, and up to four others evenly down the leaderboard.
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


def draw_survival(report: Report, picked: list[str], *, all_of_them: bool = False) -> marks.Picture:
    """Draw the share not yet solved by epoch, with its pointwise 95 % band.

    Args:
        report: what is known of the run.
        picked: the trials that are shown.
        all_of_them: draw the others, too, hidden, for the page's script to show.
    """
    scale = marks.LogScale(report.limit, _LEFT, _RIGHT)
    by_name = {detail.row.trial: detail for detail in report.details}
    shown = [name for name in by_name if all_of_them or name in picked]
    series = [
        _survival(by_name[name], scale, picked.index(name) if name in picked else None, legend=not all_of_them)
        for name in shown
    ]
    names = [_name(by_name[name], scale, picked.index(name) if name in picked else None) for name in shown]
    said = "; ".join(_in_words(by_name[name], report.limit) for name in picked)
    rows = 0 if all_of_them else len(picked)
    height = _HEIGHT + (rows + 2) // 3 * 20
    return marks.Picture(
        (
            *marks.share_axis(_LEFT, _RIGHT, _TOP, _BOTTOM, "starts that have not solved it"),
            *marks.epoch_axis(scale, _TOP, _BOTTOM, "epoch (log scale)"),
            marks.tag("line", x1=_LEFT, x2=_RIGHT, y1=_middle(), y2=_middle(), class_="half"),
            *series,
            *names,
        ),
        _WIDTH,
        height,
        title="Share of the starts that have not solved XOR, by epoch",
        description=f"With 95 % bands. {said}.",
        class_="survival",
    )


def _in_words(detail: Detail, limit: int) -> str:
    numbers = detail.row.outcome
    never = f"{100 * (1 - numbers.share_solved):.1f} % never"
    return f"{detail.row.trial}: half solved by epoch {median_words(numbers, limit)}, {never}"


def _middle() -> float:
    return (_TOP + _BOTTOM) / 2


def _survival(detail: Detail, scale: marks.LogScale, position: int | None, *, legend: bool) -> Markup:
    curve = unsolved_share(detail.data)
    x = [scale(1), *(scale(at) for at in curve.epochs.tolist())]
    shares = {"share": (1.0, curve.share), "low": (curve.low_before, curve.low), "high": (1.0, curve.high)}
    lines = {
        name: marks.steps(*_thinned(x, [before, *values.tolist()]), until=scale(scale.limit))
        for name, (before, values) in shares.items()
    }
    name = detail.row.trial
    band = [*lines["high"], *reversed(lines["low"])]
    marked = []
    if legend and position is not None:
        column, row = position % 3, position // 3
        left, y = _LEFT + column * 210.0, _HEIGHT + row * 20.0 + 4
        marked = [
            marks.tag("path", d=f"M{marks.number(left)} {marks.number(y)}h40", class_="line"),
            marks.text(left + 48, y + 4, name, "tick"),
        ]
    return marks.tag(
        "g",
        marks.tag("title", name),
        marks.tag("path", d=marks.polyline(band) + "Z", class_="band"),
        marks.tag("path", d=marks.polyline(lines["share"]), class_="line"),
        *marked,
        class_=f"series {slot(position or 0)}",
        data_trial=name,
        data_words=_in_words(detail, scale.limit),
        hidden="" if position is None else None,
    )


def _name(detail: Detail, scale: marks.LogScale, position: int | None) -> Markup:
    """Return a trial's name at its curve; it also says where it belongs should the curve get other dashes."""
    name = detail.row.trial
    curve = unsolved_share(detail.data)
    falls = list(zip(map(scale, curve.epochs.tolist()), curve.share.tolist(), strict=True))
    places = [_name_place(falls, share, 7.0 * len(name), left=share < 0.5) for share in NAMED_AT]
    x, y = places[(position or 0) % DASHES]
    return marks.tag(
        "text",
        name,
        x=x,
        y=y,
        class_=f"at {slot(position or 0)}",
        data_trial=name,
        data_places=" ".join(f"{marks.number(x)},{marks.number(y)}" for x, y in places),
        hidden="" if position is None else None,
    )


def _name_place(falls: list[tuple[float, float]], share: float, width: float, *, left: bool) -> tuple[float, float]:
    """Return where a name begins, or ends if it is left of its curve: at this share, else above the curve's end."""
    most = _RIGHT if left else _RIGHT - width
    fallen = next((x for x, unsolved in falls if unsolved <= share), None)
    if fallen is None:
        return most, _BOTTOM - (_BOTTOM - _TOP) * (falls[-1][1] if falls else 1) - 7
    height = _BOTTOM - (_BOTTOM - _TOP) * share + 4
    return (max(fallen - 7, _LEFT + width) if left else min(fallen + 7, most)), height


def _thinned(x: list[float], shares: list[float]) -> tuple[list[float], list[float]]:
    """Return a step function in pixels; of the steps within half a pixel only the last is left."""
    kept: dict[float, float] = {}
    for at, share in zip(x, shares, strict=True):
        kept[at] = round(2 * (_BOTTOM - (_BOTTOM - _TOP) * share)) / 2
    return list(kept), list(kept.values())


def draw_accuracy(report: Report, detail: Detail) -> marks.Picture:
    """Draw accuracy by epoch: each of the first starts by itself, and quantiles and mean over all."""
    left, right, top, bottom = 60, 640, 82, 320
    scale = marks.LogScale(report.limit, left, right)

    def height(share: float) -> float:
        return bottom - (bottom - top) * share

    content = [
        *marks.share_axis(left, right, top, bottom, "accuracy", above=28),
        *marks.epoch_axis(scale, top, bottom, "epoch (log scale)"),
    ]
    if detail.history is not None:
        content += _all_starts(detail, scale, height)
    if detail.networks is not None:
        content += _single_starts(detail, scale, height)
    content += _accuracy_legend(len(detail.networks.first) if detail.networks else 0)
    return marks.Picture(
        tuple(content),
        660,
        370,
        title=f"{detail.row.trial}: accuracy by epoch, single starts and all",
        description=start_words(report, detail),
        class_="accuracy",
    )


def _all_starts(detail: Detail, scale: marks.LogScale, height: Height) -> list[Markup]:
    history = detail.history
    assert history is not None
    x = [scale(at) for at in history.epochs.tolist()]
    until = x[-1]
    low, middle, high, mean = (
        marks.steps(x, [height(share) for share in values.tolist()], until)
        for values in (history.low, history.median, history.high, history.mean)
    )
    return [
        marks.tag("path", d=marks.polyline([*high, *reversed(low)]) + "Z", class_="quantiles"),
        marks.tag("path", d=marks.polyline(middle), class_="middle"),
        marks.tag("path", d=marks.polyline(mean), class_="mean"),
    ]


def _single_starts(detail: Detail, scale: marks.LogScale, height: Height) -> list[Markup]:
    """Draw each start as steps, a little apart, as they share four levels; a dot on top where it solved."""
    assert detail.networks is not None
    lines, dots = [], []
    starts = detail.networks.first
    for at, start in reversed(list(enumerate(starts))):
        apart = (at - (len(starts) - 1) / 2) * 1.6
        x = [scale(epoch) for epoch in start.epochs]
        y = [height(share) + apart for share in start.accuracy]
        kind = "start first" if at == 0 else "start"
        lines.append(marks.tag("path", d=marks.polyline(marks.steps(x, y, scale(start.until))), class_=kind))
        if solved := _solved_at(detail, at):
            dot = {"cx": scale(solved), "cy": height(1) - 14, "r": 5.0 if at == 0 else 4.0}
            words = marks.tag("title", f"start {at + 1} (seed {start.seed}): solved in epoch {solved}")
            dots.append(marks.tag("circle", words, **dot, class_=f"dot {kind}"))
    return [*lines, *dots]


def _solved_at(detail: Detail, position: int) -> int | None:
    data = detail.data
    return int(data.epochs[position]) if position < data.epochs.size and data.solved[position] else None


def _accuracy_legend(starts: int) -> list[Markup]:
    items = [
        *([("start first", "the first start")] if starts else []),
        *([("start", f"{starts - 1} more")] if starts > 1 else []),
        ("middle", "median of all"),
        ("mean", "mean"),
        ("quantiles", "10 % to 90 %"),
    ]
    parts = []
    places = marks.legend_places([words for _, words in items], 14)
    for (kind, words), (x, row) in zip(items, places, strict=True):
        y = 5 + 20.0 * row
        if kind == "quantiles":
            parts.append(marks.tag("rect", x=x, y=y, width=24.0, height=10.0, class_=kind))
        else:
            parts.append(marks.tag("path", d=f"M{marks.number(x)} {marks.number(y + 5)}h24", class_=kind))
        parts.append(marks.text(x + 30, y + 9, words, "tick"))
    return parts


def start_words(report: Report, detail: Detail) -> str:
    """Say why one start misleads, with this trial's own numbers."""
    numbers, limit = detail.row.outcome, report.limit
    first = _solved_at(detail, 0)
    own = f"solves XOR in epoch {first}" if first else f"does not solve XOR within {limit} epochs"
    if numbers.replicates == 1:
        return f"The only start {own}."
    if numbers.q10 is None or detail.data.epochs.size < 10:
        do = "does" if numbers.solved == 1 else "do"
        return f"The first start {own}; of all {numbers.replicates}, {numbers.solved} {do} within {limit}."
    late = f"one in ten needs more than {epoch(numbers.q90, limit).lstrip('>')}"
    middle = "fewer than half do" if numbers.median is None else f"half do by {numbers.median}"
    return (
        f"The first start {own}. Of all {numbers.replicates} starts one in ten does by epoch {numbers.q10}, "
        f"{middle}, and {late}.{_end_words(detail, limit)}"
    )


def _end_words(detail: Detail, limit: int) -> str:
    last = limit if detail.history is None else int(detail.history.epochs[-1])
    return "" if last >= limit else f" Training ended in epoch {last}: all starts had solved it."
