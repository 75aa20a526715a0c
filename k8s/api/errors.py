"""What a cluster can answer beside an answer; each class says its exit code, as all of `job.errors` do."""

from job.errors import ConfigError, ConflictError, ObjectNotFoundError, SweepError


class RefusedError(ConfigError):
    """The cluster does not know these credentials, or they do not allow what was asked."""


class NoJobError(ConfigError):
    """The cluster has no Job, or no Job any more, of what was asked for; its run may be in its output."""


class UnavailableError(SweepError):
    """The cluster did not answer, or answered that it cannot now; another try may help."""


class ExpiredError(SweepError):
    """The cluster no longer has the version that a list or a watch wanted to go on from."""


def error_of_status(status: int | None, message: str) -> SweepError:
    """Return the error for an answer of the API with this HTTP status."""
    if status is None or status == 429 or status >= 500:
        return UnavailableError(f"the cluster cannot answer now: {message}")
    kinds: dict[int, tuple[type[SweepError], str]] = {
        401: (RefusedError, "the cluster does not accept these credentials: "),
        403: (RefusedError, "the cluster does not allow it: "),
        404: (ObjectNotFoundError, ""),
        409: (ConflictError, ""),
        410: (ExpiredError, ""),
    }
    kind, words = kinds.get(status, (SweepError, f"the cluster refused the request ({status}): "))
    return kind(f"{words}{message}")
