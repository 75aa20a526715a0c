"""A run's report: the page, the leaderboard, and a summary that says of every trial without a result why."""

import json
from collections.abc import Iterator
from typing import Any

from job.errors import ObjectNotFoundError
from job.report import page
from job.report.reading import Undone, read_report
from job.runs.layout import LOG, SUMMARY
from job.runs.run import Run
from job.settings.grid import trials
from job.statistics.leaderboard import Leaderboard
from k8s.commands.failures import LOG_LINES, Failure
from k8s.observe.causes import Cause
from k8s.observe.state import Job


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
