"""A picture of a run, for a notebook to show."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SvgPicture:
    """One of the report's pictures; a notebook shows it."""

    kind: str
    """Which picture it is, such as `survival`."""
    svg: str
    """The text of an SVG file, for light and dark themes."""

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        """Return which picture it is, and how to see it outside a notebook."""
        return f"<SvgPicture '{self.kind}': a notebook shows it, .save(path) writes it>"

    def save(self, path: str | Path) -> Path:
        """Write the picture as an SVG file, replacing any existing file, and return its path.

        Raises:
            OSError: the file cannot be written.
        """
        target = Path(path)
        target.write_text(self.svg, encoding="utf-8")
        return target
