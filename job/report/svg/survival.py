"""The share of the starts that have not solved it, by epoch."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from job.report.reading import Detail, Report
from job.report.sentences import median_words
from job.report.svg.axes import LogScale, epoch_axis, legend_places, share_axis
from job.report.svg.elements import Drawing, number, polyline, steps, tag, text
from job.statistics.survival import unsolved_share
from job.wording import percent

COLOURS, DASHES = 7, 6
"""So many colours and kinds of dashes tell lines apart; together 42, as no number divides both."""

NAMED_AT = (0.1, 0.26, 0.42, 0.58, 0.74, 0.9)
"""At which share a curve has its name, by its kind of dashes: the first, which is the soonest, lowest."""

NAME_HEIGHT = 13
"""So far apart are two names, in pixels."""

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


def draw_survival(report: Report, picked: list[str], *, all_of_them: bool = False) -> Drawing:
    """Draw the share not yet solved by epoch, with its pointwise 95 % band.

    Args:
        report: what is known of the run.
        picked: the trials that are shown.
        all_of_them: draw the others, too, hidden, for the page's script to show.
    """
    scale = LogScale(report.limit, _LEFT, _RIGHT)
    by_name = {detail.row.trial: detail for detail in report.details}
    shown = [name for name in by_name if all_of_them or name in picked]
    series = [_survival(by_name[name], scale, picked.index(name) if name in picked else None) for name in shown]
    apart = _apart([by_name[name] for name in picked], scale)
    names = [
        _name(by_name[name], scale, picked.index(name) if name in picked else None, apart.get(name, 0.0))
        for name in shown
    ]
    said = "; ".join(_in_words(by_name[name], report.limit) for name in picked)
    places = [] if all_of_them else legend_places(picked, _LEFT, _RIGHT)
    legend = [_legend_entry(at, *entry) for at, entry in enumerate(zip(picked, places, strict=False))]
    return Drawing(
        (
            *share_axis(_LEFT, _RIGHT, _TOP, _BOTTOM, "starts that have not solved it"),
            *epoch_axis(scale, _TOP, _BOTTOM, "epoch (log scale)"),
            tag("line", x1=_LEFT, x2=_RIGHT, y1=_middle(), y2=_middle(), class_="half"),
            *series,
            *names,
            *legend,
        ),
        _WIDTH,
        _HEIGHT + (20 * (places[-1][1] + 1) if places else 0),
        title="Share of the starts that have not solved XOR, by epoch",
        description=f"With 95 % bands. {said}.",
        class_="survival",
    )


def _in_words(detail: Detail, limit: int) -> str:
    numbers = detail.row.outcome
    never = f"{percent(1 - numbers.share_solved)} % never"
    return f"{detail.row.trial}: half solved by epoch {median_words(numbers, limit)}, {never}"


def _middle() -> float:
    return (_TOP + _BOTTOM) / 2


def _legend_entry(position: int, name: str, place: tuple[float, int]) -> Markup:
    left, y = place[0], _HEIGHT + place[1] * 20.0 + 4
    line = tag("path", d=f"M{number(left)} {number(y)}h40", class_="line")
    return tag("g", line, text(left + 48, y + 4, name, "tick"), class_=slot(position))


def _survival(detail: Detail, scale: LogScale, position: int | None) -> Markup:
    curve = unsolved_share(detail.data)
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


def _name(detail: Detail, scale: LogScale, position: int | None, apart: float) -> Markup:
    """Return a trial's name at its curve, so far below its place; it says where it belongs with each dashes."""
    name = detail.row.trial
    places = _name_places(detail, scale)
    x, y = places[(position or 0) % DASHES]
    return tag(
        "text",
        name,
        x=x,
        y=y + apart,
        class_=f"at {slot(position or 0)}",
        data_trial=name,
        data_places=" ".join(f"{number(x)},{number(y)}" for x, y in places),
        hidden="" if position is None else None,
    )


def _name_places(detail: Detail, scale: LogScale) -> list[tuple[float, float]]:
    """Return where a trial's name begins with each kind of dashes, or ends if it is left of its curve."""
    curve = unsolved_share(detail.data)
    falls = list(zip(map(scale, curve.epochs.tolist()), curve.share.tolist(), strict=True))
    return [_name_place(falls, at, _name_width(detail.row.trial)) for at in range(DASHES)]


def _name_place(falls: list[tuple[float, float]], at: int, width: float) -> tuple[float, float]:
    """Return where a name goes: at its share of those that are left, or over the end of one that stays above."""
    most = _RIGHT if _is_left(at) else _RIGHT - width
    fallen = next((x for x, unsolved in falls if unsolved <= NAMED_AT[at]), None)
    if fallen is None:
        return most, _BOTTOM - (_BOTTOM - _TOP) * (falls[-1][1] if falls else 1) - 7
    height = _BOTTOM - (_BOTTOM - _TOP) * NAMED_AT[at] + 4
    return (max(fallen - 7, _LEFT + width) if _is_left(at) else min(fallen + 7, most)), height


def _is_left(at: int) -> bool:
    """Say whether a name with this kind of dashes is left of its curve, as plot.css has it."""
    return NAMED_AT[at] < 0.5


def _name_width(name: str) -> float:
    return 7.0 * len(name)


def _apart(details: Sequence[Detail], scale: LogScale) -> dict[str, float]:
    """Return how far below its place each name is, so that none lies on another; page.js does the same."""
    boxes: list[tuple[float, float, float, str]] = []
    for position, detail in enumerate(details):
        at, name = position % DASHES, detail.row.trial
        x, y = _name_places(detail, scale)[at]
        boxes.append((y, x - _name_width(name) if _is_left(at) else x, _name_width(name), name))
    apart: dict[str, float] = {}
    taken: list[tuple[float, float, float]] = []
    for y, x, width, name in sorted(boxes):
        lower = y
        while any(
            abs(lower - other) < NAME_HEIGHT and x < end and begin < x + width for other, begin, end in taken
        ):
            lower += 1
        taken.append((lower, x, x + width))
        apart[name] = lower - y
    return apart


def _thinned(x: list[float], shares: list[float]) -> tuple[list[float], list[float]]:
    """Return a step function in pixels; of the steps within half a pixel only the last is left."""
    kept: dict[float, float] = {}
    for at, share in zip(x, shares, strict=True):
        kept[at] = round(2 * (_BOTTOM - (_BOTTOM - _TOP) * share)) / 2
    return list(kept), list(kept.values())
