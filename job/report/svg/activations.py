"""The activations that the run's networks use."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from job.report.reading import Report
from job.report.svg.elements import Drawing, polyline, tag, text
from job.report.svg.sheet import side_by_side

ACTIVATION_FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
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
"""Keras's activations, for drawing them without Keras; a test compares the two."""


def draw_activation(name: str, where: str) -> Drawing:
    """Draw an activation from -4 to 4."""
    width, height, left, right, top, bottom = 230.0, 178.0, 30.0, 220.0, 34.0, 154.0
    x = np.linspace(-4, 4, 81)
    y = ACTIVATION_FUNCTIONS[name](x)
    middle = float(y[len(y) // 2])
    low, high = min(float(y.min()), 0.0), max(float(y.max()), 1.0)

    def at(first: float, second: float) -> tuple[float, float]:
        return left + (first + 4) / 8 * (right - left), bottom - (second - low) / (high - low) * (bottom - top)

    zero_x, zero_y = at(0, 0)
    content = [
        tag("line", x1=left, x2=right, y1=zero_y, y2=zero_y, class_="axis"),
        tag("line", x1=zero_x, x2=zero_x, y1=top, y2=bottom, class_="axis"),
        tag(
            "path",
            d=polyline(at(*point) for point in zip(x.tolist(), y.tolist(), strict=True)),
            class_="function",
        ),
        text(left, 16, name, "name"),
        text(right, 16, where, "tick", "end"),
        *(text(at(tick, 0)[0], bottom + 16, tick, "tick", "middle") for tick in (-4, 0, 4)),
        *(
            text(left - 6, at(0, tick)[1] + 4, f"{tick:g}", "tick", "end")
            for tick in sorted({0.0, 1.0, round(high)})
        ),
    ]
    return Drawing(
        tuple(content),
        width,
        height,
        title=f"The activation {name}, in {where}",
        description=f"from {y[0]:.2f} at -4 through {middle:.2f} at 0 to {y[-1]:.2f} at 4",
        class_="activation",
    )


def draw_activations(report: Report) -> Drawing:
    """Draw the activations that the run's networks use, in one picture."""
    drawings = activations_in_use(report)
    return side_by_side(drawings, [""] * len(drawings), title="Activations")


def activations_in_use(report: Report) -> list[Drawing]:
    """Draw the activations that the run's networks use: those of the hidden layers, and the output's."""
    settings = report.run.settings
    hidden = [draw_activation(name, "hidden layers") for name in settings.activation if any(settings.layers)]
    return [*hidden, draw_activation("sigmoid", "output")]
