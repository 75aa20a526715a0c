"""A run's report: the page, the leaderboard, and a summary that says of every trial without a result why."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from job.errors import ObjectNotFoundError
from job.report import page
from job.report.reading import Undone, read_report
from job.runs.layout import LOG, REPORT, SUMMARY
from job.runs.run import Run
from job.settings.grid import trials
from job.statistics.leaderboard import Leaderboard
from k8s.observe.causes import Cause
from k8s.observe.state import Job

FAILURES = f"{REPORT}/failures"
"""Below it, N.json says why an attempt of the index N failed, written as soon as that was seen."""

LOG_LINES = 10
"""How much of the log of a failed attempt is kept."""


@dataclass(frozen=True)
class Failure:
    """Why an index has no result."""

    cause: Cause
    attempt: int | None = None
    """Which attempt it was that failed last, 1 for the first."""
    pod: str | None = None
    """That attempt's pod."""
    uid: str | None = None
    """The pod's uid, which names the attempt in the run."""
    node: str | None = None
    """Where it ran."""
    log: tuple[str, ...] = ()
    """The last lines of its log."""


def write_report(run: Run, job: Job, failures: dict[int, Failure]) -> tuple[Leaderboard, dict[str, Any]]:
    """Write report/summary.json, the page and its pictures, and leaderboard.csv; newer ones replace older ones.

    Args:
        run: the run.
        job: its Job, which has ended.
        failures: completion index -> why it is not completed.

    Returns:
        The leaderboard, and what the summary holds.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be read or written.
    """
    failed = list(_failed(run, failures))
    report = read_report(run, (Undone(item["trial"], "failed", item["why"], tuple(item["log"])) for item in failed))
    board = report.board
    summary = {
        "run": run.name,
        "url": run.url,
        "job": {
            "outcome": job.outcome,
            "reason": job.cause.text if job.cause else None,
            "started": job.started,
            "ended": job.ended,
        },
        "verdict": board.verdict,
        "winner": board.ranking.winner if board.ranking else None,
        "not_told_apart": list(board.ranking.not_told_apart) if board.ranking else [],
        "trials": run.config.trial_count,
        "done": len(board.rows),
        "failed": failed,
        "damaged": report.damage,
    }
    _put(run, summary)
    page.store(report)
    return board, summary


def keep_failure(run: Run, job: str, index: int, failure: Failure) -> None:
    """Store why the newest attempt of an index failed, as long as that is known.

    Args:
        run: the run.
        job: its Job's uid.
        index: the completion index.
        failure: why the attempt failed.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be written.
    """
    stored = {"job": job, **asdict(failure)}
    run.put(f"{FAILURES}/{index}.json", (json.dumps(stored, ensure_ascii=False) + "\n").encode())


def kept_failure(run: Run, job: str, index: int) -> Failure | None:
    """Return what `keep_failure` stored of a Job's index; None where there is nothing, or it is damaged.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be read.
    """
    try:
        stored = json.loads(run.storage.read(f"{run.folder}/{FAILURES}/{index}.json"))
        if stored.pop("job") != job:
            return None  # A release that was installed again goes on with the run, not with its Job.
        return Failure(**{**stored, "cause": Cause(**stored["cause"]), "log": tuple(stored["log"])})
    except (ObjectNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _failed(run: Run, failures: dict[int, Failure]) -> Iterator[dict[str, Any]]:
    finished = run.finished()
    no_result = Failure(Cause("NoResult", f"its pod succeeded, but there is no result in {run.url}"))
    for trial in trials(run.config):
        if trial.name not in finished:
            failure = failures.get(trial.index // run.config.trials_per_pod, no_result)
            yield {
                "trial": trial.name,
                "index": trial.index,
                "reason": failure.cause.reason,
                "why": failure.cause.text,
                "exit_code": failure.cause.exit_code,
                "attempt": failure.attempt,
                "pod": failure.pod,
                "node": failure.node,
                "log": list(failure.log or _stored_log(run, trial.name, failure.uid)),
            }


def _stored_log(run: Run, trial: str, uid: str | None) -> list[str]:
    """Return the end of what the attempt has stored of its log: a node that is gone leaves no other."""
    try:
        data = run.storage.read(f"{run.folder}/trials/{trial}/{uid}/{LOG}") if uid else b""
    except ObjectNotFoundError:
        return []
    return data.decode(errors="replace").splitlines()[-LOG_LINES:]


def _put(run: Run, summary: dict[str, Any]) -> None:
    """Write the summary, unless a Job that was started again over a finished run has found all as it was."""
    try:
        stored = json.loads(run.storage.read(f"{run.folder}/{SUMMARY}"))
    except (ObjectNotFoundError, ValueError):
        stored = {}
    if _without_job(stored) != _without_job(summary):
        run.put(SUMMARY, (json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())


def _without_job(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key != "job"}
