"""What networks learned: their output on the plane of the two inputs, their weights, their activations."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.special import erf

from job.report.reading import Detail, Report
from job.report.svg import marks
from job.runs.snapshots import PLANE, SIDE, Network, Plane, Unsolved
from job.wording import count_words

MOST_FAILURES = 24
"""The most networks in the gallery of those that never solved it."""

MOST_LINES = 300
"""The most connections that are drawn of a network, the strongest."""

MOST_UNITS = 64
"""The most units that a layer of a drawn network may have."""

Numbers = NDArray[np.float64]

_TARGETS = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
"""XOR: first input, second input, target."""


SIDE_LENGTH = 168.0
"""Of a plane as it is drawn, in pixels."""


def draw_plane(plane: Plane, title: str, description: str, side: float = SIDE_LENGTH) -> marks.Picture:
    """Draw a network's output for each pair of inputs, the line where it is one half, and XOR's four points."""
    values = np.array([[np.nan if value is None else value for value in row] for row in plane])
    low, high = PLANE

    def at(first: float, second: float) -> tuple[float, float]:
        return (first - low) / (high - low) * side, side - (second - low) / (high - low) * side

    # A pixel is as wide as the way from one point to the next, and has its point in its middle.
    pixel = side / (SIDE - 1)
    image = marks.tag(
        "image",
        href=marks.png(values[::-1]),
        x=-pixel / 2,
        y=-pixel / 2,
        width=side + pixel,
        height=side + pixel,
        preserveAspectRatio="none",
    )
    step = (high - low) / (SIDE - 1)
    line = "".join(
        "M{} {}L{} {}".format(*(marks.number(round(value, 1)) for end in ends for value in end))
        for ends in (
            tuple(at(low + x * step, low + y * step) for x, y in crossing) for crossing in _crossings(values, 0.5)
        )
    )
    points = []
    for first, second, target in _TARGETS:
        x, y = at(first, second)
        points.append(marks.tag("circle", cx=x, cy=y, r=8.0, class_="point one" if target else "point zero"))
        points.append(marks.text(x, y + 4, target, "one" if target else "zero", "middle"))
    return marks.Picture(
        (image, marks.tag("path", d=line, class_="boundary") if line else None, *points),
        side,
        side,
        title=title,
        description=description,
        class_="plane",
    )


def _crossings(values: Numbers, level: float) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the pieces of the line where values (rows, columns) cross a level, in columns and rows.

    Marching squares: in each square of four neighbours, the crossings of its sides are joined two by two.
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


def has_no_number(plane: Plane) -> bool:
    """Say whether a network answers nothing that is a number, as after weights that grew without bound."""
    return all(value is None for row in plane for value in row)


def is_partly_none(detail: Detail) -> bool:
    """Say whether there is a place on the plane of a trial's chosen network where it answers no number."""
    return detail.networks is not None and any(None in row for row in detail.networks.chosen.plane)


def predictions_words(group: Unsolved) -> str:
    """Say which of XOR's rows are wrong, as `say 0 xor 0 = 1`."""
    if has_no_number(group.plane):
        return "answer nothing that is a number"
    wrong = [
        f"{first} xor {second} = {int(said)}"
        for (first, second, target), said in zip(_TARGETS, group.predictions, strict=True)
        if said != bool(target)
    ]
    return f"say {' and '.join(wrong)}" if wrong else "are right after the last epoch's update"


def draw_chosen(detail: Detail) -> marks.Picture | None:
    """Draw the plane of a trial's chosen network; None where it was not kept."""
    if detail.networks is None:
        return None
    chosen = detail.networks.chosen
    return draw_plane(
        chosen.plane,
        f"{detail.row.trial}: decision boundary of the chosen network",
        f"The start with seed {chosen.seed}. {', '.join(answers(chosen))}",
    )


def answers(network: Network) -> list[str]:
    """Say what a network answers at XOR's four points, as `0 xor 1: 0.93`."""
    return [
        f"{first} xor {second}: {'not a number' if value is None else _answer(value)}"
        for (first, second, _), value in zip(_TARGETS, network.predictions, strict=True)
    ]


def is_right(network: Network) -> bool:
    """Say whether a network answers right at all of XOR's four points."""
    said = zip(_TARGETS, network.predictions, strict=True)
    return all(value is not None and (value > 0.5) == bool(target) for (*_, target), value in said)


def _answer(value: float) -> str:
    """Write an output so that its side of one half can be seen."""
    texts = [format(value, f".{digits}f") for digits in (2, 4, 6, 8)]
    return next((text for text in texts if float(text) != 0.5), texts[0])


@dataclass(frozen=True)
class Failure:
    """A way in which starts of a trial did not solve XOR."""

    trial: str
    count: int
    unsolved: int
    seed: int
    words: str
    picture: marks.Picture


def failures(details: Sequence[Detail], most: int | None = None) -> list[Failure]:
    """Return the gallery of the starts of these trials that never solved it, at most so many pictures.

    Of every trial its most frequent way is taken first, then of every trial the second, and so on.
    """
    groups = [
        (rank, place, detail, group)
        for place, detail in enumerate(details)
        if detail.networks is not None
        for rank, group in enumerate(detail.networks.unsolved)
    ]
    groups.sort(key=lambda item: item[:2])
    shown = sorted(groups[:most], key=lambda item: (item[1], item[0]))
    gallery = []
    for _, _, detail, group in shown:
        words = predictions_words(group)
        trial = detail.row.trial
        title = f"{trial}: a start that never solved XOR"
        gallery.append(
            Failure(
                trial=trial,
                count=group.count,
                unsolved=detail.row.outcome.replicates - detail.row.outcome.solved,
                seed=group.seed,
                words=words,
                picture=draw_plane(
                    group.plane, title, f"Seed {group.seed}, one of {group.count} that {words}.", side=132.0
                ),
            )
        )
    return gallery


def why_not_known(detail: Detail) -> str | None:
    """Say why a trial's networks are not known; None where they are."""
    return "its networks.json is missing or damaged" if detail.networks is None else None


def why_not_drawn(detail: Detail) -> str | None:
    """Say why a trial's network cannot be drawn with its weights; None where it can."""
    if detail.networks is None:
        return why_not_known(detail)
    if detail.networks.chosen.weights is None or detail.row.architecture.neurons > MOST_UNITS:
        return f"it has {count_words(detail.row.architecture.weights, 'weight')}, too many to draw"
    return None


def draw_network(detail: Detail) -> marks.Picture | None:
    """Draw a trial's chosen network: units as circles, weights as lines; None where it cannot be drawn."""
    if detail.networks is None or why_not_drawn(detail):
        return None
    widths = detail.row.architecture.widths
    tallest = max(widths)
    height = 60.0 + max(120.0, min(tallest * 14.0, 560.0))
    width = 190.0 + max(90.0, min(160.0, 900.0 / len(widths))) * (len(widths) - 1)
    x = np.linspace(95, width - 95, len(widths))
    places = [_column(float(at), units, tallest, height) for at, units in zip(x, widths, strict=True)]
    kernels, biases = _weights(detail.networks.chosen)
    diameter = min(14.0, (height - 60) / tallest - 1.6)
    content = [*_connections(kernels, places), *_units(places, biases, diameter)]
    content += _network_labels(places, widths, height)
    trial = detail.row.trial
    return marks.Picture(
        tuple(content),
        width,
        height,
        title=f"{trial}: the chosen network with its weights",
        description=network_words(detail),
        class_="network",
    )


def _units(places: list[list[tuple[float, float]]], biases: list[Numbers], diameter: float) -> Iterator[Markup]:
    """Yield the units as dots, a path for each colour: rims, then insides by their bias in nine colours."""
    strongest = max((float(np.abs(bias).max()) for bias in biases), default=0.0) or 1.0
    dots: dict[str | None, list[str]] = {}
    for layer, column in enumerate(places):
        for unit, (x, y) in enumerate(column):
            level = round(4 * (float(biases[layer - 1][unit]) / strongest)) if layer else None
            colour = None if level is None else marks.diverging(0.5 + level / 8)
            dots.setdefault(colour, []).append(f"M{marks.number(x)} {marks.number(round(y, 1))}h0")
    rims = "".join(piece for pieces in dots.values() for piece in pieces)
    yield marks.tag("path", d=rims, class_="unit", stroke_width=diameter)
    for colour, pieces in dots.items():
        kind = "unit input" if colour is None else "unit"
        yield marks.tag("path", d="".join(pieces), class_=kind, stroke=colour, stroke_width=diameter - 2)


def network_words(detail: Detail) -> str:
    """Say what a drawing of a network shows, and what it leaves out."""
    assert detail.networks is not None
    kernels, _ = _weights(detail.networks.chosen)
    connections = sum(kernel.size for kernel in kernels)
    strongest = max(float(np.abs(kernel).max()) for kernel in kernels)
    left_out = f"; the strongest {MOST_LINES} are drawn" if connections > MOST_LINES else ""
    return (
        f"{count_words(connections, 'connection')}{left_out}. The wider the line, the larger the weight, up to "
        f"{_weight(strongest)}; orange is positive, blue and dashed is negative. A unit's colour is its bias."
    )


def _weight(value: float) -> str:
    return f"{value:.2f}" if value < 1e6 else f"{value:.3g}"


def _weights(network: Network) -> tuple[list[Numbers], list[Numbers]]:
    arrays = [np.array(weight, "float64") for weight in network.weights or ()]
    return arrays[::2], arrays[1::2]


def _column(x: float, units: int, tallest: int, height: float) -> list[tuple[float, float]]:
    """Return where the units of a layer are: evenly, around the middle."""
    gap = min((height - 60) / tallest, 60.0) if units == tallest else min((height - 60) / units, 60.0)
    middle = 20 + (height - 60) / 2
    return [(x, middle + (unit - (units - 1) / 2) * gap) for unit in range(units)]


def _connections(kernels: list[Numbers], places: list[list[tuple[float, float]]]) -> Iterator[Markup]:
    """Yield a path for each sign and each of five widths, the thinnest first."""
    sizes = np.concatenate([np.abs(kernel).ravel() for kernel in kernels])
    largest = float(sizes.max()) or 1.0
    least = float(np.sort(sizes)[-MOST_LINES]) if sizes.size > MOST_LINES else 0.0
    paths: dict[tuple[int, str], list[str]] = {}
    for layer, kernel in enumerate(kernels):
        for source, target in zip(*np.nonzero(np.abs(kernel) >= least), strict=True):
            weight = float(kernel[source, target])
            (x0, y0), (x1, y1) = places[layer][source], places[layer + 1][target]
            d = f"M{x0:.0f} {marks.number(round(y0, 1))}L{x1:.0f} {marks.number(round(y1, 1))}"
            strength = min(4, int(5 * (abs(weight) / largest)))
            paths.setdefault((strength, "positive" if weight >= 0 else "negative"), []).append(d)
    for (strength, sign), pieces in sorted(paths.items()):
        yield marks.tag("path", d="".join(pieces), class_=f"weight {sign} w{strength}")


def _network_labels(
    places: list[list[tuple[float, float]]], widths: tuple[int, ...], height: float
) -> Iterator[Markup]:
    for (x, y), words in zip(places[0], ("first bit", "second bit"), strict=True):
        yield marks.text(x - 16, y + 4, words, "tick", "end")
    ((x, y),) = places[-1]
    yield marks.text(x + 16, y + 4, "their xor", "tick")
    for column, units in list(zip(places, widths, strict=True))[1:-1]:
        yield marks.text(column[0][0], height - 8, units, "tick", "middle")
    if len(places) > 2:
        yield marks.text(places[0][0][0] - 16, height - 8, "neurons", "label", "end")


ACTIVATIONS: dict[str, Callable[[Numbers], Numbers]] = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
}
"""Keras's activations, for drawing them without Keras; a test holds the two against each other."""


def draw_activation(name: str, where: str) -> marks.Picture:
    """Draw an activation from -4 to 4."""
    width, height, left, right, top, bottom = 230.0, 178.0, 30.0, 220.0, 34.0, 154.0
    x = np.linspace(-4, 4, 81)
    y = ACTIVATIONS[name](x)
    low, high = min(float(y.min()), 0.0), max(float(y.max()), 1.0)

    def at(first: float, second: float) -> tuple[float, float]:
        return left + (first + 4) / 8 * (right - left), bottom - (second - low) / (high - low) * (bottom - top)

    zero_x, zero_y = at(0, 0)
    content = [
        marks.tag("line", x1=left, x2=right, y1=zero_y, y2=zero_y, class_="axis"),
        marks.tag("line", x1=zero_x, x2=zero_x, y1=top, y2=bottom, class_="axis"),
        marks.tag(
            "path",
            d=marks.polyline(at(*point) for point in zip(x.tolist(), y.tolist(), strict=True)),
            class_="function",
        ),
        marks.text(left, 16, name, "name"),
        marks.text(right, 16, where, "tick", "end"),
        *(marks.text(at(tick, 0)[0], bottom + 16, tick, "tick", "middle") for tick in (-4, 0, 4)),
        *(
            marks.text(left - 6, at(0, tick)[1] + 4, f"{tick:g}", "tick", "end")
            for tick in sorted({0.0, 1.0, round(high)})
        ),
    ]
    return marks.Picture(
        tuple(content),
        width,
        height,
        title=f"The activation {name}, in {where}",
        description=f"from {y[0]:.2f} at -4 over {ACTIVATIONS[name](np.zeros(1))[0]:.2f} at 0 to {y[-1]:.2f} at 4",
        class_="activation",
    )


def draw_activations(report: Report) -> list[marks.Picture]:
    """Draw the activations that the run's networks use: those of the hidden layers, and the output's."""
    hidden = [draw_activation(name, "hidden layers") for name in report.run.config.activation]
    return [*hidden, draw_activation("sigmoid", "output")]
