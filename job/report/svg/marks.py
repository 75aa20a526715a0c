"""SVG from plain functions: elements, numbers, scales, axes and colours."""

import base64
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

_VIRIDIS = (
    *("#46327e", "#414487", "#3b518b", "#355e8d", "#2f6b8e", "#2a788e", "#25848e", "#21918c"),
    *("#1f9e89", "#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219"),
)
"""matplotlib's viridis without its darkest end: lightness rises evenly, in grey and for the colour-blind, too."""

_BLUE_TO_ORANGE = ("#0072b2", "#5ba3cf", "#b5d4e8", "#f4f1ec", "#f6cf9c", "#e8984d", "#c75b00")
"""Okabe and Ito's blue and vermilion with a light middle; both ends are about equally dark."""


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Return an element; text and attributes are escaped, None leaves an attribute out.

    An attribute is written as in Python: `class_`, `stroke_width`.
    """
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(item)) for item in content if item is not None)
    return Markup(f"<{name}{words}>{inner}</{name}>" if inner else f"<{name}{words}/>")  # noqa: S704 - escaped above


def number(value: float) -> str:
    """Write a coordinate: at most two decimals, no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def text(x: float, y: float, words: object, class_: str | None = None, anchor: str | None = None) -> Markup:
    """Return a text whose baseline is at y; anchor is None (x is its start), `middle` or `end`."""
    return tag("text", words, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


LEGEND_WIDTH = 390.0
"""So much of a plot's width is seen at once on a telephone."""


def legend_places(words: Sequence[str], left: float, most: float = LEGEND_WIDTH) -> list[tuple[float, int]]:
    """Return where each entry of a legend begins, and in which row, in as many rows as have room."""
    places: list[tuple[float, int]] = []
    x, row = left, 0
    for said in words:
        width = 44 + 6.6 * len(said)
        if x > left and x + width > most:
            x, row = left, row + 1
        places.append((x, row))
        x += width
    return places


@dataclass(frozen=True)
class Picture:
    """A picture with its text alternative; its size is in pixels."""

    content: tuple[Markup | None, ...]
    width: float
    height: float
    title: str
    description: str
    class_: str
    role: str = "img"
    """`img`: one picture; `group`: its parts are links, each with its own words."""

    def __html__(self) -> Markup:
        """Return the element, as the page has it."""
        return self.element()

    def element(self, before: Markup | None = None, id: str | None = None) -> Markup:  # noqa: A002 - the attribute
        """Return the element; `before` comes first in it."""
        return tag(
            "svg",
            tag("title", self.title) if self.role == "img" else None,
            tag("desc", self.description),
            before,
            *self.content,
            id=id,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(self.width)} {number(self.height)}",
            width=float(self.width),
            height=float(self.height),
            class_=f"picture {self.class_}",
            role=self.role,
            aria_label=f"{self.title}. {self.description}" if self.role == "img" else self.title,
        )


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Return a path's `d` through points, in as few words as it takes."""
    words: list[str] = []
    last = ("", "")
    for x, y in points:
        point = number(x), number(y)
        if not words:
            words = [f"M{point[0]} {point[1]}"]
        elif point == last:
            continue
        elif point[1] == last[1]:
            words[-1:] = _along(words[-1], "H", point[0])
        elif point[0] == last[0]:
            words[-1:] = _along(words[-1], "V", point[1])
        else:
            words.append(f"L{point[0]} {point[1]}")
        last = point
    return "".join(words)


def _along(word: str, letter: str, to: str) -> list[str]:
    """Go on along an axis: one word where the last one went along it, too."""
    return [f"{letter}{to}"] if word.startswith(letter) else [word, f"{letter}{to}"]


def steps(x: Sequence[float], y: Sequence[float], until: float) -> list[tuple[float, float]]:
    """Return the corners of a step function that is y[i] from x[i] to x[i + 1], the last one until `until`."""
    corners: list[tuple[float, float]] = []
    for left, right, height in zip(x, [*x[1:], until], y, strict=True):
        corners += [(left, height), (right, height)]
    return corners


class LogScale:
    """Epochs from 1 to the limit, on a logarithmic axis."""

    def __init__(self, limit: int, left: float, right: float) -> None:
        self.limit, self.left, self.right = limit, left, right

    def __call__(self, epoch: float) -> float:
        """Return where an epoch is, in half pixels."""
        share = math.log(max(epoch, 1)) / math.log(max(self.limit, 2))
        return round(2 * (self.left + (self.right - self.left) * min(share, 1.0))) / 2

    def until(self, epoch: int) -> float:
        """Return where a line ends that an epoch is the last of; with a limit of 1, too, it has some length."""
        return self.right if epoch >= self.limit else self(epoch)

    def ticks(self) -> list[int]:
        """Return the powers of ten, the limit, and where there is room also their double and fivefold."""
        powers = range(int(math.log10(self.limit)) + 1)
        factors = (1, 2, 5) if self.limit <= 5000 else (1,)
        epochs = [factor * 10**power for power in powers for factor in factors]
        kept = [epoch for epoch in epochs if self(self.limit) - self(epoch) > 26]
        return [*kept, self.limit]


def epoch_axis(scale: LogScale, top: float, bottom: float, label: str) -> list[Markup]:
    """Return the epoch axis below a plot, with its grid."""
    ticks = [(scale(epoch), epoch) for epoch in scale.ticks()]
    grid = "".join(f"M{number(x)} {number(top)}V{number(bottom)}" for x, _ in ticks)
    return [
        tag("path", d=grid, class_="grid"),
        *(text(x, bottom + 17, f"{epoch:,}", "tick", "middle") for x, epoch in ticks),
        text((scale.left + scale.right) / 2, bottom + 37, label, "label", "middle"),
    ]


def share_axis(
    left: float, right: float, top: float, bottom: float, label: str, *, above: float = 14
) -> list[Markup]:
    """Return an axis from 0 % (bottom) to 100 % (top) at the left of a plot, with its grid; its label is above."""
    ticks = [(bottom - (bottom - top) * percent / 100, percent) for percent in (0, 25, 50, 75, 100)]
    grid = "".join(f"M{number(left)} {number(y)}H{number(right)}" for y, _ in ticks[1:])
    return [
        tag("path", d=grid, class_="grid"),
        tag("path", d=f"M{number(left)} {number(bottom)}H{number(right)}", class_="axis"),
        *(text(left - 8, y + 4, f"{percent} %", "tick", "end") for y, percent in ticks),
        text(left - 46, top - above, label, "label"),
    ]


def sequential(share: float) -> str:
    """Return the colour of a share of the way from dark (0) to bright (1)."""
    return _mixed(_VIRIDIS, share)


def diverging(share: float) -> str:
    """Return the colour of a share of the way from blue (0) over a light middle to orange (1)."""
    return _mixed(_BLUE_TO_ORANGE, share)


def _mixed(colours: Sequence[str], share: float) -> str:
    at = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    first = min(int(at), len(colours) - 2)
    pair = [np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) for colour in colours[first : first + 2]]
    red, green, blue = (pair[0] + (pair[1] - pair[0]) * (at - first)).round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    light = sorted((_luminance(first), _luminance(second)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def readable_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, colour))


def png(values: NDArray[np.float64]) -> str:
    """Return a picture of values from 0 to 1 (rows from the top) in the diverging colours, as a data: URL."""
    levels = 48
    palette = b"".join(bytes.fromhex(diverging(level / (levels - 1))[1:]) for level in range(levels)) + b"\x88" * 3
    indexes = np.where(np.isfinite(values), np.nan_to_num(values).clip(0, 1) * (levels - 1), levels).round()
    rows = b"".join(b"\0" + row.tobytes() for row in indexes.astype("uint8"))
    height, width = values.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in parts
    )
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
