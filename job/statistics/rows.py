"""The rows of a leaderboard: where each trial stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from job.runs.results import Outcome
from job.settings.grid import Architecture, Trial
from job.statistics.comparison import Comparison
from job.statistics.ranking import Ranking

WINNER, NOT_TOLD_APART, WORSE, UNRANKED = "winner", "not told apart", "worse", "unranked"

SIGNS = {WINNER: "★", NOT_TOLD_APART: "≈"}
"""What marks a trial's standing, in addition to any colour; the other standings have no sign."""


@dataclass(frozen=True)
class LeaderboardRow:
    """One trial on the leaderboard."""

    place: int
    """1 is the best."""
    trial: str
    """The trial's name."""
    architecture: Architecture
    """The network and how it is trained."""
    outcome: Outcome
    """Its numbers."""
    standing: str
    """`winner`; `not told apart`: the data do not show that it is worse than the winner; `worse`; or `unranked`:
    no start of any trial solved the problem, so there is no winner."""
    p_adjusted: float | None
    """The p-value of its log-rank test against the winner, corrected for the number of comparisons."""

    @property
    def sign(self) -> str:
        """The sign of its standing; empty if that has none."""
        return SIGNS.get(self.standing, "")


def leaderboard_rows(grid: Mapping[str, Trial], ranking: Ranking) -> Iterator[LeaderboardRow]:
    """Yield the rows of a leaderboard, best first.

    Args:
        grid: the trials by their names.
        ranking: the comparison of those that have a result.
    """
    for place, (name, outcome) in enumerate(ranking.outcomes.items(), start=1):
        comparison = ranking.comparisons.get(name)
        yield LeaderboardRow(
            place=place,
            trial=name,
            architecture=grid[name].architecture,
            outcome=outcome,
            standing=_standing(name, ranking.winner, comparison),
            p_adjusted=comparison.p_adjusted if comparison else None,
        )


def _standing(name: str, winner: str | None, comparison: Comparison | None) -> str:
    if winner is None:
        return UNRANKED
    if name == winner:
        return WINNER
    return WORSE if comparison and comparison.first_is_sooner else NOT_TOLD_APART
