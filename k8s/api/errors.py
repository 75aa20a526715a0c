"""The errors of talking to a cluster; like those of `job.errors`, each class has an exit code."""

from job.errors import ConfigError, ConflictError, ObjectNotFoundError, SweepError


class RefusedError(ConfigError):
    """The cluster does not accept these credentials, or they do not allow the request."""


class NoJobError(ConfigError):
    """The cluster has no Job, or no longer has one, for the requested sweep; the run may exist in its output."""


class UnavailableError(SweepError):
    """The cluster did not answer, or cannot answer at the moment; another try may help."""


class ExpiredError(SweepError):
    """The cluster no longer has the version from which a list or a watch was to continue."""


def error_of_status(status: int | None, message: str) -> SweepError:
    """Return the error for an answer of the API with this HTTP status."""
    if status is None or status == 429 or status >= 500:
        return UnavailableError(f"the cluster cannot answer at the moment: {message}")
    kinds: dict[int, tuple[type[SweepError], str]] = {
        401: (RefusedError, "the cluster does not accept these credentials: "),
        403: (RefusedError, "the cluster does not allow this: "),
        404: (ObjectNotFoundError, ""),
        409: (ConflictError, ""),
        410: (ExpiredError, ""),
    }
    kind, words = kinds.get(status, (SweepError, f"the cluster refused the request ({status}): "))
    return kind(f"{words}{message}")
