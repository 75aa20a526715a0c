"""The indexes in a Job's status: `1,3-5,9999` means 1, 3, 4, 5 and 9999."""

from bisect import bisect_right
from collections.abc import Iterator


class IndexRanges:
    """A set of whole numbers, kept as ranges: 10,000 consecutive indexes take as much memory as one."""

    def __init__(self, text: str = "") -> None:
        """Parse `status.completedIndexes` or `status.failedIndexes`; "" is the empty set."""
        pairs = [part.partition("-") for part in text.split(",") if part]
        self._first = [int(first) for first, _, _ in pairs]
        self._last = [int(last or first) for first, _, last in pairs]

    def __contains__(self, index: int) -> bool:
        """Return whether the index is among them."""
        at = bisect_right(self._first, index) - 1
        return at >= 0 and index <= self._last[at]

    def __len__(self) -> int:
        """Count them."""
        return sum(self._last) - sum(self._first) + len(self._first)

    def __iter__(self) -> Iterator[int]:
        """Yield them in ascending order."""
        for first, last in zip(self._first, self._last, strict=True):
            yield from range(first, last + 1)
