"""Where the time of each trial went."""

from collections.abc import Sequence

from job.errors import NothingToDrawError
from job.report.reading import Report
from job.report.svg.axes import legend_places
from job.report.svg.elements import Drawing, tag, text
from job.wording import count_words, duration_words, percent

MOST_TIMES = 40
"""The most trials in one picture."""

PARTS = {
    "start": "TensorFlow's start",
    "compile": "compilation",
    "train": "training",
    "other": "drawing weights, writing files",
}
"""Where the time goes, in chronological order."""


def slowest(report: Report) -> Sequence[str]:
    """Return the slowest trials, the slowest first, as many as are drawn."""
    known = {name: seconds.total for name, seconds in report.seconds.items() if seconds.parts}
    return sorted(known, key=lambda name: -known[name])[:MOST_TIMES]


def draw_times(report: Report) -> Drawing:
    """Draw where the time of each trial went.

    Raises:
        NothingToDrawError: no trial has recorded it.
    """
    names = slowest(report)
    if not names:
        raise NothingToDrawError("no trial has recorded how long it took")
    longest = report.seconds[names[0]].total or 1.0
    legend = legend_places([*PARTS.values()], 2)
    left, right, top = 20 + 7.4 * max(map(len, names)), 660.0, 44.0 + 20 * legend[-1].row
    content = []
    for at, name in enumerate(names):
        y, x = top + 22.0 * at, left
        spent = report.seconds[name].parts
        content.append(text(left - 10, y + 13, name, "tick", "end"))
        for part, words in PARTS.items():
            width = (right - left) * spent.get(part, 0.0) / longest
            title = tag("title", f"{name}: {words} {spent.get(part, 0.0):.1f} s")
            if width >= 0.1:
                content.append(tag("rect", title, x=x, y=y, width=width, height=17.0, class_=f"time {part}"))
            x += width
        content.append(text(x + 8, y + 13, duration_words(report.seconds[name].total), "tick"))
    for (part, words), place in zip(PARTS.items(), legend, strict=True):
        y = 10 + 20.0 * place.row
        content.append(tag("rect", x=place.x, y=y, width=14.0, height=14.0, class_=f"time {part}"))
        content.append(text(place.x + 20, y + 11, words, "tick"))
    return Drawing(
        tuple(content),
        740,
        top + 22.0 * len(names) + 8,
        title="Where the time went, the slowest trial first",
        description=time_words(report),
        class_="times",
        caption=_caption(report, len(names)),
    )


def _caption(report: Report, shown: int) -> str:
    said = (
        "TensorFlow starts once per process, so only the first trial of each shows it; "
        "the time that a pod waited before that is not included."
    )
    trials = len(report.seconds)
    return f"{said} These are the {shown} slowest of {count_words(trials, 'trial')}." if shown < trials else said


def time_words(report: Report) -> str:
    """Return how long the trials took in all, and on what, in words."""
    known = [seconds.parts for seconds in report.seconds.values() if seconds.parts]
    if not known:
        return "No trial has recorded how long it took."
    total = sum(sum(parts.values()) for parts in known)
    shares = [
        f"{words} {duration_words(spent)} ({percent(spent / total, 0)}%)"
        for part, words in PARTS.items()
        if (spent := sum(parts.get(part, 0.0) for parts in known)) and total
    ]
    took = f"{count_words(len(known), 'trial')} took {duration_words(total)} in all, with parallel trials added up"
    return f"{took}: {', '.join(shares)}."
