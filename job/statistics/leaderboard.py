"""The leaderboard of a run: each trial's numbers, best first, and the verdict they support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from job.runs.run import Run
from job.settings.grid import trials
from job.statistics.ranking import Ranking, rank_trials
from job.statistics.replicates import read_epochs_to_solve
from job.statistics.rows import WORSE, LeaderboardRow, leaderboard_row
from job.statistics.survival import EpochsToSolve
from job.wording import count_words, epochs_words, limit_words, listed, percent

MOST_LISTED = 100
"""The most letters of the first five names of a list: of longer names, two are listed."""


@dataclass(frozen=True)
class Leaderboard:
    """A run's trials, best first."""

    run: str
    """The run's name."""
    url: str
    """Where the run lies."""
    epochs: int
    """The limit, in epochs."""
    rows: tuple[LeaderboardRow, ...]
    """The trials that are done, best first."""
    missing: tuple[str, ...]
    """The trials that have no result yet."""
    ranking: Ranking | None
    """The comparisons behind the rows; None without any row."""
    damaged: tuple[str, ...] = ()
    """The trials whose result cannot be read, where the leaderboard goes without them."""

    @property
    def verdict(self) -> str:
        """What the data say, in one sentence."""
        return _verdict(self)


def make_leaderboard(run: Run) -> Leaderboard:
    """Compute the leaderboard of a run from the replicates.csv of each trial that is done.

    Raises:
        DamagedResultError: a result is damaged.
        StorageError, StorageUnavailableError: it cannot be read.
    """
    finished = run.finished()
    names = [trial.name for trial in trials(run.config) if trial.name in finished]
    return leaderboard_of(run, {name: read_epochs_to_solve(run, run.result(name)) for name in names})


def leaderboard_of(run: Run, data: Mapping[str, EpochsToSolve], damaged: Sequence[str] = ()) -> Leaderboard:
    """Compute the leaderboard of a run.

    Args:
        run: the run.
        data: what was seen of each trial that is done, by its name, in the grid's order.
        damaged: the trials that are done and cannot be read.
    """
    grid = {trial.name: trial for trial in trials(run.config)}
    missing = tuple(name for name in grid if name not in data and name not in damaged)
    limit = run.config.epochs
    if not data:
        return Leaderboard(run.name, run.url, limit, (), missing, None, tuple(damaged))
    ranking = rank_trials(data, {name: grid[name].architecture.weights for name in data})
    rows = tuple(
        leaderboard_row(place, grid[name], ranking) for place, name in enumerate(ranking.outcomes, start=1)
    )
    return Leaderboard(run.name, run.url, limit, rows, missing, ranking, tuple(damaged))


def _verdict(board: Leaderboard) -> str:
    if board.ranking is None:
        return f"No trial has a result{_missing(board)}." if board.damaged else "No trial has a result."
    if board.ranking.winner is None:
        return f"No start of any trial solved XOR within {limit_words(board.epochs)}{_missing(board)}."
    winner = board.rows[0]
    numbers, shape = winner.outcome, winner.architecture
    if numbers.median is None:
        share = percent(numbers.share_solved)
        how = f"{share} % of its starts solve XOR within {limit_words(board.epochs)}"
    else:
        how = (
            f"half of its starts solve XOR by epoch {numbers.median} "
            f"(95 % interval {epochs_words(numbers.median_low, numbers.median_high, board.epochs)})"
        )
    size = f"{count_words(shape.layers, 'hidden layer')} of {count_words(shape.neurons, 'neuron')}"
    sentence = f"{winner.trial} ({size}) {'leads' if numbers.median is None else 'is fastest'}: {how}"
    if len(board.rows) == 1:
        return f"{winner.trial} ({size}): {how}{_missing(board)}."
    others = "every other trial with a result" if board.missing or board.damaged else "every other trial"
    close = board.ranking.not_told_apart
    sentence += f"; {_listed(close)} cannot be told apart from it" if close else f"; {others} is slower"
    if sooner := board.ranking.sooner_overall:
        sentence += f", and {_listed(sooner)} {'is' if len(sooner) == 1 else 'are'} sooner over all epochs"
    smallest = min(board.rows, key=lambda row: (row.standing == WORSE, row.architecture.weights))
    if smallest is not winner:
        sentence += f"; of these, {smallest.trial} is the smallest network"
    return f"{sentence}{_missing(board)}."


def _missing(board: Leaderboard) -> str:
    trials = len(board.missing) + len(board.damaged) + len(board.rows)
    has = "has" if len(board.missing) == 1 else "have"
    words = f"; {len(board.missing)} of {trials} trials {has} no result" if board.missing else ""
    return f"{words}; of {_listed(board.damaged)} the result is damaged" if board.damaged else words


def _listed(names: Sequence[str]) -> str:
    return listed(names, most=5 if len("".join(names[:5])) <= MOST_LISTED else 2)
