"""The rows of a leaderboard: where each trial stands."""

from dataclasses import dataclass

from job.runs.results import Outcome
from job.settings.grid import Architecture, Trial
from job.statistics.ranking import Ranking

WINNER, NOT_TOLD_APART, WORSE, UNRANKED = "winner", "not told apart", "worse", "unranked"


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
    no start of any trial was solved, so there is no winner."""
    p_adjusted: float | None
    """The p-value of its log-rank test against the winner, corrected for the number of comparisons."""


def leaderboard_row(place: int, trial: Trial, ranking: Ranking) -> LeaderboardRow:
    """Return the row of a trial that has a result."""
    name = trial.name
    comparison = ranking.comparisons.get(name)
    if ranking.winner is None:
        standing = UNRANKED
    elif name == ranking.winner:
        standing = WINNER
    else:
        standing = WORSE if comparison and comparison.first_is_sooner else NOT_TOLD_APART
    p_adjusted = comparison.p_adjusted if comparison else None
    return LeaderboardRow(place, name, trial.architecture, ranking.outcomes[name], standing, p_adjusted)
