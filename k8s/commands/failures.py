"""Stores in the run why an index of a Job failed, since pods and nodes do not last."""

import json
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter

from job.errors import ObjectNotFoundError
from job.runs.layout import failure_of
from job.runs.run import Run
from k8s.observe.causes import Cause

LOG_LINES = 10
"""How many lines of the log of a failed attempt are kept."""


@dataclass(frozen=True)
class IndexFailure:
    """Why an index of a Job has no result."""

    cause: Cause
    attempt: int | None = None
    """Which attempt failed last, 1 for the first."""
    pod: str | None = None
    """That attempt's pod."""
    uid: str | None = None
    """The pod's uid, which names the attempt in the run."""
    node: str | None = None
    """Where it ran."""
    log: tuple[str, ...] = ()
    """The last lines of its log."""


_INDEX_FAILURE = TypeAdapter(IndexFailure)


def store_failure(run: Run, job: str, index: int, failure: IndexFailure) -> None:
    """Store why the newest attempt at an index failed, before its pod is gone.

    Args:
        run: the run.
        job: its Job's uid.
        index: the completion index.
        failure: why the attempt failed.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be written.
    """
    stored = {"job": job, **asdict(failure)}
    run.put(failure_of(index), (json.dumps(stored, ensure_ascii=False) + "\n").encode())


def stored_failure(run: Run, job: str, index: int) -> IndexFailure | None:
    """Return what `store_failure` stored for an index of a Job; None if there is nothing, or if it is damaged.

    Raises:
        StorageError, StorageUnavailableError: the output cannot be read.
    """
    try:
        stored = json.loads(run.storage.read(run.object_name(failure_of(index))))
        # A release that is installed again continues the run, but with a Job of its own.
        return _INDEX_FAILURE.validate_python(stored) if stored["job"] == job else None
    except (ObjectNotFoundError, ValueError, KeyError, TypeError):
        return None
