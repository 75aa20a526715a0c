"""Scales, axes and legends of the plots."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from job.report.svg.elements import number, tag, text


class LogScale:
    """Epochs from 1 to the limit, on a logarithmic axis."""

    def __init__(self, limit: int, left: float, right: float) -> None:
        self.limit, self.left, self.right = limit, left, right

    def __call__(self, epoch: float) -> float:
        """Return where an epoch is, to half a pixel."""
        share = math.log(max(epoch, 1)) / math.log(max(self.limit, 2))
        return round(2 * (self.left + (self.right - self.left) * min(share, 1.0))) / 2

    def until(self, epoch: int) -> float:
        """Return where a line with this last epoch ends; even with a limit of 1, it has some length."""
        return self.right if epoch >= self.limit else self(epoch)

    def ticks(self) -> list[int]:
        """Return the powers of ten, the limit and, if there is room, twice and five times the powers."""
        powers = range(int(math.log10(self.limit)) + 1)
        factors = (1, 2, 5) if self.limit <= 5000 else (1,)
        epochs = [factor * 10**power for power in powers for factor in factors]
        kept = [epoch for epoch in epochs if self(self.limit) - self(epoch) > 26]
        return [*kept, self.limit]


@dataclass(frozen=True)
class PlotArea:
    """Where a plot is drawn, within its axes, in pixels."""

    left: float
    right: float
    top: float
    bottom: float

    def height(self, share: float) -> float:
        """Return where a share is, from 0 at the bottom to 1 at the top."""
        return self.bottom - (self.bottom - self.top) * share


def epoch_axis(scale: LogScale, area: PlotArea, label: str) -> list[Markup]:
    """Return the epoch axis below a plot, with its grid."""
    ticks = [(scale(epoch), epoch) for epoch in scale.ticks()]
    grid = "".join(f"M{number(x)} {number(area.top)}V{number(area.bottom)}" for x, _ in ticks)
    return [
        tag("path", d=grid, class_="grid"),
        *(text(x, area.bottom + 17, f"{epoch:,}", "tick", "middle") for x, epoch in ticks),
        text((scale.left + scale.right) / 2, area.bottom + 37, label, "label", "middle"),
    ]


def share_axis(area: PlotArea, label: str, *, above: float = 14) -> list[Markup]:
    """Return an axis from 0 % (bottom) to 100 % (top) at the left of a plot, with its grid; its label is above."""
    ticks = [(area.height(percent / 100), percent) for percent in (0, 25, 50, 75, 100)]
    grid = "".join(f"M{number(area.left)} {number(y)}H{number(area.right)}" for y, _ in ticks[1:])
    return [
        tag("path", d=grid, class_="grid"),
        tag("path", d=f"M{number(area.left)} {number(area.bottom)}H{number(area.right)}", class_="axis"),
        *(text(area.left - 8, y + 4, f"{percent}%", "tick", "end") for y, percent in ticks),
        text(area.left - 46, area.top - above, label, "label"),
    ]


LEGEND_WIDTH = 390.0
"""A phone shows about this much of a plot's width at once."""


class LegendPlace(NamedTuple):
    """Where an entry of a legend begins, and in which row, from 0."""

    x: float
    row: int


def legend_places(words: Sequence[str], left: float, most: float = LEGEND_WIDTH) -> list[LegendPlace]:
    """Return the place of each entry of a legend, using as many rows as needed."""
    places: list[LegendPlace] = []
    x, row = left, 0
    for said in words:
        width = 44 + 6.6 * len(said)
        if x > left and x + width > most:
            x, row = left, row + 1
        places.append(LegendPlace(x, row))
        x += width
    return places
