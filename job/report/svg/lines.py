"""The colours and dashes that distinguish the lines of a plot, and where the name of each line goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from job.report.svg.axes import PlotArea

COLOURS = 7
"""The number of line colours: `--c0` to `--c6` in plot.css."""


@dataclass(frozen=True)
class Dash:
    """A pattern of dashes."""

    pattern: str
    """The lengths of its dashes and gaps, as `stroke-dasharray` takes them."""
    named_at: float
    """The share at which a falling curve with these dashes is named."""


DASHES = (
    Dash("none", 0.1),
    Dash("8 4", 0.26),
    Dash("2 3", 0.42),
    Dash("12 3 2 3", 0.58),
    Dash("20 5", 0.74),
    Dash("9 3 2 3 2 3", 0.9),
)
"""The fastest curve has the first, whose name is lowest. The numbers of colours and of dashes are coprime, so each
of the `COLOURS * len(DASHES)` slots has its own pair of colour and dashes."""

NAME_HEIGHT = 13
"""The least distance between the baselines of two names, in pixels."""

LETTER_WIDTH = 7.0
"""The approximate width of a letter in a name, in pixels."""


def slot(position: int) -> str:
    """Return the classes that give the line at this position its colour and dashes; neighbours differ in both."""
    return f"s{position % COLOURS} d{position % len(DASHES)}"


def all_slots() -> list[str]:
    """Return the classes of all positions whose lines look different."""
    return [slot(position) for position in range(COLOURS * len(DASHES))]


def line_styles() -> str:
    """Return the style sheet of the slots."""
    colours = [f".s{at} {{ --line: var(--c{at}); }}\n" for at in range(COLOURS)]
    dashes = [f".d{at} {{ --dash: {dash.pattern}; }}\n" for at, dash in enumerate(DASHES)]
    return "".join([*colours, *dashes])


@dataclass(frozen=True)
class NamePlace:
    """Where a curve's name goes."""

    x: float
    y: float
    """Its baseline."""
    width: float
    anchor: str
    """`end`: it ends at x, left of its curve; `start`: it begins there."""

    @property
    def left(self) -> float:
        """Its left end."""
        return self.x - self.width if self.anchor == "end" else self.x


def name_places(name: str, falls: Sequence[tuple[float, float]], area: PlotArea) -> list[NamePlace]:
    """Return where a curve's name goes with each of the patterns of dashes.

    Args:
        name: the name.
        falls: the curve: its share from each x on.
        area: where it is drawn.
    """
    return [_name_place(LETTER_WIDTH * len(name), falls, area, dash.named_at) for dash in DASHES]


def _name_place(width: float, falls: Sequence[tuple[float, float]], area: PlotArea, named_at: float) -> NamePlace:
    """Return where a name goes: next to the curve at its share, or above the end of a curve that stays higher.

    Faster curves are named to the left of their lower half, the others to the right of their upper half.
    """
    is_left = named_at < 0.5
    most = area.right if is_left else area.right - width
    anchor = "end" if is_left else "start"
    fallen = next((x for x, share in falls if share <= named_at), None)
    if fallen is None:
        return NamePlace(most, area.height(falls[-1][1] if falls else 1) - 7, width, anchor)
    x = max(fallen - 7, area.left + width) if is_left else min(fallen + 7, most)
    return NamePlace(x, area.height(named_at) + 4, width, anchor)


def spread_names(places: Mapping[str, NamePlace]) -> dict[str, float]:
    """Return the baseline of each name so that no two overlap: the lower one moves down.

    The page's script does the same for the trials that a reader picks.
    """
    taken: list[tuple[float, NamePlace]] = []
    baselines: dict[str, float] = {}
    for name, place in sorted(places.items(), key=lambda item: (item[1].y, item[1].left, item[1].width, item[0])):
        y = place.y
        while any(_overlap(place, y, other, at) for at, other in taken):
            y += 1
        taken.append((y, place))
        baselines[name] = y
    return baselines


def _overlap(place: NamePlace, y: float, other: NamePlace, other_y: float) -> bool:
    beside = place.left < other.left + other.width and other.left < place.left + place.width
    return abs(y - other_y) < NAME_HEIGHT and beside
