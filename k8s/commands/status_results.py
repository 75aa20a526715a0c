"""Reads the results of a sweep's trials, from the run or from their pods' termination messages."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from job import termination
from job.errors import ConfigError, ObjectNotFoundError, StorageError, StorageUnavailableError, SweepError
from job.runs.results import FailedTrial
from job.runs.run import Run
from k8s.api.client import Cluster
from k8s.observe.causes import Cause
from k8s.observe.state import SUCCEEDED, termination_message
from k8s.observe.trials import DONE, FAILED, TrialState
from k8s.release.reachability import check_reachable
from k8s.release.sweeps import ReleaseSweep

_T = TypeVar("_T")
PARALLEL_READS = 16
"""How many results are read at the same time: a bucket takes tens of milliseconds for each."""


@dataclass(frozen=True)
class TrialStatus:
    """A trial and, if it is done and its result can be read, the result's key numbers."""

    trial: TrialState
    numbers: termination.KeyNumbers | None = None


class SweepResults:
    """The results of a sweep's trials: from the run or, if it cannot be read from here, from their pods' status."""

    def __init__(self, cluster: Cluster, sweep: ReleaseSweep, output: str | None = None) -> None:
        """Open the run; nothing is read yet.

        Args:
            cluster: where the pods are.
            sweep: the sweep.
            output: where the output is on this machine; by default, where the sweep says.
        """
        self._cluster = cluster
        self._sweep = sweep
        self._run: Run | None = None
        self._failures: dict[str, FailedTrial] | None = None
        self._of_pods: dict[str, termination.KeyNumbers] = {}
        self._lacks_numbers: set[str] = set()
        self._problem: str | None = None
        try:
            run = sweep.run(output)
            check_reachable(run)
            self._run = run
        except SweepError as error:
            self._problem = str(error)

    @property
    def problem(self) -> str | None:
        """Why the run cannot be read, if trials that are done are shown without numbers because of that."""
        return self._problem if self._lacks_numbers else None

    def refresh(self) -> None:
        """If the run cannot be read from here, read the messages of the pods that have succeeded, page by page."""
        if self._run:
            return
        with suppress(SweepError):  # The messages read before still count.
            for pod in self._cluster.list_objects("pods", labels=self._sweep.pod_labels, fields=SUCCEEDED):
                self._of_pods |= termination.read_message(termination_message(pod))

    def finished(self) -> set[str]:
        """Return the trials that are done although their pod may still run, if a pod trains several."""

        def read(run: Run) -> set[str]:
            # Always check: if the run cannot be reached, or is another sweep's, the pods are asked instead.
            return run.finished() if run.check() and run.settings.trials_per_pod > 1 else set()

        return self._read(read, set())

    def rows(self, trials: Iterator[TrialState]) -> Iterator[TrialStatus]:
        """Add the numbers to trials, reading some results ahead in parallel."""
        with ThreadPoolExecutor(PARALLEL_READS) as threads:
            while some := list(islice(trials, 4 * PARALLEL_READS)):
                yield from threads.map(self.row, some)

    def row(self, trial: TrialState) -> TrialStatus:
        """Add the numbers to one trial."""
        if trial.state == DONE:
            return TrialStatus(trial, self._numbers(trial.trial.name))
        if trial.state == FAILED and trial.pod is None:
            return TrialStatus(replace(trial, cause=self._cause_in_summary(trial) or trial.cause))
        return TrialStatus(trial)

    def _numbers(self, trial: str) -> termination.KeyNumbers | None:
        numbers = self._read(lambda run: _stored_numbers(run, trial), None) or self._of_pods.get(trial)
        (self._lacks_numbers.discard if numbers else self._lacks_numbers.add)(trial)
        return numbers

    def _cause_in_summary(self, trial: TrialState) -> Cause | None:
        """Return why a trial whose pod is gone failed, according to the driver's summary."""
        if self._failures is None:
            nothing: dict[str, FailedTrial] = {}
            self._failures = self._read(Run.failures, nothing)
        failed = self._failures.get(trial.trial.name)
        return Cause(str(failed.reason), failed.why, failed.exit_code) if failed else None

    def _read(self, read: Callable[[Run], _T], default: _T) -> _T:
        try:
            return read(self._run) if self._run else default
        except SweepError as error:
            self._problem = str(error)
            if isinstance(error, ConfigError | StorageError | StorageUnavailableError):
                self._run = None  # All other reads would fail, too; a damaged object concerns only one trial.
            return default


def _stored_numbers(run: Run, trial: str) -> termination.KeyNumbers | None:
    try:
        return termination.KeyNumbers.of(run.result(trial).summary.outcome)
    except ObjectNotFoundError:
        return None
