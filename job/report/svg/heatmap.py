"""The grid as a heat map: layers down, neurons across, a panel for each combination of the other axes."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from job.report.reading import Report
from job.report.sentences import median_of, share_of
from job.report.svg.colours import sequential
from job.report.svg.elements import Drawing, tag, text
from job.report.svg.heatmap_cells import CELL_HEIGHT, MEDIAN_METRIC, METRICS, Cell, draw_cell
from job.report.svg.sheet import side_by_side
from job.settings.grid import Trial, trials
from job.statistics.rows import LeaderboardRow
from job.wording import value_words

MOST_CELLS = 1000
"""The most cells in all panels together; the panels with the best trials are drawn."""

_LEFT, _TOP = 56, 46
_WIDEST, _NARROWEST, _ROOM = 64, 36, 1040
"""Limits of a cell's width, and the page's, in pixels: as many columns as possible fit on the page."""


@dataclass(frozen=True)
class Panel:
    """One combination of the axes other than layers and neurons."""

    name: str
    """The combination, such as `tanh, learning rate 0.01`; empty if there is only one."""
    trials: tuple[Trial, ...]


def panels(report: Report) -> tuple[list[Panel], int]:
    """Return the panels that are drawn, the one with the best trial first, and how many are not."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials(report.run.settings):
        for name in _panel_names(report, trial):
            groups.setdefault(name, []).append(trial)
    places = {row.trial: row.place for row in report.board.rows}
    last = len(places) + 1
    ordered = sorted(
        (Panel(name, tuple(group)) for name, group in groups.items()),
        key=lambda panel: min(places.get(trial.name, last) for trial in panel.trials),
    )
    most = max(1, MOST_CELLS // max(len(panel.trials) for panel in ordered))
    return ordered[:most], max(0, len(ordered) - most)


def _panel_names(report: Report, trial: Trial) -> Iterator[str]:
    """Yield the names of the panels that a trial is in.

    Without a hidden layer it has no activation, so it is compared with the trials of each.
    """
    choices = []
    for axis in report.varied:
        value = getattr(trial.architecture, axis.name)
        values = getattr(report.run.settings, axis.name) if value is None else (value,)
        title = f"{axis.title} " if axis.short else ""
        choices.append([f"{title}{value_words(value)}" for value in values])
    for words in itertools.product(*choices):
        yield ", ".join(words)


def _columns(report: Report) -> tuple[int, ...]:
    """Return the neurons of the grid's columns; empty if no network has a hidden layer."""
    settings = report.run.settings
    return settings.neurons if any(settings.layers) else ()


def draw_heatmap(report: Report, metric: str) -> Drawing:
    """Draw all panels with the colours of one metric, and their scale."""
    shown, _ = panels(report)
    drawings = [draw_panel(report, panel, metric) for panel in shown]
    names = [panel.name for panel in shown]
    if scale := draw_scale(report, metric):
        drawings.append(scale)
        names.append(METRICS[metric])
    return side_by_side(drawings, names, title="The grid")


def draw_panel(report: Report, panel: Panel, metric: str | None = None, *, links: bool = False) -> Drawing:
    """Draw one panel.

    Args:
        report: what is known about the run.
        panel: the panel.
        metric: what the colours show; None draws each, of which the page's style shows one.
        links: whether each cell links to its trial on the page, if it is drawn there, and shows its numbers.
    """
    cells = list(_cells(report, panel))
    columns = _columns(report)
    metrics = [metric] if metric else list(METRICS)
    title = f"{METRICS[metric] if metric else 'the grid'}{': ' + panel.name if panel.name else ''}"
    # Cells that are links have their own words; in a single picture, the text alternative has them all.
    said = "; ".join(_alternative(report, cell.row) for cell in cells if cell.row)
    return Drawing(
        (*_heads(report, columns), *(draw_cell(report, cell, metrics, links=links) for cell in cells)),
        max(_LEFT + _cell_width(columns) * max(len(columns), 1) + 2, 210),
        _TOP + CELL_HEIGHT * len(report.run.settings.layers) + 2,
        title=title[:1].upper() + title[1:],
        description=said or "None of its trials has a result.",
        class_="heatmap small" if len(columns) <= 6 else "heatmap",
        role="group" if links else "img",
    )


def _cells(report: Report, panel: Panel) -> Iterator[Cell]:
    """Yield the cells of a panel; the cell of a network without a hidden layer spans its row."""
    rows = {row.trial: row for row in report.board.rows}
    missing = {item.trial: item.what for item in report.undone}
    columns, layers = _columns(report), report.run.settings.layers
    width = float(_cell_width(columns))
    for trial in panel.trials:
        of = trial.architecture
        yield Cell(
            trial,
            rows.get(trial.name),
            missing.get(trial.name, "no result yet"),
            x=_LEFT + (width * columns.index(of.neurons) if of.layers else 0.0),
            y=float(_TOP + CELL_HEIGHT * layers.index(of.layers)),
            width=width if of.layers else width * max(len(columns), 1),
        )


def _heads(report: Report, columns: tuple[int, ...]) -> Iterator[Markup]:
    """Yield the headings of the columns and rows."""
    if columns:
        yield text(_LEFT, 15, "neurons in each layer", "label")
    yield text(0, _TOP - 9, "layers", "label")
    for at, neurons in enumerate(columns):
        yield text(_LEFT + _cell_width(columns) * (at + 0.5), _TOP - 9, neurons, "tick", "middle")
    for at, layers in enumerate(report.run.settings.layers):
        yield text(_LEFT - 10, _TOP + CELL_HEIGHT * (at + 0.5) + 5, layers, "tick", "end")


def _cell_width(columns: tuple[int, ...]) -> int:
    return min(_WIDEST, max(_NARROWEST, (_ROOM - _LEFT - 2) // max(len(columns), 1)))


def _alternative(report: Report, row: LeaderboardRow) -> str:
    of = row.architecture
    size = f"{of.layers} x {of.neurons}" if of.layers else "no hidden layer"
    return f"{size}: {median_of(row.outcome, report.limit)} epochs, {share_of(row.outcome)} solved"


def draw_scale(report: Report, metric: str) -> Drawing | None:
    """Draw the colour bar of a metric with the values at its ends; None if both are the same."""
    if metric == MEDIAN_METRIC and len(set(report.median_range)) == 1:
        return None
    width, height, parts = 220.0, 10.0, 44
    bar = [
        tag(
            "rect",
            x=width * at / parts,
            y=0.0,
            width=width / parts + 0.5,
            height=height,
            fill=sequential(1 - at / (parts - 1) if metric == MEDIAN_METRIC else at / (parts - 1)),
        )
        for at in range(parts)
    ]
    low, high = (str(at) for at in report.median_range) if metric == MEDIAN_METRIC else ("0%", "100%")
    words = [
        text(0, height + 15, low, "tick"),
        text(
            width / 2, height + 15, "epochs, log scale" if metric == MEDIAN_METRIC else "solved", "tick", "middle"
        ),
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
