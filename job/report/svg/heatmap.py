"""The grid as a heat map: layers down, neurons across, a panel for each combination of the other axes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from job.report.reading import Report
from job.report.sentences import SIGNS, median_of, share_of, spread_of
from job.report.svg.colours import readable_on, sequential
from job.report.svg.elements import Drawing, tag, text
from job.report.svg.sheet import beside
from job.settings.grid import Trial, trials
from job.statistics.rows import WINNER, LeaderboardRow
from job.wording import count_words, epoch_words, percent, value_words

MEDIAN, SOLVED = "median", "solved"
METRICS = {MEDIAN: "median epochs to solve", SOLVED: "share of the starts that solve it"}

MOST_CELLS = 1000
"""The most cells of all panels together; the panels with the best trials are drawn."""

_LEFT, _TOP, _HEIGHT = 56, 46, 48
_WIDEST, _NARROWEST, _ROOM = 64, 36, 1040
"""A cell's width in pixels: as many columns as have room on the page are seen at once."""
_TWO_LINES = 56
"""In narrower cells a sign is above its number."""
_NAMES = {"learning_rate": "learning rate"}


@dataclass(frozen=True)
class Panel:
    """One combination of the axes beside layers and neurons."""

    name: str
    """What the combination is, as `tanh, learning rate 0.01`; empty where there is but one."""
    cells: Mapping[tuple[int, int], Trial]
    """The trials, by layers and neurons."""


def panels(report: Report) -> tuple[list[Panel], int]:
    """Return the panels that are drawn, that with the best trial first, and how many are not."""
    groups: dict[str, dict[tuple[int, int], Trial]] = {}
    for trial in trials(report.run.config):
        of = trial.architecture
        name = ", ".join(
            f"{_NAMES.get(axis, '')} {value_words(getattr(of, axis))}".strip() for axis in report.varied
        )
        groups.setdefault(name, {})[of.layers, of.neurons] = trial
    places = {row.trial: row.place for row in report.board.rows}
    last = len(places) + 1

    def best(item: tuple[str, Mapping[tuple[int, int], Trial]]) -> int:
        return min(places.get(trial.name, last) for trial in item[1].values())

    ordered = [Panel(name, cells) for name, cells in sorted(groups.items(), key=best)]
    size = len(report.run.config.layers) * len(report.run.config.neurons)
    most = max(1, MOST_CELLS // size)
    return ordered[:most], max(0, len(ordered) - most)


def draw_heatmap(report: Report, metric: str) -> Drawing:
    """Draw all panels with the colours of one metric, and their scale."""
    shown, _ = panels(report)
    drawings = [draw_panel(report, panel, metric) for panel in shown]
    names = [panel.name for panel in shown]
    if scale := draw_scale(report, metric):
        drawings.append(scale)
        names.append(METRICS[metric])
    return beside(drawings, names, title="The grid")


def draw_panel(report: Report, panel: Panel, metric: str | None = None, *, links: bool = False) -> Drawing:
    """Draw one panel.

    Args:
        report: what is known of the run.
        panel: which.
        metric: what the colours show; None draws each, for the page's style to show one of them.
        links: make each cell lead to its trial on the page, if it is drawn there, and tell its numbers.
    """
    config = report.run.config
    rows = {row.trial: row for row in report.board.rows}
    undone = {item.trial: item.what for item in report.undone}
    cells = [_cell(report, trial, rows.get(trial.name), undone, metric, links) for trial in panel.cells.values()]
    wide = _wide(report)
    width = _LEFT + wide * len(config.neurons) + 2
    height = _TOP + _HEIGHT * len(config.layers) + 2
    columns = [
        text(_LEFT + wide * (at + 0.5), _TOP - 9, neurons, "tick", "middle")
        for at, neurons in enumerate(config.neurons)
    ]
    lines = [
        text(_LEFT - 10, _TOP + _HEIGHT * (at + 0.5) + 5, layers, "tick", "end")
        for at, layers in enumerate(config.layers)
    ]
    labels = [
        text(_LEFT, 15, "neurons in each layer", "label"),
        text(0, _TOP - 9, "layers", "label"),
    ]
    title = f"{METRICS[metric] if metric else 'the grid'}{': ' + panel.name if panel.name else ''}"
    # The cells speak for themselves where they are links; as one picture, the text alternative has them all.
    said = "; ".join(_alternative(report, rows[trial.name]) for trial in panel.cells.values() if trial.name in rows)
    return Drawing(
        (*labels, *columns, *lines, *cells),
        max(width, 210),
        height,
        title=title[:1].upper() + title[1:],
        description=said or "No trial of it has a result.",
        class_="heatmap small" if len(config.neurons) <= 6 else "heatmap",
        role="group" if links else "img",
    )


def _wide(report: Report) -> int:
    """Return how wide a cell is."""
    return min(_WIDEST, max(_NARROWEST, (_ROOM - _LEFT - 2) // len(report.run.config.neurons)))


def _font_size(words: str, wide: int) -> float:
    """Return the size, at most the usual one, at which words fit into a cell; a digit is .6 of it wide."""
    return min(15.0, (wide - 6) / (0.6 * len(words)))


def _alternative(report: Report, row: LeaderboardRow) -> str:
    of = row.architecture
    return (
        f"{of.layers} x {of.neurons}: {median_of(row.outcome, report.limit)} epochs, {share_of(row.outcome)} solved"
    )


def _cell(
    report: Report,
    trial: Trial,
    row: LeaderboardRow | None,
    undone: Mapping[str, str],
    metric: str | None,
    links: bool,
) -> Markup:
    config = report.run.config
    wide = _wide(report)
    x = float(_LEFT + wide * config.neurons.index(trial.architecture.neurons))
    y = float(_TOP + _HEIGHT * config.layers.index(trial.architecture.layers))
    wanted = [metric] if metric else list(METRICS)
    parts = [part for name in wanted for part in _face(report, row, name, x, y)]
    if row is None:
        parts = _empty(x, y, wide, undone.get(trial.name, "no result yet"))
    elif row.standing == WINNER:
        parts += _ring(x, y, wide)
    lines = "\n".join(tip_lines(report, trial, row, undone))
    if not links:
        return tag("g", tag("title", lines), *parts, class_="cell")
    told = {"class_": "cell", "aria_label": lines.replace("\n", ", "), "data_tip": lines}
    focus = _ring(x, y, wide, "focus")
    if row is None:
        return tag("g", *parts, *focus, **told, role="img", tabindex=0)
    if row.place > len(report.details):
        # Nothing to lead to, and too many to go through by the keyboard: the table has them.
        return tag("g", *parts, **told, role="img", data_trial=trial.name)
    return tag("a", *parts, *focus, **told, href=f"#trial-{trial.name}", data_trial=trial.name)


def _ring(x: float, y: float, wide: int, kind: str = "") -> list[Markup]:
    """Return a ring within a cell: white within black shows on any colour."""
    box = {"x": x + 2.5, "y": y + 2.5, "width": wide - 5.0, "height": _HEIGHT - 5.0, "rx": 3.0}
    return [tag("rect", **box, class_=f"{part} {kind}".strip()) for part in ("ring-out", "ring")]


def _face(report: Report, row: LeaderboardRow | None, metric: str, x: float, y: float) -> Iterator[Markup]:
    if row is None:
        return
    share, words = _value(report, row, metric)
    kind = f"only-{metric}"
    wide = _wide(report)
    box = {"x": x + 0.5, "y": y + 0.5, "width": wide - 1.0, "height": _HEIGHT - 1.0}
    if share is None:
        yield tag("rect", **box, class_=f"beyond {kind}")
    else:
        yield tag("rect", **box, fill=sequential(share), class_=kind)
    ink = readable_on(sequential(share)) if share is not None else None
    sign = SIGNS.get(row.standing, "")
    middle = x + wide / 2
    said: list[object] = [f"{sign} {words}".strip()]
    if sign and wide < _TWO_LINES:
        said = [tag("tspan", sign, x=middle, dy=-9.0), tag("tspan", words, x=middle, dy=15.0)]
    yield tag(
        "text",
        *said,
        x=middle,
        y=y + _HEIGHT / 2 + 5,
        text_anchor="middle",
        font_size=_font_size(words if len(said) > 1 else str(said[0]), wide),
        class_=f"value {kind}",
        fill=ink,
    )


def _value(report: Report, row: LeaderboardRow, metric: str) -> tuple[float | None, str]:
    """Return how bright a cell is, 0 to 1 (None: the data do not reach the number), and its words."""
    numbers = row.outcome
    if metric == SOLVED:
        return numbers.share_solved, f"{percent(numbers.share_solved, 0)} %"
    if numbers.median is None:
        return None, epoch_words(None, report.limit)
    low, high = report.median_range
    span = math.log(high / low) or 1.0
    return 1 - math.log(numbers.median / low) / span, str(numbers.median)


def _empty(x: float, y: float, wide: int, what: str) -> list[Markup]:
    words = {"no result yet": "none yet" if wide >= _TWO_LINES else "none"}.get(what, what)
    box = {"x": x + 1.0, "y": y + 1.0, "width": wide - 2.0, "height": _HEIGHT - 2.0}
    return [
        tag("rect", **box, class_="empty" if what == "no result yet" else "empty broken"),
        tag(
            "text",
            words,
            x=x + wide / 2,
            y=y + _HEIGHT / 2 + 4,
            text_anchor="middle",
            font_size=min(12.0, _font_size(words, wide)),
            class_="what",
        ),
    ]


def tip_lines(report: Report, trial: Trial, row: LeaderboardRow | None, undone: Mapping[str, str]) -> Iterator[str]:
    """Yield what is told of a cell that is pointed at."""
    yield trial.name
    if row is None:
        yield undone.get(trial.name, "no result yet")
        return
    numbers = row.outcome
    yield f"median {median_of(numbers, report.limit)} epochs"
    yield f"middle 80 %: {spread_of(numbers, report.limit)}"
    yield f"solved {share_of(numbers)}"
    yield f"{count_words(numbers.replicates, 'start')}, place {row.place}"


def draw_scale(report: Report, metric: str) -> Drawing | None:
    """Draw the colour bar of a metric with its two ends' values; None where both are one."""
    if metric == MEDIAN and len(set(report.median_range)) == 1:
        return None
    width, height, parts = 220.0, 10.0, 44
    bar = [
        tag(
            "rect",
            x=width * at / parts,
            y=0.0,
            width=width / parts + 0.5,
            height=height,
            fill=sequential(1 - at / (parts - 1) if metric == MEDIAN else at / (parts - 1)),
        )
        for at in range(parts)
    ]
    low, high = (str(at) for at in report.median_range) if metric == MEDIAN else ("0 %", "100 %")
    words = [
        text(0, height + 15, low, "tick"),
        text(width / 2, height + 15, "epochs, log scale" if metric == MEDIAN else "solved", "tick", "middle"),
        text(width, height + 15, high, "tick", "end"),
    ]
    return Drawing(
        (*bar, *words),
        width,
        height + 20,
        title=f"Colours: {METRICS[metric]}",
        description=f"from {low} to {high}; brighter is better",
        class_=f"scale only-{metric}",
    )
