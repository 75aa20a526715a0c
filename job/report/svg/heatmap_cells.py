"""The cells of the heat map: one trial each, in the colour of its number."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from job.report.reading import Report
from job.report.sentences import median_of, share_of, spread_of
from job.report.svg.colours import readable_on, sequential
from job.report.svg.elements import tag
from job.settings.grid import Trial
from job.statistics.rows import WINNER, LeaderboardRow
from job.wording import count_words, epoch_words, percent

MEDIAN_METRIC, SOLVED_METRIC = "median", "solved"
METRICS = {MEDIAN_METRIC: "median epochs to solve", SOLVED_METRIC: "share of the starts that solve it"}

CELL_HEIGHT = 48

_TWO_LINES = 56
"""In narrower cells, a sign is above its number."""


@dataclass(frozen=True)
class Cell:
    """One trial of the heat map, and where it is drawn."""

    trial: Trial
    row: LeaderboardRow | None
    """Its numbers; None if it has no result."""
    missing: str
    """Its words if it has no result, such as `failed`."""
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """The x on which its words are centred."""
        return self.x + self.width / 2

    def inset(self, by: float) -> dict[str, float]:
        """Return the attributes of a rectangle that is this much smaller on each side."""
        return {
            "x": self.x + by,
            "y": self.y + by,
            "width": self.width - 2 * by,
            "height": CELL_HEIGHT - 2 * by,
        }


def draw_cell(report: Report, cell: Cell, metrics: Sequence[str], *, links: bool) -> Markup:
    """Draw a cell.

    Args:
        report: what is known about the run.
        cell: the cell.
        metrics: what the colours show; if there are several, the page's style shows one at a time.
        links: whether it links to its trial on the page, if it is drawn there, and shows its numbers.
    """
    row = cell.row
    if row is None:
        parts = _empty(cell)
    else:
        parts = [part for metric in metrics for part in _face(report, row, cell, metric)]
        parts += _ring(cell) if row.standing == WINNER else []
    lines = "\n".join(_tip_lines(report, cell))
    if not links:
        return tag("g", tag("title", lines), *parts, class_="cell")
    told = {"class_": "cell", "aria_label": lines.replace("\n", ", "), "data_tip": lines}
    focus = _ring(cell, "focus")
    if row is None:
        return tag("g", *parts, *focus, **told, role="img", tabindex=0)
    if row.place > len(report.details):
        # Nothing to link to, and too many to go through by keyboard: the table has them.
        return tag("g", *parts, **told, role="img", data_trial=row.trial)
    return tag("a", *parts, *focus, **told, href=f"#trial-{row.trial}", data_trial=row.trial)


def _ring(cell: Cell, kind: str = "") -> list[Markup]:
    """Return a ring within a cell: white within black shows on any colour."""
    box = cell.inset(2.5)
    return [tag("rect", **box, rx=3.0, class_=f"{part} {kind}".strip()) for part in ("ring-out", "ring")]


def _face(report: Report, row: LeaderboardRow, cell: Cell, metric: str) -> Iterator[Markup]:
    share, words = _value(report, row, metric)
    kind = f"only-{metric}"
    box = cell.inset(0.5)
    if share is None:
        yield tag("rect", **box, class_=f"beyond {kind}")
    else:
        yield tag("rect", **box, fill=sequential(share), class_=kind)
    said: list[object] = [f"{row.sign} {words}".strip()]
    if row.sign and cell.width < _TWO_LINES:
        said = [tag("tspan", row.sign, x=cell.middle, dy=-9.0), tag("tspan", words, x=cell.middle, dy=15.0)]
    yield tag(
        "text",
        *said,
        x=cell.middle,
        y=cell.y + CELL_HEIGHT / 2 + 5,
        text_anchor="middle",
        font_size=_font_size(words if len(said) > 1 else str(said[0]), cell.width),
        class_=f"value {kind}",
        fill=readable_on(sequential(share)) if share is not None else None,
    )


def _value(report: Report, row: LeaderboardRow, metric: str) -> tuple[float | None, str]:
    """Return how bright a cell is, 0 to 1 (None: the data do not reach the number), and its words."""
    numbers = row.outcome
    if metric == SOLVED_METRIC:
        return numbers.share_solved, f"{percent(numbers.share_solved, 0)}%"
    if numbers.median is None:
        return None, epoch_words(None, report.limit)
    low, high = report.median_range
    span = math.log(high / low) or 1.0
    return 1 - math.log(numbers.median / low) / span, str(numbers.median)


def _font_size(words: str, width: float) -> float:
    """Return the font size, at most the usual one, at which words fit into a cell; a digit is 0.6 of it wide."""
    return min(15.0, (width - 6) / (0.6 * len(words)))


def _empty(cell: Cell) -> list[Markup]:
    nothing_yet = cell.missing == "no result yet"
    words = cell.missing if not nothing_yet else "none yet" if cell.width >= _TWO_LINES else "none"
    return [
        tag("rect", **cell.inset(1.0), class_="empty" if nothing_yet else "empty broken"),
        tag(
            "text",
            words,
            x=cell.middle,
            y=cell.y + CELL_HEIGHT / 2 + 4,
            text_anchor="middle",
            font_size=min(12.0, _font_size(words, cell.width)),
            class_="what",
        ),
    ]


def _tip_lines(report: Report, cell: Cell) -> Iterator[str]:
    """Yield the lines that pointing at a cell shows."""
    yield cell.trial.name
    if cell.row is None:
        yield cell.missing
        return
    numbers = cell.row.outcome
    yield f"median {median_of(numbers, report.limit)} epochs"
    yield f"middle 80%: {spread_of(numbers, report.limit)}"
    yield f"solved {share_of(numbers)}"
    yield f"{count_words(numbers.replicates, 'start')}, place {cell.row.place}"
