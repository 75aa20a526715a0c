"""The trials without a result, and why they have none."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from job.errors import ObjectNotFoundError
from job.runs.layout import LOG, TrialObject, attempt_file
from job.runs.run import Run

MOST_EXPLAINED = 100
"""The most trials without a result whose logs are read for the reason."""


@dataclass(frozen=True)
class Undone:
    """A trial without a usable result."""

    trial: str
    what: str
    """`damaged`, `failed` or `no result yet`."""
    why: str
    log: tuple[str, ...] = ()


def undone_trials(
    run: Run, missing: Sequence[str], stored: Collection[TrialObject], told: Mapping[str, Undone]
) -> list[Undone]:
    """Return the trials without a result, each with the reason.

    Args:
        run: the run.
        missing: the names of the trials that have no result.
        stored: the objects of the run's trials.
        told: name of a trial -> its reason, if the caller knows it; the reasons of at most `MOST_EXPLAINED` other
            trials are read from their logs.

    Raises:
        StorageError, StorageUnavailableError: the storage refuses, or does not answer.
    """
    logs: dict[str, list[str]] = {}
    for found in stored:
        if found.attempt and found.file == LOG:
            logs.setdefault(found.trial, []).append(attempt_file(found.trial, found.attempt, LOG))
    read = [trial for trial in missing if trial not in told][:MOST_EXPLAINED]
    reasons = {**told, **{trial: _from_logs(run, trial, logs.get(trial, [])) for trial in read}}
    return [reasons.get(trial) or Undone(trial, "no result yet", "its log was not read") for trial in missing]


def _from_logs(run: Run, trial: str, names: list[str]) -> Undone:
    lines = [line for name in names if (line := _last_line(run, name))]
    if not lines:
        return Undone(trial, "no result yet", "no attempt has ended")
    last = max(lines, key=lambda line: str(line.get("time")))
    what = "failed" if last.get("severity") == "ERROR" else "no result yet"
    return Undone(trial, what, str(last.get("message")).removeprefix(f"{trial}: "))


def _last_line(run: Run, name: str) -> dict[str, Any] | None:
    try:
        line = json.loads(run.storage.read(run.object_name(name)).decode().splitlines()[-1])
    except (ObjectNotFoundError, ValueError, IndexError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
