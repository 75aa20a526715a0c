"""A network with its weights: units as circles, weights as lines."""

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from job.errors import NothingToDrawError
from job.problems import Problem
from job.report.reading import Detail, Report
from job.report.sentences import NO_NETWORKS
from job.report.svg.colours import diverging
from job.report.svg.elements import Drawing, number, tag, text
from job.report.svg.sheet import side_by_side
from job.runs.snapshots import Network
from job.wording import count_words

MOST_LINES = 300
"""The most connections of a network that are drawn: the strongest ones."""

MOST_UNITS = 64
"""The most units that a layer of a drawn network may have."""


def why_not_drawn(detail: Detail) -> str | None:
    """Return why a trial's network cannot be drawn with its weights; None if it can."""
    if detail.networks is None:
        return NO_NETWORKS
    if detail.networks.chosen.weights is None or detail.row.architecture.neurons > MOST_UNITS:
        return f"it has {count_words(detail.row.architecture.weights, 'weight')}, too many to draw"
    return None


def draw_networks(report: Report, trials: Sequence[Detail]) -> Drawing:
    """Draw the chosen networks of these trials, or of the best trial.

    Raises:
        NothingToDrawError: one of them cannot be drawn.
    """
    drawings = []
    shown = trials or report.details[:1]
    for detail in shown:
        drawing = draw_network(report.problem, detail)
        if drawing is None:
            raise NothingToDrawError(f"{detail.row.trial}: {why_not_drawn(detail)}")
        drawings.append(drawing)
    return side_by_side(drawings, [detail.row.trial for detail in shown], title="Networks", columns=1)


def draw_network(problem: Problem, detail: Detail) -> Drawing | None:
    """Draw a trial's chosen network: units as circles, weights as lines; None if it cannot be drawn."""
    if detail.networks is None or why_not_drawn(detail):
        return None
    widths = detail.row.architecture.widths
    tallest = max(widths)
    height = 60.0 + max(120.0, min(tallest * 14.0, 560.0))
    margin = max(95.0, 22 + 6.6 * max(map(len, (*problem.inputs, problem.output))))
    width = 2 * margin + max(90.0, min(160.0, 900.0 / len(widths))) * (len(widths) - 1)
    x = np.linspace(margin, width - margin, len(widths))
    places = [_column(float(at), units, tallest, height) for at, units in zip(x, widths, strict=True)]
    kernels, biases = _weights(detail.networks.chosen)
    diameter = min(14.0, (height - 60) / tallest - 1.6)
    content = [*_connections(kernels, places), *_units(places, biases, diameter)]
    content += _network_labels(problem, places, widths, height)
    trial = detail.row.trial
    return Drawing(
        tuple(content),
        width,
        height,
        title=f"{trial}: the chosen network with its weights",
        description=network_words(detail),
        class_="network",
    )


def _units(
    places: list[list[tuple[float, float]]], biases: list[NDArray[np.float64]], diameter: float
) -> Iterator[Markup]:
    """Yield the units as dots, a path for each colour: rims, then insides in nine colours by bias."""
    strongest = max((float(np.abs(bias).max()) for bias in biases), default=0.0) or 1.0
    dots: dict[str | None, list[str]] = {}
    for layer, column in enumerate(places):
        for unit, (x, y) in enumerate(column):
            level = round(4 * (float(biases[layer - 1][unit]) / strongest)) if layer else None
            colour = None if level is None else diverging(0.5 + level / 8)
            dots.setdefault(colour, []).append(f"M{number(x)} {number(round(y, 1))}h0")
    rims = "".join(piece for pieces in dots.values() for piece in pieces)
    yield tag("path", d=rims, class_="unit", stroke_width=diameter)
    for colour, pieces in dots.items():
        kind = "unit input" if colour is None else "unit"
        yield tag("path", d="".join(pieces), class_=kind, stroke=colour, stroke_width=diameter - 2)


def network_words(detail: Detail) -> str:
    """Return what a drawing of a network shows and leaves out, in words."""
    assert detail.networks is not None
    kernels, _ = _weights(detail.networks.chosen)
    connections = sum(kernel.size for kernel in kernels)
    strongest = max(float(np.abs(kernel).max()) for kernel in kernels)
    left_out = f"; the strongest {MOST_LINES} are drawn" if connections > MOST_LINES else ""
    return (
        f"{count_words(connections, 'connection')}{left_out}. The wider a line, the larger its weight, up to "
        f"{_weight(strongest)}; orange is positive, dashed blue is negative. A unit's colour shows its bias."
    )


def _weight(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= value < 1e6 else f"{value:.3g}"


def _weights(network: Network) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    arrays = [np.array(weight, "float64") for weight in network.weights or ()]
    return arrays[::2], arrays[1::2]


def _column(x: float, units: int, tallest: int, height: float) -> list[tuple[float, float]]:
    """Return where the units of a layer are: evenly spaced around the middle."""
    gap = min((height - 60) / tallest, 60.0) if units == tallest else min((height - 60) / units, 60.0)
    middle = 20 + (height - 60) / 2
    return [(x, middle + (unit - (units - 1) / 2) * gap) for unit in range(units)]


def _connections(kernels: list[NDArray[np.float64]], places: list[list[tuple[float, float]]]) -> Iterator[Markup]:
    """Yield a path for each sign and each of five widths, the thinnest first."""
    sizes = np.concatenate([np.abs(kernel).ravel() for kernel in kernels])
    largest = float(sizes.max()) or 1.0
    least = float(np.sort(sizes)[-MOST_LINES]) if sizes.size > MOST_LINES else 0.0
    paths: dict[tuple[int, str], list[str]] = {}
    for layer, kernel in enumerate(kernels):
        for source, target in zip(*np.nonzero(np.abs(kernel) >= least), strict=True):
            weight = float(kernel[source, target])
            (x0, y0), (x1, y1) = places[layer][source], places[layer + 1][target]
            d = f"M{x0:.0f} {number(round(y0, 1))}L{x1:.0f} {number(round(y1, 1))}"
            strength = min(4, int(5 * (abs(weight) / largest)))
            paths.setdefault((strength, "positive" if weight >= 0 else "negative"), []).append(d)
    for (strength, sign), pieces in sorted(paths.items()):
        yield tag("path", d="".join(pieces), class_=f"weight {sign} w{strength}")


def _network_labels(
    problem: Problem, places: list[list[tuple[float, float]]], widths: tuple[int, ...], height: float
) -> Iterator[Markup]:
    for (x, y), words in zip(places[0], problem.inputs, strict=True):
        yield text(x - 16, y + 4, words, "tick", "end")
    ((x, y),) = places[-1]
    yield text(x + 16, y + 4, problem.output, "tick")
    for column, units in list(zip(places, widths, strict=True))[1:-1]:
        yield text(column[0][0], height - 8, units, "tick", "middle")
    if len(places) > 2:
        yield text(places[0][0][0] - 16, height - 8, "neurons", "label", "end")
