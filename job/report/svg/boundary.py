"""A network's output on the plane of the two inputs, with the line where it is one half."""

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from job.errors import NothingToDrawError
from job.problems import THRESHOLD, Problem
from job.report.answers import row_answers
from job.report.reading import Detail, Report
from job.report.sentences import NO_NETWORKS, require_networks
from job.report.svg.colours import png
from job.report.svg.elements import Drawing, number, tag, text
from job.report.svg.sheet import side_by_side
from job.runs.snapshots import SIDE, Plane
from job.wording import count_words

SIDE_LENGTH = 168.0
"""The side of a drawn plane, in pixels."""

MOST_PLANES = 24
"""The most planes in one picture, unless more trials are named."""


def draw_plane(problem: Problem, plane: Plane, title: str, description: str, side: float = SIDE_LENGTH) -> Drawing:
    """Draw a network's output for each pair of inputs, the line where it is one half, and the problem's rows.

    Args:
        problem: what the network learned; it has a plane.
        plane: the outputs.
        title: what the drawing is.
        description: its text alternative.
        side: the drawing's width and height.
    """
    assert problem.plane is not None
    low, high = problem.plane
    values = np.array([[np.nan if value is None else value for value in row] for row in plane])

    def at(first: float, second: float) -> tuple[float, float]:
        return (first - low) / (high - low) * side, side - (second - low) / (high - low) * side

    # A pixel is as wide as the distance between two points, and is centred on its point.
    pixel = side / (SIDE - 1)
    box = {"x": -pixel / 2, "y": -pixel / 2, "width": side + pixel, "height": side + pixel}
    image = tag("image", href=png(values[::-1]), **box, preserveAspectRatio="none")
    step = (high - low) / (SIDE - 1)
    crossings = ([at(low + x * step, low + y * step) for x, y in ends] for ends in _crossings(values, THRESHOLD))
    line = "".join(
        "M{} {}L{} {}".format(*(number(round(value, 1)) for end in ends for value in end)) for ends in crossings
    )
    points: list[Markup] = []
    for row, target in zip(problem.rows, problem.answers, strict=True):
        x, y = at(row[0], row[1])
        points.append(tag("circle", cx=x, cy=y, r=8.0, class_="point one" if target else "point zero"))
        points.append(text(x, y + 4, target, "one" if target else "zero", "middle"))
    return Drawing(
        (image, tag("path", d=line, class_="boundary") if line else None, *points),
        side,
        side,
        title=title,
        description=description,
        class_="plane",
    )


def _crossings(
    values: NDArray[np.float64], level: float
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the pieces of the line along which values (rows, columns) cross a level, in columns and rows.

    Marching squares: in each square of four neighbours, the crossings of its sides are joined in pairs.
    """
    above = values > level
    for row, column in zip(*np.nonzero(_mixed_squares(above)), strict=True):
        corners = ((column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1))
        ends = []
        for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
            first, second = values[y0, x0], values[y1, x1]
            if np.isfinite(first + second) and (first > level) != (second > level):
                share = (level - first) / (second - first)
                ends.append((float(x0 + (x1 - x0) * share), float(y0 + (y1 - y0) * share)))
        yield from zip(ends[::2], ends[1::2], strict=False)


def _mixed_squares(above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count = above[:-1, :-1].astype(int) + above[1:, :-1] + above[:-1, 1:] + above[1:, 1:]
    mixed: NDArray[np.bool_] = (count > 0) & (count < 4)
    return mixed


def is_partly_none(detail: Detail) -> bool:
    """Return whether any answer on the plane of a trial's chosen network is not a number."""
    return detail.networks is not None and any(None in row for row in detail.networks.chosen.plane or ())


def require_plane(problem: Problem) -> None:
    """Check that networks that learn a problem can be drawn as a plane.

    Raises:
        NothingToDrawError: they cannot.
    """
    if problem.plane is None:
        inputs = count_words(len(problem.inputs), "input")
        raise NothingToDrawError(f"a network with {inputs} cannot be drawn as a plane")


def draw_boundaries(report: Report, trials: Sequence[Detail]) -> Drawing:
    """Draw the planes of the chosen networks of these trials, or of the best trials.

    Raises:
        NothingToDrawError: there is no plane, or the plane of one of these trials is not known.
    """
    require_plane(report.problem)
    require_networks(trials)
    shown = trials or [detail for detail in report.details if detail.networks][:MOST_PLANES]
    planes = [plane for detail in shown if (plane := draw_chosen(report.problem, detail))]
    if not planes:
        raise NothingToDrawError(NO_NETWORKS)
    return side_by_side(planes, [detail.row.trial for detail in shown], title="Decision boundaries")


def draw_chosen(problem: Problem, detail: Detail) -> Drawing | None:
    """Draw the plane of a trial's chosen network; None if it was not kept, or the problem has none."""
    chosen = detail.networks.chosen if detail.networks else None
    if chosen is None or chosen.plane is None:
        return None
    said = ", ".join(f"{answer.row}: {answer.words}" for answer in row_answers(problem, chosen))
    return draw_plane(
        problem,
        chosen.plane,
        f"{detail.row.trial}: decision boundary of the chosen network",
        f"The start with seed {chosen.seed}. {said}",
    )
