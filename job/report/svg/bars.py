"""Numbers of many trials as marks on one axis: medians with their intervals, and where the time went."""

from collections.abc import Sequence

from markupsafe import Markup

from job.report.reading import Report
from job.report.sentences import SIGNS, median_words
from job.report.svg import marks
from job.statistics.leaderboard import NOT_TOLD_APART, UNRANKED, WINNER, Row
from job.wording import count_words

MOST_ROWS = 40
"""The most trials of one picture here."""

PARTS = {
    "start": "TensorFlow's start",
    "compile": "compilation",
    "train": "training",
    "other": "drawing weights, writing files",
}
"""Where the time goes, in the order in which it does."""

_STANDING = {WINNER: "best", NOT_TOLD_APART: "maybe", UNRANKED: "unranked"}


def interval(row: Row, scale: marks.LogScale, y: float) -> Markup:
    """Return a trial's marks: thin from its 10 % to its 90 % quantile, thick the median's interval, a dot."""
    numbers, limit = row.outcome, scale.limit
    q10, low, high, q90 = (
        scale(at or limit) for at in (numbers.q10, numbers.median_low, numbers.median_high, numbers.q90)
    )
    thin = marks.tag("line", x1=q10, x2=q90, y1=y, y2=y, class_="thin")
    thick = marks.tag("line", x1=low, x2=max(high, low + 1.5), y1=y, y2=y, class_="thick")
    dot = marks.tag("circle", cx=scale(numbers.median), cy=y, r=2.5, class_="dot") if numbers.median else None
    return marks.tag("g", thin, thick, dot, class_=f"interval {_STANDING.get(row.standing, 'worse')}")


def draw_sparkline(row: Row, limit: int) -> Markup:
    """Draw a trial's marks alone, for a cell of the table, whose text has the numbers."""
    scale = marks.LogScale(limit, 4, 136)
    end = marks.tag("line", x1=136.0, x2=136.0, y1=2.0, y2=18.0, class_="grid")
    return marks.tag(
        "svg",
        end,
        interval(row, scale, 10),
        viewBox="0 0 140 20",
        width=140,
        height=20,
        class_="sparkline",
        aria_hidden="true",
    )


def draw_intervals(report: Report, most: int = MOST_ROWS) -> marks.Picture:
    """Draw each trial's median, its interval, and the span from the 10 % to the 90 % quantile, best first."""
    rows = report.board.rows[:most]
    longest = max((len(row.trial) for row in rows), default=5)
    left, right, top = 34 + 7.4 * longest, 600.0, 34.0
    more = len(report.board.rows) - len(rows)
    bottom = top + 22.0 * (len(rows) + bool(more)) + 6
    scale = marks.LogScale(report.limit, left, right)
    content = [*marks.epoch_axis(scale, top, bottom, "epochs to solve XOR (log scale)")]
    for at, row in enumerate(rows):
        y = top + 22.0 * (at + 0.5) + 3
        content.append(
            marks.text(left - 12, y + 4, f"{SIGNS.get(row.standing, '')} {row.trial}".strip(), "tick", "end")
        )
        content.append(interval(row, scale, y))
    if more:
        content.append(marks.text(left - 12, bottom - 10, f"and {more:,} more", "tick", "end"))
    note = "dot: median, thick: its 95 % interval, thin: 10 % to 90 % of starts"
    content.append(marks.text(2, 16, note, "tick"))
    return marks.Picture(
        tuple(content),
        620,
        bottom + 46,
        title="Median epochs to solve XOR, with intervals, best first",
        description="; ".join(f"{row.trial}: {median_words(row.outcome, report.limit)}" for row in rows),
        class_="intervals",
    )


def slowest(report: Report) -> Sequence[str]:
    """Return the trials that took longest, the longest first, as many as are drawn."""
    known = {name: sum(parts.values()) for name, parts in report.seconds.items() if parts}
    return sorted(known, key=lambda name: -known[name])[:MOST_ROWS]


def draw_times(report: Report) -> marks.Picture | None:
    """Draw where the time of each trial went; None where no trial says it."""
    names = slowest(report)
    if not names:
        return None
    longest = sum(report.seconds[names[0]].values()) or 1.0
    legend = marks.legend_places([*PARTS.values()], 2)
    left, right, top = 20 + 7.4 * max(map(len, names)), 660.0, 44.0 + 20 * legend[-1][1]
    content = []
    for at, name in enumerate(names):
        y, x = top + 22.0 * at, left
        spent = report.seconds[name]
        content.append(marks.text(left - 10, y + 13, name, "tick", "end"))
        for part, words in PARTS.items():
            width = (right - left) * spent.get(part, 0.0) / longest
            title = marks.tag("title", f"{name}: {words} {spent.get(part, 0.0):.1f} s")
            if width >= 0.1:
                content.append(marks.tag("rect", title, x=x, y=y, width=width, height=17.0, class_=f"time {part}"))
            x += width
        content.append(marks.text(x + 8, y + 13, seconds_words(sum(spent.values())), "tick"))
    for (part, words), (x, row) in zip(PARTS.items(), legend, strict=True):
        y = 10 + 20.0 * row
        content.append(marks.tag("rect", x=x, y=y, width=14.0, height=14.0, class_=f"time {part}"))
        content.append(marks.text(x + 20, y + 11, words, "tick"))
    return marks.Picture(
        tuple(content),
        740,
        top + 22.0 * len(names) + 8,
        title="Where the time went, the longest first",
        description=time_words(report),
        class_="times",
    )


def time_words(report: Report) -> str:
    """Say how long the trials took together, and on what."""
    known = [parts for parts in report.seconds.values() if parts]
    if not known:
        return "No trial says how long it took."
    total = sum(sum(parts.values()) for parts in known)
    shares = [
        f"{words} {seconds_words(spent)} ({spent / total:.0%})".replace("%", " %")
        for part, words in PARTS.items()
        if (spent := sum(parts.get(part, 0.0) for parts in known)) and total
    ]
    took = f"{count_words(len(known), 'trial')} took {seconds_words(total)} in all, those side by side added up"
    return f"{took}: {', '.join(shares)}."


def seconds_words(seconds: float) -> str:
    """Write a time, as `0.4 s`, `12 s` or `3 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
