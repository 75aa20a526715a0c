"""The errors of xor-sweep; each class has its exit code.

The exit codes are a contract with whatever starts the program, above all a Kubernetes Job's podFailurePolicy;
`EXIT_CODES` is the only table of them.
"""

from collections.abc import Sequence

EXIT_CODES = {
    0: "done, or the result already existed",
    1: "anything unexpected",
    2: "the command line or the configuration is wrong",
    3: "retrying cannot help: a trial's numbers are not finite, or a run has no winner",
    4: "the requested device is not available",
    5: "storage refused permanently: no bucket, no permission",
    130: "interrupted (Ctrl-C), after saving what could be saved",
    143: "SIGTERM, after saving what could be saved",
}


class SweepError(Exception):
    """An error that can be explained to a person in one line; its text is that line."""

    exit_code: int = 1


class ConfigError(SweepError):
    """The command line, the environment or the sweep file is wrong."""

    exit_code = 2


class TrialError(SweepError):
    """This trial can never succeed, however often it is retried; other trials may continue."""

    exit_code = 3


class FailedTrialsError(SweepError):
    """Some trials of a sweep failed; the others are done."""

    def __init__(self, message: str, failures: Sequence[SweepError]) -> None:
        """Keep the line to show; the exit code is 1 (try again) if any of the failures may be temporary."""
        super().__init__(message)
        self.exit_code = min(failure.exit_code for failure in failures)


class NoWinnerError(SweepError):
    """No start of any trial of the run has solved the problem, or none of its trials is done."""

    exit_code = 3


class DeviceError(SweepError):
    """The requested device is not on this machine; another machine may have it."""

    exit_code = 4


class StorageError(SweepError):
    """Storage refused permanently: no such bucket, no permission, or an impossible name."""

    exit_code = 5


class StorageUnavailableError(SweepError):
    """Storage did not answer, or is temporarily unavailable; retrying may help."""


class ObjectNotFoundError(SweepError):
    """There is no object with that name."""


class NothingToDrawError(SweepError):
    """A run has nothing for a picture to show; the text says why."""


class DamagedResultError(SweepError):
    """A trial is done, but its result or one of its files is missing, damaged or from another sweep."""


class ConflictError(SweepError):
    """Another writer was first: the object already exists, or has changed since it was read."""


class InterruptedRunError(SweepError):
    """The process was stopped on request; `signal_number` is the signal received."""

    def __init__(self, message: str, signal_number: int) -> None:
        """Keep the line to show and the signal; the exit code is 128 plus the signal's number."""
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
