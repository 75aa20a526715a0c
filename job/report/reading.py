"""From a run's files to what its report shows. What cannot be read is left out, and the reason is kept."""

import csv
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pydantic import ValidationError

from job.errors import DamagedResultError, ObjectNotFoundError
from job.problems import Problem
from job.report.history import History, parse_history
from job.report.undone import MOST_EXPLAINED, Undone, undone_trials
from job.runs.layout import CARD, HISTORY, MODEL, NETWORKS, RESULT, SWEEP, TrialObject, attempt_file
from job.runs.results import Seconds, StoredFile, TrialResult
from job.runs.run import Run
from job.runs.snapshots import Networks
from job.settings.axes import OPTIONAL_AXES, Axis
from job.settings.grid import trials
from job.statistics.leaderboard import Leaderboard, leaderboard_of
from job.statistics.replicates import read_epochs_to_solve
from job.statistics.rows import LeaderboardRow
from job.statistics.survival import EpochsToSolve
from job.wording import listed_reasons

READS_AT_ONCE = 16
"""The number of parallel reads: a bucket answers each in tens of milliseconds."""

ROWS_AT_ONCE = 1_000_000
"""About this many rows are in memory at once: the more replicates, the fewer trials are read in parallel."""

MOST_DETAILED = 100
"""The most trials that are drawn one by one, the best of the leaderboard: more would make the page too large."""

MOST_CHECKED = 1 << 20
"""The size in bytes up to which a model is read to check that it is sound; a larger one need only be there."""

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Detail:
    """One trial that is drawn individually."""

    row: LeaderboardRow
    result: TrialResult
    data: EpochsToSolve
    history: History | None
    networks: Networks | None
    lacking: tuple[str, ...]
    """The files that its result does not name."""
    damaged: tuple[str, ...]
    """What could not be read, and why, one line each."""
    unusable: tuple[str, ...] = ()
    """Which of the files that a reader opens are gone or damaged."""


@dataclass(frozen=True)
class Report:
    """Everything that a report shows."""

    run: Run
    sweep: Mapping[str, Any]
    """What sweep.json holds; empty if no trial has begun."""
    board: Leaderboard
    data: Mapping[str, EpochsToSolve]
    """The epochs to solve of each trial on the leaderboard, by its name."""
    details: tuple[Detail, ...]
    """The trials that are drawn one by one, best first."""
    undone: tuple[Undone, ...]
    """The trials without a result, damaged ones first; if there are very many, only the first."""
    failed: tuple[str, ...] = ()
    """The trials that are known to have failed."""
    seconds: Mapping[str, Seconds] = field(default_factory=dict)
    """Where the time of each trial went: `start`, `compile`, `train` and `other`, as far as known."""

    @property
    def problem(self) -> Problem:
        """What the run's networks learn."""
        return self.run.settings.problem

    @property
    def limit(self) -> int:
        """The epoch limit."""
        return self.board.epochs

    @cached_property
    def median_range(self) -> tuple[int, int]:
        """The smallest and the largest median; both are the limit if there is none."""
        medians = [row.outcome.median for row in self.board.rows if row.outcome.median is not None]
        return (min(medians), max(medians)) if medians else (self.limit, self.limit)

    @property
    def damage(self) -> list[str]:
        """What could not be read, one line each."""
        results = [item.why for item in self.undone if item.what == "damaged"]
        return [*results, *(line for detail in self.details for line in detail.damaged)]

    @property
    def damage_words(self) -> str:
        """What could not be read, in one line."""
        return f"the report leaves out what is damaged: {listed_reasons(self.damage)}"

    @property
    def varied(self) -> list[Axis]:
        """The axes other than layers and neurons in which trials differ."""
        settings = self.run.settings
        return [
            axis
            for axis in OPTIONAL_AXES
            if len(getattr(settings, axis.name) or ()) > 1 and (any(settings.layers) or not axis.hidden_only)
        ]


def read_report(run: Run, known: Iterable[Undone] = ()) -> Report:
    """Read what the report of a run shows.

    Args:
        run: the run.
        known: trials without a result for which the caller knows the reason; for the others, the run may have it.

    Returns:
        Everything that is sound, and what is not.

    Raises:
        StorageError, StorageUnavailableError: the storage refuses, or does not answer.
    """
    names = [trial.name for trial in trials(run.settings)]
    stored = dict.fromkeys(run.trial_objects())
    done = {found.trial for found in stored if found.attempt is None and found.file == RESULT}
    at_once = max(1, min(READS_AT_ONCE, ROWS_AT_ONCE // run.settings.replicates))
    read = _each(lambda name: _read_trial(run, name), [name for name in names if name in done], at_once)
    sound = {name: found for name, found in read.items() if not isinstance(found, str)}
    damaged = {name: found for name, found in read.items() if isinstance(found, str)}
    board = leaderboard_of(run, {name: data for name, (_, data) in sound.items()}, tuple(damaged))
    best = {row.trial: row for row in board.rows[:MOST_DETAILED]}
    details = _each(lambda name: _detail(run, best[name], *sound[name], stored), best)
    by_the_driver = {name: Undone(name, "failed", item.why, item.log) for name, item in run.failures().items()}
    told = {**by_the_driver, **{item.trial: item for item in known}}
    undone = undone_trials(run, board.missing, stored, told)
    return Report(
        run=run,
        sweep=_sweep(run),
        board=board,
        data={name: data for name, (_, data) in sound.items()},
        details=tuple(details.values()),
        undone=(
            *(Undone(name, "damaged", why) for name, why in damaged.items()),
            *undone[:MOST_EXPLAINED],
        ),
        failed=tuple(item.trial for item in undone if item.what == "failed"),
        seconds={name: result.summary.seconds for name, (result, _) in sound.items()},
    )


def _sweep(run: Run) -> dict[str, Any]:
    try:
        sweep = json.loads(run.storage.read(run.object_name(SWEEP)))
    except (ObjectNotFoundError, ValueError, RecursionError):
        return {}
    return sweep if isinstance(sweep, dict) else {}


def _each(
    read: Callable[[_Item], _Found], items: Iterable[_Item], at_once: int = READS_AT_ONCE
) -> dict[_Item, _Found]:
    items = list(items)
    with ThreadPoolExecutor(at_once) as threads:
        return dict(zip(items, threads.map(read, items), strict=True))


def _read_trial(run: Run, name: str) -> tuple[TrialResult, EpochsToSolve] | str:
    """Return a trial's result and rows, or why they cannot be used."""
    try:
        result = run.result(name)
        return result, read_epochs_to_solve(run, result)
    except (DamagedResultError, ObjectNotFoundError, ValueError) as error:
        return str(error)


def _detail(
    run: Run, row: LeaderboardRow, result: TrialResult, data: EpochsToSolve, stored: Collection[TrialObject]
) -> Detail:
    lacking: list[str] = []
    damaged: list[str] = []

    def read(name: str, parse: Callable[[bytes], _Found]) -> _Found | None:
        if name not in {file.name for file in result.files}:
            lacking.append(name)
            return None
        try:
            return parse(run.read_file(result, name))
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            damaged.append(f"{run.url_of(attempt_file(row.trial, result.attempt, name))} is damaged: {first}")
        except DamagedResultError as error:
            damaged.append(str(error))
        return None

    history = read(HISTORY, parse_history)
    networks = read(NETWORKS, lambda content: _networks(content, run.settings.problem, row))
    unusable = {file.name: why for file in result.files if (why := _why_unusable(run, result, file, stored))}
    damaged += unusable.values()
    return Detail(row, result, data, history, networks, tuple(lacking), tuple(damaged), tuple(unusable))


def _why_unusable(run: Run, result: TrialResult, file: StoredFile, stored: Collection[TrialObject]) -> str:
    """Return why a file that a reader opens cannot be used; empty if the checks find nothing wrong."""
    if file.name not in (MODEL, CARD):
        return ""
    if TrialObject(result.trial, result.attempt, file.name) not in stored:
        return f"{run.url_of(attempt_file(result.trial, result.attempt, file.name))} is gone"
    if file.size > MOST_CHECKED:
        return ""
    try:
        run.read_file(result, file.name)
    except DamagedResultError as error:
        return str(error)
    return ""


def _networks(data: bytes, problem: Problem, row: LeaderboardRow) -> Networks:
    networks = Networks.model_validate_json(data)
    networks.chosen.check(problem, row.architecture.widths)
    return networks
