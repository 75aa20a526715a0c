"""Several pictures arranged in one."""

from collections.abc import Sequence

from markupsafe import Markup

from job.report.svg.elements import Drawing, number, tag, text

_GAP, _HEAD = 28.0, 26.0


def side_by_side(pictures: Sequence[Drawing], names: Sequence[str], *, title: str, columns: int = 0) -> Drawing:
    """Arrange pictures in rows, each under its name, as one picture."""
    if not pictures:
        return Drawing((), 0, 0, title, "", "sheet")
    wide = max(max(picture.width, 7.5 * len(name)) for picture, name in zip(pictures, names, strict=True))
    columns = min(columns or max(1, int(1000 // (wide + _GAP))), len(pictures))
    content: list[Markup] = []
    y, widest = 0.0, 0.0
    for start in range(0, len(pictures), columns):
        x = 0.0
        row = list(zip(pictures, names, strict=True))[start : start + columns]
        for picture, name in row:
            content.append(text(x + 2, y + 16, name, "name"))
            inner = picture.element()
            content.append(tag("g", inner, transform=f"translate({number(x)} {number(y + _HEAD)})"))
            x += wide + _GAP
        widest = max(widest, x - _GAP)
        y += max(picture.height for picture, _ in row) + _HEAD + 14
    description = ". ".join(f"{name}: {picture.description}" for picture, name in zip(pictures, names, strict=True))
    return Drawing(tuple(content), widest, y - 14, title, description, "sheet")
