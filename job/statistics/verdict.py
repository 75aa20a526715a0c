"""What the data say, in words: the verdict on a run, and the outcome of one trial."""

from collections.abc import Sequence

from job.runs.results import Outcome
from job.statistics.ranking import Ranking
from job.statistics.rows import WORSE, LeaderboardRow
from job.wording import hidden_layers_words, limit_words, listed, median_interval_words, percent, shares_words

MOST_LETTERS = 100
"""A list shows its first five names if these have at most this many characters together, or else two."""


def verdict_words(
    rows: Sequence[LeaderboardRow],
    ranking: Ranking | None,
    *,
    title: str,
    limit: int,
    missing: Sequence[str] = (),
    damaged: Sequence[str] = (),
) -> str:
    """Return in one sentence which trial of a run is best, how certain that is, and which others may be as good.

    Args:
        rows: the trials that have a result, best first.
        ranking: the comparisons behind the rows; None if there are no rows.
        title: the problem's name in a sentence, such as `XOR`.
        limit: the epoch limit.
        missing: the trials that have no result yet.
        damaged: the trials whose result cannot be read.
    """
    gaps = _gaps(len(rows), missing, damaged)
    if ranking is None:
        return f"No trial has a result{gaps}." if damaged else "No trial has a result."
    if ranking.winner is None:
        return f"No start of any trial solved {title} within {limit_words(limit)}{gaps}."
    winner = rows[0]
    name = f"{winner.trial} ({hidden_layers_words(winner.architecture.layers, winner.architecture.neurons)})"
    how = _how_good(winner.outcome, limit, title)
    if len(rows) == 1:
        return f"{name}: {how}{gaps}."
    leads = "leads" if winner.outcome.median is None else "is fastest"
    others = "every other trial with a result" if gaps else "every other trial"
    return f"{name} {leads}: {how}; {_others(rows, ranking, others)}{gaps}."


def outcome_words(numbers: Outcome, limit: int, title: str) -> str:
    """Return a trial's outcome in one line.

    Args:
        numbers: the outcome.
        limit: the epoch limit.
        title: the problem's name in a sentence, such as `XOR`.
    """
    if numbers.median is None:
        half = f"fewer than half of the starts solve {title} within {limit_words(limit)}"
    else:
        half = f"half of the starts solve {title} by epoch {_median(numbers, limit)}"
    return (
        f"{half}; {numbers.solved} of {numbers.replicates} solved, {percent(numbers.share_solved)}% "
        f"(95% interval {shares_words(numbers.share_low, numbers.share_high)})"
    )


def _how_good(numbers: Outcome, limit: int, title: str) -> str:
    if numbers.median is None:
        return f"{percent(numbers.share_solved)}% of its starts solve {title} within {limit_words(limit)}"
    return f"half of its starts solve {title} by epoch {_median(numbers, limit)}"


def _median(numbers: Outcome, limit: int) -> str:
    return median_interval_words(numbers.median, numbers.median_low, numbers.median_high, limit)


def _others(rows: Sequence[LeaderboardRow], ranking: Ranking, others: str) -> str:
    close, sooner = ranking.not_told_apart, ranking.sooner_overall
    words = f"{_listed(close)} cannot be told apart from it" if close else f"{others} is slower"
    if sooner:
        words += f", and {_listed(sooner)} {'is' if len(sooner) == 1 else 'are'} faster over all epochs"
    smallest = min(rows, key=lambda row: (row.standing == WORSE, row.architecture.weights))
    return words if smallest is rows[0] else f"{words}; of these, {smallest.trial} is the smallest network"


def _gaps(rows: int, missing: Sequence[str], damaged: Sequence[str]) -> str:
    words = ""
    if missing:
        has = "has" if len(missing) == 1 else "have"
        words += f"; {len(missing)} of {rows + len(missing) + len(damaged)} trials {has} no result"
    if damaged:
        results, are = ("result", "is") if len(damaged) == 1 else ("results", "are")
        words += f"; the {results} of {_listed(damaged)} {are} damaged"
    return words


def _listed(names: Sequence[str]) -> str:
    return listed(names, most=5 if len("".join(names[:5])) <= MOST_LETTERS else 2)
