"""Each trial's median with its interval, and the span of the middle 80%, on one axis."""

from markupsafe import Markup

from job.report.reading import Report
from job.report.sentences import median_of
from job.report.svg.axes import LogScale, PlotArea, epoch_axis
from job.report.svg.elements import Drawing, tag, text
from job.statistics.rows import NOT_TOLD_APART, UNRANKED, WINNER, LeaderboardRow
from job.wording import more_words

MOST_INTERVALS = 40
"""The most trials in one picture."""

_STANDING = {WINNER: "best", NOT_TOLD_APART: "maybe", UNRANKED: "unranked"}


def interval(row: LeaderboardRow, scale: LogScale, y: float) -> Markup:
    """Return a trial's marks: thin from the 10% to the 90% quantile, thick for the median's interval, a dot."""
    numbers, limit = row.outcome, scale.limit
    q10, low, high, q90 = (
        scale(at or limit) for at in (numbers.q10, numbers.median_low, numbers.median_high, numbers.q90)
    )
    thin = tag("line", x1=q10, x2=q90, y1=y, y2=y, class_="thin")
    thick = tag("line", x1=low, x2=max(high, low + 1.5), y1=y, y2=y, class_="thick")
    dot = tag("circle", cx=scale(numbers.median), cy=y, r=2.5, class_="dot") if numbers.median else None
    return tag("g", thin, thick, dot, class_=f"interval {_STANDING.get(row.standing, 'worse')}")


def draw_sparkline(row: LeaderboardRow, limit: int) -> Markup:
    """Draw a trial's marks alone, for a cell of the table, which has the numbers as text."""
    scale = LogScale(limit, 4, 136)
    end = tag("line", x1=136.0, x2=136.0, y1=2.0, y2=18.0, class_="grid")
    return tag(
        "svg",
        end,
        interval(row, scale, 10),
        viewBox="0 0 140 20",
        width=140,
        height=20,
        class_="sparkline",
        aria_hidden="true",
    )


def draw_intervals(report: Report, most: int = MOST_INTERVALS) -> Drawing:
    """Draw each trial's median, its interval, and the span from the 10% to the 90% quantile, best first."""
    rows = report.board.rows[:most]
    longest = max((len(row.trial) for row in rows), default=5)
    left, right, top = 34 + 7.4 * longest, 600.0, 34.0
    more = len(report.board.rows) - len(rows)
    bottom = top + 22.0 * (len(rows) + bool(more)) + 6
    scale = LogScale(report.limit, left, right)
    content = [
        *epoch_axis(
            scale, PlotArea(left, right, top, bottom), f"epochs to solve {report.problem.title} (log scale)"
        )
    ]
    for at, row in enumerate(rows):
        y = top + 22.0 * (at + 0.5) + 3
        content.append(text(left - 12, y + 4, f"{row.sign} {row.trial}".strip(), "tick", "end"))
        content.append(interval(row, scale, y))
    if more:
        content.append(text(left - 12, bottom - 10, more_words(more), "tick", "end"))
    note = "dot: median, thick: its 95% interval, thin: 10% to 90% of starts"
    content.append(text(2, 16, note, "tick"))
    return Drawing(
        tuple(content),
        620,
        bottom + 46,
        title=f"Median epochs to solve {report.problem.title}, with intervals, best first",
        description="; ".join(f"{row.trial}: {median_of(row.outcome, report.limit)}" for row in rows),
        class_="intervals",
    )
