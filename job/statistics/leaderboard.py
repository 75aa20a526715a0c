"""The leaderboard of a run: each trial's numbers, best first, and the verdict they support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from job.runs.run import Run
from job.settings.grid import trials
from job.statistics.ranking import Ranking, rank_trials
from job.statistics.replicates import read_epochs_to_solve
from job.statistics.rows import LeaderboardRow, leaderboard_rows
from job.statistics.survival import EpochsToSolve
from job.statistics.verdict import verdict_words


@dataclass(frozen=True)
class Leaderboard:
    """A run's trials, best first."""

    run: str
    """The run's name."""
    url: str
    """Where the run is."""
    problem: str
    """The problem's name in a sentence, such as `XOR`."""
    epochs: int
    """The limit, in epochs."""
    rows: tuple[LeaderboardRow, ...]
    """The trials that are done, best first."""
    missing: tuple[str, ...]
    """The trials that have no result yet."""
    ranking: Ranking | None
    """The comparisons behind the rows; None if there are no rows."""
    damaged: tuple[str, ...] = ()
    """The trials whose result cannot be read, and which are left out of the rows."""

    @property
    def verdict(self) -> str:
        """What the data say, in one sentence."""
        return verdict_words(
            self.rows,
            self.ranking,
            title=self.problem,
            limit=self.epochs,
            missing=self.missing,
            damaged=self.damaged,
        )


def make_leaderboard(run: Run) -> Leaderboard:
    """Compute the leaderboard of a run from the replicates.csv of each trial that is done.

    Raises:
        DamagedResultError: a result is damaged.
        StorageError, StorageUnavailableError: it cannot be read.
    """
    finished = run.finished()
    names = [trial.name for trial in trials(run.settings) if trial.name in finished]
    return leaderboard_of(run, {name: read_epochs_to_solve(run, run.result(name)) for name in names})


def leaderboard_of(run: Run, data: Mapping[str, EpochsToSolve], damaged: Sequence[str] = ()) -> Leaderboard:
    """Compute the leaderboard of a run.

    Args:
        run: the run.
        data: what was observed of each trial that is done, by its name, in the grid's order.
        damaged: the trials that are done but cannot be read.
    """
    grid = {trial.name: trial for trial in trials(run.settings)}
    missing = tuple(name for name in grid if name not in data and name not in damaged)
    ranking = rank_trials(data, {name: grid[name].architecture.weights for name in data}) if data else None
    return Leaderboard(
        run=run.name,
        url=run.url,
        problem=run.settings.problem.title,
        epochs=run.settings.epochs,
        rows=tuple(leaderboard_rows(grid, ranking)) if ranking else (),
        missing=missing,
        ranking=ranking,
        damaged=tuple(damaged),
    )
