"""How numbers, lists and other values are written for people: one function for each kind, used everywhere.

An epoch of None is beyond the epoch limit, or there are too few random starts to estimate it.
"""

import json
from collections.abc import Sequence

MOST_QUOTED = 80
"""A quoted value is cut after this many characters."""
MOST_SAID = 200
"""Another program's message, which may also quote a value, is cut after this many characters."""

NO_VALUE = "–"  # noqa: RUF001 - a dash, not a minus
"""A table shows it where there is no value."""


def count_words(count: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun, as `1 trial` or `1,024 trials`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def limit_words(epochs: int) -> str:
    """Write the epoch limit with its noun, as `1000 epochs`, without a comma: tables show it as `>1000`."""
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


def hidden_layers_words(layers: int, neurons: int) -> str:
    """Write the hidden layers of a network, as `2 hidden layers of 16 neurons` or `no hidden layer`."""
    if not layers:
        return "no hidden layer"
    return f"{count_words(layers, 'hidden layer')} of {count_words(neurons, 'neuron')}"


def value_words(value: object) -> str:
    """Write a value of an axis, as `adam`, `16`, `0.001` or (None) `none`; no two values are written alike."""
    if value is None:
        return "none"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def epoch_words(epoch: int | None, limit: int) -> str:
    """Write an epoch, as `22`; None is written as `>1000`, with the epoch limit."""
    return f">{limit}" if epoch is None else str(epoch)


def median_words(median: int | None, low: int | None, high: int | None, limit: int) -> str:
    """Write a median with the ends of its interval, in epochs, as `22 (20 to 23)`."""
    return f"{epoch_words(median, limit)} ({epochs_words(low, high, limit)})"


def median_interval_words(median: int | None, low: int | None, high: int | None, limit: int) -> str:
    """Write a median with the ends of its interval for a sentence, as `22 (95% interval 20 to 23)`."""
    return f"{epoch_words(median, limit)} (95% interval {epochs_words(low, high, limit)})"


def epochs_words(first: int | None, last: int | None, limit: int) -> str:
    """Write a range of epochs, as `20 to 23` or `618 to >1000`."""
    return f"{epoch_words(first, limit)} to {epoch_words(last, limit)}"


def percent(share: float, digits: int = 1) -> str:
    """Write a share, from 0 to 1, as a percentage, as `97.7`; one that is not quite 0 or 1 is `<0.1` or `>99.9`."""
    least = 10.0**-digits
    words = f"{100 * share:.{digits}f}"
    if 0 < share < 1 and float(words) in (0, 100):
        return f">{100 - least:.{digits}f}" if float(words) else f"<{least:.{digits}f}"
    return words


def share_words(share: float, low: float, high: float) -> str:
    """Write a share with the ends of its interval, each from 0 to 1, as `97.7% (95.0% to 98.9%)`."""
    return f"{percent(share)}% ({shares_words(low, high)})"


def shares_words(low: float, high: float) -> str:
    """Write a range of shares, as `95.0% to 98.9%`."""
    return f"{low:.1%} to {high:.1%}"


def p_value_words(p: float) -> str:
    """Write a p-value for a table, as `0.012` or `<0.001`."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def p_equation(p: float) -> str:
    """Write a p-value for a sentence, as `p = 0.012` or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def duration_words(seconds: float, digits: int = 1) -> str:
    """Write a duration, as `0.4 s`, `12 s`, `3 min 20 s` or `2 h 5 min`; below 10 s, with this many decimals."""
    if seconds < 10:
        return f"{seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def scaled(number: float) -> str:
    """Write a large number with a unit prefix, as `3.2 M` or `850`."""
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {prefix}"
    return f"{number:.0f}"


def rate_words(replicate_epochs: float, seconds: float) -> str:
    """Write a training speed, as `3.2 M replicate-epochs/s`."""
    return f"{scaled(replicate_epochs / seconds if seconds > 0 else 0.0)} replicate-epochs/s"


def more_words(count: int) -> str:
    """Write how many items a list leaves out, as `and 3 more`."""
    return f"and {count:,} more"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """List names, as `a`, `a and b` or `a, b and c`, or `none` if there are none.

    Args:
        names: the names.
        most: how many names to write; any others are counted, as `a, b and 3 more`.
    """
    if most is not None and len(names) > most:
        return f"{', '.join(names[:most])} {more_words(len(names) - most)}"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "none"


def listed_reasons(reasons: Sequence[str], most: int = 3) -> str:
    """List sentences that say what is wrong, as `a; b; c; and 2 more`."""
    more = f"; {more_words(len(reasons) - most)}" if len(reasons) > most else ""
    return f"{'; '.join(reasons[:most])}{more}"


def one_line(text: str) -> str:
    """Write a text on one line, with one space for each line break or other run of white space."""
    return " ".join(text.split())


def quoted(value: object) -> str:
    """Quote a wrong value as JSON writes it, or with its type if JSON cannot hold it; a long one is cut."""
    try:
        return shortened(json.dumps(value))
    except (TypeError, ValueError):
        return f"{shortened(str(value))} ({type(value).__name__})"


def shortened(text: str, most: int = MOST_QUOTED) -> str:
    """Cut a text that is too long to quote."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
