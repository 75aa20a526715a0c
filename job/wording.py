"""Numbers and other values as people read them."""

import json
from collections.abc import Sequence

MOST_QUOTED = 80
"""The most letters of a value that is quoted: a longer one is cut."""
MOST_SAID = 200
"""The most letters of another program's message, which may quote a value, too."""


def count_words(count: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun, as `1 trial` or `1,024 trials`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def limit_words(epochs: int) -> str:
    """Write the epoch limit with its noun, as `1000 epochs`: the tables have it as `>1000`."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


def value_words(value: object) -> str:
    """Write a value of an axis, as `adam`, `16`, `0.001` or (None) `none`: different values are different words."""
    if value is None:
        return "none"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def percent(share: float, digits: int = 1) -> str:
    """Write a share in percent, as `97.7`; what is not quite all or nothing is `>99.9` or `<0.1`."""
    least = 10.0**-digits
    words = f"{100 * share:.{digits}f}"
    if 0 < share < 1 and float(words) in (0, 100):
        return f">{100 - least:.{digits}f}" if float(words) else f"<{least:.{digits}f}"
    return words


def listed(words: Sequence[str]) -> str:
    """Join words, as `a`, `a and b` or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def quoted(value: object) -> str:
    """Quote a wrong value: as JSON writes it, what JSON cannot hold with its type; a long one is cut."""
    try:
        return shortened(json.dumps(value))
    except (TypeError, ValueError):
        return f"{shortened(str(value))} ({type(value).__name__})"


def shortened(text: str, most: int = MOST_QUOTED) -> str:
    """Cut a text that is too long to be quoted."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} letters)"
