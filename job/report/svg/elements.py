"""Plain functions for SVG elements and paths, and a picture with its text alternative."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Return an element; text and attributes are escaped, and None omits an attribute.

    Attributes are named as in Python: `class_`, `stroke_width`.
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


@dataclass(frozen=True)
class Drawing:
    """A picture with its text alternative; its size is in pixels."""

    content: tuple[Markup | None, ...]
    width: float
    height: float
    title: str
    description: str
    class_: str
    role: str = "img"
    """`img`: one picture; `group`: its parts are links, each with its own words."""
    caption: str = ""
    """What the page shows below it."""

    def __html__(self) -> Markup:
        """Return the element, as the page includes it."""
        return self.element()

    def element(self, before: Markup | None = None, id: str | None = None) -> Markup:  # noqa: A002 - the attribute
        """Return the element; `before` precedes its content."""
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
    """Return a path's `d` through points, in as few words as possible."""
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
    """Continue along an axis: in the same word if the last one also went along it."""
    return [f"{letter}{to}"] if word.startswith(letter) else [word, f"{letter}{to}"]


def steps(x: Sequence[float], y: Sequence[float], until: float) -> list[tuple[float, float]]:
    """Return the corners of a step function that is y[i] from x[i] to x[i + 1], the last one up to `until`."""
    corners: list[tuple[float, float]] = []
    for left, right, height in zip(x, [*x[1:], until], y, strict=True):
        corners += [(left, height), (right, height)]
    return corners
