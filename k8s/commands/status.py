"""A release's trials as they are now, with what their results say: for a table, or as JSON, row by row."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from job import termination
from job.errors import ConfigError, ObjectNotFoundError, StorageError, StorageUnavailableError, SweepError
from job.runs.results import FailedTrial
from job.runs.run import Run
from job.wording import duration_words, epoch_words, epochs_words
from k8s.api.client import Cluster
from k8s.api.watch import ADDED, MODIFIED, Change
from k8s.observe.causes import Cause
from k8s.observe.state import SUCCEEDED, UNDONE, State, message_of, parse_job
from k8s.observe.trials import DONE, FAILED, STATES, TrialState, count, trial_states
from k8s.release.sweeps import Sweep, check_reachable, why_waiting

_T = TypeVar("_T")

AT_ONCE = 16
"""Results read side by side: a bucket answers each in tens of milliseconds."""


@dataclass(frozen=True)
class Row:
    """A trial and, where it is done and its result can be read from here, that result's numbers."""

    trial: TrialState
    numbers: dict[str, Any] | None = None


class Results:
    """What a sweep's run says of its trials; where it cannot be read from here, what their pods say."""

    def __init__(self, cluster: Cluster, sweep: Sweep, output: str | None = None) -> None:
        """Open the run; nothing is read yet.

        Args:
            cluster: where the pods are.
            sweep: the sweep.
            output: where the output is as seen from here; left out, where the sweep says.
        """
        self._cluster = cluster
        self._sweep = sweep
        self._run: Run | None = None
        self._failures: dict[str, FailedTrial] | None = None
        self._of_pods: dict[str, termination.KeyNumbers] = {}
        self._without: set[str] = set()
        self._problem: str | None = None
        try:
            run = sweep.run(output)
            check_reachable(run)
            self._run = run
        except SweepError as error:
            self._problem = str(error)

    @property
    def problem(self) -> str | None:
        """Why the run cannot be read from here, where trials that are done are shown without numbers for it."""
        return self._problem if self._without else None

    def refresh(self) -> None:
        """Where the run cannot be read from here, read what the pods that have succeeded say, page by page."""
        if self._run:
            return
        with suppress(SweepError):  # Then those of the last time count.
            for pod in self._cluster.each("pods", labels=self._sweep.pod_labels, fields=SUCCEEDED):
                self._of_pods |= termination.read_message(message_of(pod))

    def finished(self) -> set[str]:
        """Return the trials that are done whatever their pod does, where one pod trains several."""

        def read(run: Run) -> set[str]:
            # Asked in any case: where the run is out of reach, or another sweep's, the pods are asked instead.
            return run.finished() if run.check() and run.config.trials_per_pod > 1 else set()

        return self._read(read, set())

    def rows(self, trials: Iterator[TrialState]) -> Iterator[Row]:
        """Add the numbers to trials, reading some results ahead side by side."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while some := list(islice(trials, 4 * AT_ONCE)):
                yield from threads.map(self.row, some)

    def row(self, trial: TrialState) -> Row:
        """Add the numbers to one trial."""
        if trial.state == DONE:
            return Row(trial, self._numbers(trial.trial.name))
        if trial.state == FAILED and trial.pod is None:
            return Row(replace(trial, cause=self._told(trial) or trial.cause))
        return Row(trial)

    def _numbers(self, trial: str) -> dict[str, Any] | None:
        numbers = self._read(lambda run: _stored_numbers(run, trial), None) or self._of_pods.get(trial)
        (self._without.discard if numbers else self._without.add)(trial)
        return {**asdict(numbers), "limit": self._sweep.config.epochs} if numbers else None

    def _told(self, trial: TrialState) -> Cause | None:
        """Return why a trial failed whose pod is gone: the driver's summary has it."""
        if self._failures is None:
            nothing: dict[str, FailedTrial] = {}
            self._failures = self._read(Run.failures, nothing)
        told = self._failures.get(trial.trial.name)
        return Cause(str(told.reason), told.why, told.exit_code) if told else None

    def _read(self, read: Callable[[Run], _T], default: _T) -> _T:
        try:
            return read(self._run) if self._run else default
        except SweepError as error:
            self._problem = str(error)
            if isinstance(error, ConfigError | StorageError | StorageUnavailableError):
                self._run = None  # So it would be for all the others; a damaged object is one trial's.
            return default


def snapshot(cluster: Cluster, sweep: Sweep) -> State:
    """Return the state of a sweep's Job and pods, read page by page."""
    state = State(parse_job(sweep.job))
    for pod in cluster.each("pods", labels=sweep.pod_labels, fields=UNDONE):
        state.apply(Change(ADDED, "pods", pod))
    # Then the Job again: what has succeeded meanwhile is in its ranges.
    state.apply(Change(MODIFIED, "jobs", cluster.read("jobs", sweep.name)))
    return state


class Status:
    """A sweep's trials at one moment; they are counted, shown and read one by one, never held all at once."""

    def __init__(self, cluster: Cluster, sweep: Sweep, state: State, results: Results) -> None:
        """Take the sweep's state, and ask what the Job waits for where it does."""
        self.sweep = sweep
        self.state = state
        self.results = results
        self.waiting = why_waiting(cluster, state.job)
        self._finished = results.finished()
        results.refresh()

    def trials(self) -> Iterator[TrialState]:
        """Yield all trials."""
        return trial_states(self.sweep.config, self.state, self.waiting, self._finished)

    def counts(self) -> dict[str, int]:
        """Count the trials in each state."""
        return count(self.trials())

    def headline(self) -> str:
        """Say how the sweep is in one line."""
        counts, job = self.counts(), self.state.job
        shares = ", ".join(f"{counts[state]} {state}" for state in reversed(STATES) if counts[state])
        line = f"{job.name}: {shares} of {self.sweep.config.trial_count} trials"
        if self.state.gone:
            return f"{line}; its Job was deleted"
        if job.outcome:
            return f"{line}; its Job is {job.outcome}{f' ({job.cause.text})' if job.cause else ''}"
        return f"{line}; {self.waiting.text}" if self.waiting else line


def as_text(status: Status) -> Iterator[str]:
    """Yield the lines of a table of all trials."""
    width = max(len(item.trial.name) for item in status.trials())
    yield status.headline()
    for row in status.results.rows(status.trials()):
        yield f"{row.trial.trial.name:{width}}  {row.trial.state:7}  {in_words(row)}".rstrip()
    if status.results.problem:
        yield f"Some medians are left out: {status.results.problem}"


def as_json(status: Status) -> Iterator[str]:
    """Yield the lines of one JSON object, a trial a line."""
    job = status.state.job
    about = {
        "release": status.sweep.release,
        "run": job.name,
        "namespace": status.sweep.job["metadata"]["namespace"],
        "outcome": job.outcome,
        "why": (status.waiting or job.cause or Cause("", "")).text or None,
        "started": job.started,
        "ended": job.ended,
        "counts": status.counts(),
    }
    yield json.dumps(about, indent=2)[:-2] + ',\n  "trials": ['
    before = ""
    for row in status.results.rows(status.trials()):
        if before:
            yield f"{before},"
        before = f"    {json.dumps(_record(row), ensure_ascii=False)}"
    yield before
    yield f'  ],\n  "results": {json.dumps(status.results.problem or "readable", ensure_ascii=False)}\n}}'


def in_words(row: Row, now: datetime | None = None) -> str:
    """Say what there is to say of a trial beside its state."""
    trial, numbers = row.trial, row.numbers
    if numbers:
        median, limit = numbers["median"], numbers["limit"]
        interval = epochs_words(numbers["median_low"], numbers["median_high"], limit)
        return f"median {epoch_words(median, limit)} (95 % interval {interval})"
    if trial.since and trial.state != FAILED:
        seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(trial.since)).total_seconds())
        attempt = f", attempt {trial.pod.attempt}" if trial.pod and trial.pod.attempt > 1 else ""
        return f"since {trial.since} ({duration_words(max(seconds, 0), digits=0)}){attempt}"
    return trial.cause.text if trial.cause else ""


def _stored_numbers(run: Run, trial: str) -> termination.KeyNumbers | None:
    try:
        return termination.KeyNumbers.of(run.result(trial).summary.outcome)
    except ObjectNotFoundError:
        return None


def _record(row: Row) -> dict[str, Any]:
    trial, pod = row.trial, row.trial.pod
    record: dict[str, Any] = {"trial": trial.trial.name, "index": trial.trial.index, "state": trial.state}
    if trial.since:
        record["since"] = trial.since
    if trial.cause:
        record |= {"reason": trial.cause.reason, "why": trial.cause.text}
        if trial.cause.exit_code is not None:
            record["exit_code"] = trial.cause.exit_code
    if pod:
        record |= {"pod": pod.name, "node": pod.node, "attempt": pod.attempt}
    if row.numbers:
        record |= {name: row.numbers.get(name) for name in termination.KeyNumbers.__dataclass_fields__}
    return record
