"""The report's sentences, computed from the run's data."""

from collections.abc import Mapping
from dataclasses import replace

from job.grid import Architecture
from job.leaderboard import NOT_TOLD_APART, WINNER, Row, epoch
from job.report.reading import Report
from job.survival import SIGNIFICANCE_LEVEL, Comparison, EpochsToSolve, Outcome, compare

SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
"""What marks a trial's standing, beside any colour."""

CLAIMED_SLOWER, CLAIMED_FASTER = 32, 16
"""The tutorial: a hidden layer of 32 neurons is slower than one of 16."""


def claim(report: Report) -> str | None:
    """Hold the tutorial's claim, that 32 neurons are slower than 16, against the run's data.

    The pair was named before this run's data were seen, so its p-value needs no correction. Both networks
    have the fewest hidden layers for which the grid has both, and are trained as the tutorial does.

    Returns:
        The sentence; None where the run has no such pair.
    """
    pair = _claimed_pair({row.architecture: report.data[row.trial] for row in report.board.rows})
    if pair is None:
        return None
    layers, test = pair
    where = f"{layers} hidden layer{'' if layers == 1 else 's'}"
    said = f"The tutorial's claim that {CLAIMED_SLOWER} neurons are slower than {CLAIMED_FASTER} ({where})"
    p = p_words(test.p_value)
    if test.p_value >= SIGNIFICANCE_LEVEL:
        return f"{said} is neither confirmed nor refuted by this run ({p})."
    return f"{said} does not hold: they are faster ({p})." if test.z > 0 else f"{said} holds ({p})."


def _claimed_pair(data: Mapping[Architecture, EpochsToSolve]) -> tuple[int, Comparison] | None:
    for layers in sorted({architecture.layers for architecture in data}):
        faster = Architecture(layers, CLAIMED_FASTER)
        slower = replace(faster, neurons=CLAIMED_SLOWER)
        if faster in data and slower in data:
            return layers, compare(data[slower], data[faster])
    return None


def p_words(p: float) -> str:
    """Write a p-value as `p = 0.012` or `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def median_words(numbers: Outcome, limit: int) -> str:
    """Write a median with its interval, as `22 (20 to 23)`."""
    median, low, high = (epoch(at, limit) for at in (numbers.median, numbers.median_low, numbers.median_high))
    return f"{median} ({low} to {high})"


def share_words(numbers: Outcome) -> str:
    """Write the share solved with its interval, as `97.7 % (95.0 to 98.9)`."""
    share, low, high = (100 * of for of in (numbers.share_solved, numbers.share_low, numbers.share_high))
    return f"{share:.1f} % ({low:.1f} to {high:.1f})"


def spread_words(numbers: Outcome, limit: int) -> str:
    """Write from which epoch to which the middle 80 % of the starts solve, as `8 to 46`."""
    return f"{epoch(numbers.q10, limit)} to {epoch(numbers.q90, limit)}"


def trial_words(row: Row, limit: int) -> str:
    """Say one trial's numbers in one line."""
    numbers = row.outcome
    return (
        f"{row.trial}: median {median_words(numbers, limit)} epochs, {share_words(numbers)} of "
        f"{numbers.replicates} starts solved"
    )


def count_words(count: int, singular: str, plural: str | None = None) -> str:
    """Write a count with its noun, as `1 trial` or `1,024 trials`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
