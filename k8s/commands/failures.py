"""Why an index of a Job has no result: kept in the run, since pods and nodes do not stay."""

import json
from dataclasses import asdict, dataclass

from job.errors import ObjectNotFoundError
from job.runs.layout import REPORT
from job.runs.run import Run
from k8s.observe.causes import Cause

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
