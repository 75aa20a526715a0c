"""The champion, the model in use, and its challengers: the winners of later runs.

    champion.json     the champion, and every decision that led to it, newest last; replaced only if unchanged

One object holds both, so that each swap writes a decision and its effect at once: two simultaneous retrainings
end with one champion and a complete history.
"""

import json
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from job import logs
from job.errors import ConfigError, ConflictError, NoWinnerError, ObjectNotFoundError, SweepError
from job.problems import DEFAULT
from job.runs.layout import CHAMPION, MODEL, attempt_file
from job.runs.run import Run
from job.statistics.leaderboard import Leaderboard
from job.storage import Storage
from job.wording import epoch_words, epochs_words


class Contender(BaseModel):
    """A run's winner."""

    model_config = ConfigDict(frozen=True)

    run: str
    """The run that it won."""
    trial: str
    """Its trial in that run."""
    model: str
    """The object that holds its model, a Keras file, in the output."""
    problem: str = DEFAULT
    """What it learned; XOR if an older champion.json does not say."""
    epochs: int
    """Its run's limit, in epochs."""
    median: int | None
    """Its median epochs to solve; None is beyond the limit."""
    median_low: int | None
    """The lower end of the median's 95% interval."""
    median_high: int | None
    """The upper end of the median's 95% interval; None: beyond the limit, or too few starts to estimate it."""
    share_solved: float
    """The share of its random starts that solved the problem within the limit."""

    def __str__(self) -> str:
        """Return its name with its numbers."""
        median = epoch_words(self.median, self.epochs)
        interval = epochs_words(self.median_low, self.median_high, self.epochs)
        return f"{self.trial} of {self.run} (median {median} epochs, 95% interval {interval})"


class Decision(BaseModel):
    """What was decided, when, and why."""

    model_config = ConfigDict(frozen=True)

    time: str
    """When (UTC)."""
    action: Annotated[str, Field(pattern="^(crowned|kept|rolled back)$")]
    """`crowned`: the contender became champion; `kept`: it did not; `rolled back`: it is champion again."""
    contender: Contender
    """The contender that the decision is about."""
    why: str
    """The reason, in words."""


class Champions(BaseModel):
    """What champion.json holds."""

    model_config = ConfigDict(frozen=True)

    champion: Contender
    """The model in use."""
    history: tuple[Decision, ...]
    """All decisions, oldest first."""


@dataclass(frozen=True)
class _Stored:
    champions: Champions | None
    version: str | None


def read_champions(storage: Storage) -> Champions | None:
    """Read champion.json; None if there is none yet.

    Raises:
        SweepError: it is damaged.
    """
    return _read(storage).champions


def no_champion(storage: Storage) -> ConfigError:
    """Return the error that says that there is no champion.json."""
    if storage.local_root and not storage.local_root.is_dir():
        return ConfigError(
            f"there is no {CHAMPION}: there is no folder {storage.url} here; give the output with "
            "--output, or a release in the cluster with --release"
        )
    return ConfigError(f"there is no {CHAMPION} in {storage.url}: no retraining has crowned a champion there yet")


def winner_of(run: Run, board: Leaderboard) -> Contender:
    """Return a run's winner as a contender.

    Raises:
        NoWinnerError: the run has no winner.
        SweepError: the winner's result is damaged.
    """
    if board.ranking is None or board.ranking.winner is None:
        raise NoWinnerError(f"{run.name} has no winner: {board.verdict}")
    best = board.rows[0]
    result = run.result(best.trial)
    return Contender(
        run=run.name,
        trial=best.trial,
        model=run.object_name(attempt_file(best.trial, result.attempt, MODEL)),
        problem=run.settings.problem.name,
        epochs=board.epochs,
        median=best.outcome.median,
        median_low=best.outcome.median_low,
        median_high=best.outcome.median_high,
        share_solved=best.outcome.share_solved,
    )


def challenge(storage: Storage, challenger: Contender) -> Decision:
    """Let a run's winner challenge the champion, and record the decision.

    The challenger becomes champion only if its interval lies below the champion's: between two equal trials,
    chance alone would do that far less often than 1 time in 20. A champion of fewer than 6 starts has no interval:
    it gives way to any challenger that has one. A challenger that learned a different problem never replaces the
    champion.

    Args:
        storage: the output that holds champion.json.
        challenger: the winner of a run.

    Returns:
        The decision. If this run has challenged before, that earlier decision; nothing is written.

    Raises:
        SweepError: champion.json is damaged.
        StorageError, StorageUnavailableError: it cannot be read or written.
    """
    while True:
        stored = _read(storage)
        if earlier := _decision_about(stored.champions, challenger.run):
            return earlier
        decision = _decide(stored.champions, challenger)
        if _swap(storage, stored, decision):
            return decision


def roll_back(storage: Storage) -> Decision:
    """Make the previous champion the champion again, and record that.

    Raises:
        ConfigError: there is no champion or no previous one, or its model is gone; nothing is written.
    """
    while True:
        stored = _read(storage)
        reigns = _reigns(stored.champions)
        if len(reigns) < 2:
            if stored.champions is None:
                raise no_champion(storage)
            raise ConfigError(f"there is no previous champion in {storage.url}/{CHAMPION}")
        if not storage.exists(reigns[-2].model):
            raise ConfigError(
                f"the previous champion, {reigns[-2]}, no longer has a model: {reigns[-2].model} is not in "
                f"{storage.url}"
            )
        why = f"requested; it was champion before {reigns[-1]}"
        decision = Decision(time=logs.timestamp(), action="rolled back", contender=reigns[-2], why=why)
        if _swap(storage, stored, decision):
            return decision


def _reigns(champions: Champions | None) -> list[Contender]:
    """Return the successive champions; a rollback removes the last one."""
    reigns: list[Contender] = []
    for decision in champions.history if champions else ():
        if decision.action == "crowned":
            reigns.append(decision.contender)
        elif decision.action == "rolled back" and reigns:
            reigns.pop()
    return reigns


def _decision_about(champions: Champions | None, run: str) -> Decision | None:
    decisions = champions.history if champions else ()
    return next((one for one in decisions if one.contender.run == run and one.action != "rolled back"), None)


def _decide(champions: Champions | None, challenger: Contender) -> Decision:
    if champions is None:
        action, why = "crowned", "there was no champion"
    elif challenger.problem != champions.champion.problem:
        action, why = (
            "kept",
            (
                f"it learned {challenger.problem} and {champions.champion} learned {champions.champion.problem}, "
                "which cannot be compared: give each problem its own output"
            ),
        )
    elif challenger.median_high is not None and _has_no_interval(champions.champion):
        action, why = "crowned", f"{champions.champion} had too few starts for an interval"
    elif _is_better(challenger, champions.champion):
        action, why = "crowned", f"its interval lies below that of {champions.champion}"
    else:
        action, why = "kept", f"its interval does not lie below that of {champions.champion}"
    return Decision(time=logs.timestamp(), action=action, contender=challenger, why=why)


def _has_no_interval(contender: Contender) -> bool:
    return (contender.median_low, contender.median_high) == (1, None)


def _is_better(challenger: Contender, champion: Contender) -> bool:
    if challenger.median_high is None:
        return False
    # An end that the champion's data do not reach is beyond its limit: above every epoch up to it.
    return challenger.median_high < (champion.median_low or champion.epochs + 1)


def _swap(storage: Storage, stored: _Stored, decision: Decision) -> bool:
    history = stored.champions.history if stored.champions else ()
    champion = stored.champions.champion if stored.champions and decision.action == "kept" else decision.contender
    after = Champions(champion=champion, history=(*history, decision))
    data = (json.dumps(after.model_dump(mode="json"), indent=2) + "\n").encode()
    try:
        storage.replace(CHAMPION, data, stored.version)
    except ConflictError:
        return False  # Somebody else decided in between: their champion is the one to challenge.
    return True


def _read(storage: Storage) -> _Stored:
    try:
        data, version = storage.read_with_version(CHAMPION)
    except ObjectNotFoundError:
        return _Stored(None, None)
    try:
        return _Stored(Champions.model_validate_json(data), version)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise SweepError(
            f"{storage.url}/{CHAMPION} is damaged: {f'{field}: ' if field else ''}{first['msg']}"
        ) from None
