"""The errors of xor-sweep: each class says its exit code.

The exit codes are the contract with whoever starts the program, above all with a Kubernetes Job's
podFailurePolicy: `EXIT_CODES` is the one table of them.
"""

from collections.abc import Sequence

EXIT_CODES = {
    0: "done, or the result was there already",
    1: "anything unexpected",
    2: "the words or the configuration are wrong",
    3: "trying again cannot help: a trial's numbers are not finite, or a run has no winner",
    4: "the device that was asked for is not here",
    5: "storage refused for good: no bucket, no permission",
    130: "interrupted (Ctrl-C), after what could be saved is saved",
    143: "SIGTERM, after what could be saved is saved",
}


class SweepError(Exception):
    """Something went wrong that a person can be told in one line. Its text is that line."""

    exit_code: int = 1


class ConfigError(SweepError):
    """The words on the command line, the environment or the sweep file are wrong."""

    exit_code = 2


class TrialError(SweepError):
    """This trial can never succeed, whatever is tried again; other trials may go on."""

    exit_code = 3


class FailedTrialsError(SweepError):
    """Some trials of a sweep failed; the others are done."""

    def __init__(self, message: str, failures: Sequence[SweepError]) -> None:
        """Keep the line to show; the exit code is 1 (try again) if any of the failures may pass."""
        super().__init__(message)
        self.exit_code = min(failure.exit_code for failure in failures)


class NoWinnerError(SweepError):
    """No start of any trial of the run has solved the problem, or none of its trials is done."""

    exit_code = 3


class DeviceError(SweepError):
    """The device that was asked for is not on this machine; another machine may have it."""

    exit_code = 4


class StorageError(SweepError):
    """Storage refused for good: no such bucket, no permission, a name that cannot be."""

    exit_code = 5


class StorageUnavailableError(SweepError):
    """Storage did not answer, or answered that it cannot now; another try may help."""


class ObjectNotFoundError(SweepError):
    """There is no object of that name."""


class NothingToDrawError(SweepError):
    """A run has nothing that a picture could show; its text says why."""


class DamagedResultError(SweepError):
    """A trial is done, and its result or one of its files is gone, damaged or another sweep's."""


class ConflictError(SweepError):
    """Somebody else wrote first: the object exists already, or is not the one that was read."""


class InterruptedRunError(SweepError):
    """The process was told to stop, and stopped; `signal_number` says by which signal."""

    def __init__(self, message: str, signal_number: int) -> None:
        """Keep the line to show and the signal; the exit code is 128 plus the signal's number."""
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
