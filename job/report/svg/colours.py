"""Colour scales, contrast, and images of values."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_VIRIDIS = (
    "#46327e",
    "#414487",
    "#3b518b",
    "#355e8d",
    "#2f6b8e",
    "#2a788e",
    "#25848e",
    "#21918c",
    "#1f9e89",
    "#28ae80",
    "#3fbc73",
    "#5ec962",
    "#84d44b",
    "#addc30",
    "#d8e219",
)
"""matplotlib's viridis without its darkest end: lightness rises evenly, even in grey and for the colour-blind."""

_BLUE_TO_ORANGE = ("#0072b2", "#5ba3cf", "#b5d4e8", "#f4f1ec", "#f6cf9c", "#e8984d", "#c75b00")
"""Okabe and Ito's blue and vermilion with a light middle; both ends are about equally dark."""


def sequential(share: float) -> str:
    """Return the colour at a share of the way from dark (0) to bright (1)."""
    return _mixed(_VIRIDIS, share)


def diverging(share: float) -> str:
    """Return the colour at a share of the way from blue (0) through a light middle to orange (1)."""
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
