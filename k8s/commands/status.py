"""The status of a sweep: its trials at one moment, counted and summed up in one line."""

from collections.abc import Iterator

from k8s.api.client import Cluster
from k8s.api.watch import ADDED, MODIFIED, Change
from k8s.commands.status_results import SweepResults
from k8s.observe.state import UNDONE, JobState, parse_job
from k8s.observe.trials import STATES, TrialState, count_states, states_of_trials
from k8s.observe.waiting import why_waiting
from k8s.release.sweeps import ReleaseSweep


def snapshot(cluster: Cluster, sweep: ReleaseSweep) -> JobState:
    """Return the state of a sweep's Job and pods, read page by page."""
    state = JobState(parse_job(sweep.job))
    for pod in cluster.list_objects("pods", labels=sweep.pod_labels, fields=UNDONE):
        state.apply(Change(ADDED, "pods", pod))
    # Read the Job last: its ranges include the pods that have succeeded meanwhile.
    state.apply(Change(MODIFIED, "jobs", cluster.read("jobs", sweep.name)))
    return state


class Status:
    """A sweep's trials at one moment; they are produced one by one, and are never all in memory."""

    def __init__(self, cluster: Cluster, sweep: ReleaseSweep, state: JobState, results: SweepResults) -> None:
        """Take the sweep's state; ask what the Job is waiting for if it lacks pods."""
        self.sweep = sweep
        self.state = state
        self.results = results
        self.waiting = why_waiting(cluster, state.job)
        self._finished = results.finished()
        results.refresh()

    def trials(self) -> Iterator[TrialState]:
        """Yield all trials."""
        return states_of_trials(self.sweep.settings, self.state, self.waiting, self._finished)

    def counts(self) -> dict[str, int]:
        """Count the trials in each state."""
        return count_states(self.trials())

    def headline(self) -> str:
        """Sum up the sweep in one line."""
        counts, job = self.counts(), self.state.job
        shares = ", ".join(f"{counts[state]} {state}" for state in reversed(STATES) if counts[state])
        line = f"{job.name}: {shares} of {self.sweep.settings.trial_count} trials"
        if self.state.gone:
            return f"{line}; its Job was deleted"
        if job.outcome:
            return f"{line}; its Job is {job.outcome}{f' ({job.cause.text})' if job.cause else ''}"
        return f"{line}; {self.waiting.text}" if self.waiting else line
