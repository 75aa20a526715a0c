"""Writes a run's report: the page, the leaderboard, and a summary of why trials have no result."""

import json
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from job.errors import ObjectNotFoundError
from job.report import page
from job.report.reading import read_report
from job.report.undone import Undone
from job.runs.layout import LOG, SUMMARY, attempt_file
from job.runs.results import FailedTrial
from job.runs.run import Run
from job.settings.grid import trials
from job.statistics.leaderboard import Leaderboard
from k8s.commands.failures import LOG_LINES, IndexFailure
from k8s.observe.causes import Cause
from k8s.observe.state import Job


class JobSummary(BaseModel):
    """How the run's Job ended."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["Complete", "Failed"] | None
    reason: str | None
    """Why it failed, in one line."""
    started: str | None
    """When, as the API writes it."""
    ended: str | None


class RunSummary(BaseModel):
    """What report/summary.json holds."""

    model_config = ConfigDict(frozen=True)

    run: str
    url: str
    job: JobSummary
    verdict: str
    winner: str | None
    """The name of the trial that won."""
    not_told_apart: tuple[str, ...]
    """The trials that the data cannot tell apart from the winner."""
    trials: int
    """How many trials the grid has."""
    done: int
    """How many of them have a result."""
    failed: tuple[FailedTrial, ...]
    """The trials that have no result."""
    damaged: tuple[str, ...]
    """What is wrong with results that cannot be used, a line each."""


def write_summary(run: Run, job: Job, failures: dict[int, IndexFailure]) -> tuple[Leaderboard, RunSummary]:
    """Write report/summary.json, the page and its pictures, and leaderboard.csv; newer ones replace older ones.

    Args:
        run: the run.
        job: its Job, which has ended.
        failures: completion index -> why it is not completed.

    Returns:
        The leaderboard, and what summary.json holds.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be read or written.
    """
    failed = tuple(_failed_trials(run, failures))
    report = read_report(run, (Undone(trial.trial, "failed", trial.why, trial.log) for trial in failed))
    board = report.board
    summary = RunSummary(
        run=run.name,
        url=run.url,
        job=JobSummary(
            outcome=job.outcome,
            reason=job.cause.text if job.cause else None,
            started=job.started,
            ended=job.ended,
        ),
        verdict=board.verdict,
        winner=board.ranking.winner if board.ranking else None,
        not_told_apart=board.ranking.not_told_apart if board.ranking else (),
        trials=run.settings.trial_count,
        done=len(board.rows),
        failed=failed,
        damaged=tuple(report.damage),
    )
    _store_summary(run, summary)
    page.store(report)
    return board, summary


def _failed_trials(run: Run, failures: dict[int, IndexFailure]) -> Iterator[FailedTrial]:
    finished = run.finished()
    no_result = IndexFailure(Cause("NoResult", f"its pod succeeded, but there is no result in {run.url}"))
    for trial in trials(run.settings):
        if trial.name not in finished:
            failure = failures.get(trial.index // run.settings.trials_per_pod, no_result)
            yield FailedTrial(
                trial=trial.name,
                index=trial.index,
                reason=failure.cause.reason,
                why=failure.cause.text,
                exit_code=failure.cause.exit_code,
                attempt=failure.attempt,
                pod=failure.pod,
                node=failure.node,
                log=failure.log or _stored_log(run, trial.name, failure.uid),
            )


def _stored_log(run: Run, trial: str, uid: str | None) -> tuple[str, ...]:
    """Return the end of the log that the attempt has stored: if its node is gone, there is no other."""
    try:
        data = run.storage.read(run.object_name(attempt_file(trial, uid, LOG))) if uid else b""
    except ObjectNotFoundError:
        return ()
    return tuple(data.decode(errors="replace").splitlines()[-LOG_LINES:])


def _store_summary(run: Run, summary: RunSummary) -> None:
    """Write the summary, unless only the Job has changed: one that was started again found all trials done."""
    new = summary.model_dump(mode="json")
    try:
        stored = {**json.loads(run.storage.read(run.object_name(SUMMARY))), "job": new["job"]}
    except (ObjectNotFoundError, ValueError, TypeError):
        stored = {}
    if stored != new:
        run.put(SUMMARY, (json.dumps(new, indent=2, ensure_ascii=False) + "\n").encode())
