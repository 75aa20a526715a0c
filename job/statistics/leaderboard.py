"""The leaderboard of a run: each trial's numbers, best first, and the verdict they support."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from job.runs.layout import REPLICATES, attempt_file
from job.runs.results import Outcome, TrialResult, damaged_result
from job.runs.run import Run
from job.settings.axes import AXIS_NAMES
from job.settings.grid import Architecture, Trial, trials
from job.statistics.survival import EpochsToSolve, Ranking, rank
from job.wording import count_words, epochs_words, limit_words, listed, percent

MOST_LISTED = 100
"""The most letters of the first five names of a list: of longer names, two are listed."""

WINNER, NOT_TOLD_APART, WORSE, UNRANKED = "winner", "not told apart", "worse", "unranked"


@dataclass(frozen=True)
class Row:
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


@dataclass(frozen=True)
class Leaderboard:
    """A run's trials, best first."""

    run: str
    """The run's name."""
    url: str
    """Where the run lies."""
    epochs: int
    """The limit, in epochs."""
    rows: tuple[Row, ...]
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
    return leaderboard_of(run, {name: epochs_to_solve(run, run.result(name)) for name in names})


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
    ranking = rank(data, {name: grid[name].architecture.weights for name in data})
    rows = tuple(_row(place, grid[name], ranking) for place, name in enumerate(ranking.outcomes, start=1))
    return Leaderboard(run.name, run.url, limit, rows, missing, ranking, tuple(damaged))


def _row(place: int, trial: Trial, ranking: Ranking) -> Row:
    name = trial.name
    comparison = ranking.comparisons.get(name)
    if ranking.winner is None:
        standing = UNRANKED
    elif name == ranking.winner:
        standing = WINNER
    else:
        standing = WORSE if comparison and comparison.first_is_sooner else NOT_TOLD_APART
    p_adjusted = comparison.p_adjusted if comparison else None
    return Row(place, name, trial.architecture, ranking.outcomes[name], standing, p_adjusted)


def epochs_to_solve(run: Run, result: TrialResult) -> EpochsToSolve:
    """Read what was seen of a trial's replicates from its replicates.csv.

    Raises:
        DamagedResultError: the file is gone or damaged.
    """
    data = run.read_file(result, REPLICATES)
    try:
        rows = csv.DictReader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""))
        # Row by row into an array: as Python objects, a million replicates would take 600 MB.
        seen = np.fromiter(
            ((int(row["epochs_to_solve"] or row["epochs_trained"]), row["epochs_to_solve"] != "") for row in rows),
            [("epochs", "int64"), ("solved", "bool")],
        )
        limit, replicates = run.config.epochs, run.config.replicates
        if len(seen) != replicates or (seen["epochs"] > limit).any():
            raise ValueError(f"it must have {replicates} replicates of at most {limit} epochs")
        return EpochsToSolve(seen["epochs"], seen["solved"])
    except (ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
        where = run.url_of(attempt_file(result.trial, result.attempt, REPLICATES))
        raise damaged_result(result.trial, f"{where} is damaged: {error}") from None


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


def records(board: Leaderboard) -> list[dict[str, Any]]:
    """Return the rows as flat records for JSON and CSV; a number that the data do not reach is None."""
    return [
        {
            "place": row.place,
            "trial": row.trial,
            **{axis: getattr(row.architecture, axis) for axis in AXIS_NAMES},
            "weights": row.architecture.weights,
            **asdict(row.outcome),
            "standing": row.standing,
            "p_adjusted": row.p_adjusted,
        }
        for row in board.rows
    ]


def as_json(board: Leaderboard) -> str:
    """Return the leaderboard as JSON: `run`, `verdict`, `winner`, `not_told_apart`, `missing`, `trials`."""
    return json.dumps(as_dict(board), indent=2)


def as_dict(board: Leaderboard) -> dict[str, Any]:
    """Return what `as_json` writes."""
    ranking = board.ranking
    return {
        "run": board.run,
        "url": board.url,
        "epochs": board.epochs,
        "verdict": board.verdict,
        "winner": ranking.winner if ranking else None,
        "not_told_apart": list(ranking.not_told_apart) if ranking else [],
        "missing": list(board.missing),
        "trials": records(board),
    }


def as_csv(board: Leaderboard) -> str:
    """Return the leaderboard as CSV, a trial a line; a number that the data do not reach is empty."""
    text = io.StringIO()
    numbers = [field.name for field in fields(Outcome)]
    columns = ["place", "trial", *AXIS_NAMES, "weights", *numbers, "standing", "p_adjusted"]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(board))
    return text.getvalue()
