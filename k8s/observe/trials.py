"""The state of each trial of a sweep: pending and why, running, done, or failed and why."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from job.settings.grid import Trial, trials
from job.settings.sweep import Settings
from job.wording import count_words
from k8s.observe.causes import UNKNOWN, Cause
from k8s.observe.state import JobState, Pod

TrialPhase = Literal["pending", "running", "done", "failed"]
PENDING: TrialPhase = "pending"
RUNNING: TrialPhase = "running"
DONE: TrialPhase = "done"
FAILED: TrialPhase = "failed"
STATES = (PENDING, RUNNING, DONE, FAILED)


@dataclass(frozen=True, slots=True)
class TrialState:
    """The current state of one trial."""

    trial: Trial
    state: TrialPhase
    since: str | None = None
    """When it began to run."""
    cause: Cause | None = None
    """Why it is pending or failed."""
    pod: Pod | None = None
    """Its newest pod, if that is still known."""


def states_of_trials(
    settings: Settings, state: JobState, waiting: Cause | None = None, finished: Collection[str] = ()
) -> Iterator[TrialState]:
    """Yield every trial of the grid, in the order of their indexes.

    Args:
        settings: the sweep.
        state: its Job and pods.
        waiting: why the Job lacks pods, if that is known.
        finished: trials that have their result, whatever the state of their pod.
    """
    for trial in trials(settings):
        if trial.name in finished:
            yield TrialState(trial, DONE)
        else:
            yield state_of_trial(trial.index // settings.trials_per_pod, state, waiting, trial)


def state_of_trial(index: int, state: JobState, waiting: Cause | None, trial: Trial) -> TrialState:
    """Return the state of a trial whose pod has this completion index."""
    job, pod = state.job, state.pods.get(index)
    if index in job.completed:
        return TrialState(trial, DONE)
    if index in job.failed or job.outcome is not None:
        return TrialState(trial, FAILED, cause=why_not_done(index, state, pod), pod=pod)
    if pod is None:
        return TrialState(trial, PENDING, cause=waiting or _waits_for_its_turn(state))
    if pod.phase == "running":
        return TrialState(trial, RUNNING, since=pod.since, pod=pod)
    if pod.phase == "failed" and pod.cause:
        again = replace(pod.cause, text=f"will be retried after attempt {pod.attempt}: {pod.cause.text}")
        return TrialState(trial, PENDING, cause=again, pod=pod)
    return TrialState(trial, PENDING, cause=pod.cause, pod=pod)


def why_not_done(index: int, state: JobState, pod: Pod | None) -> Cause:
    """Return why an index is not completed, after its Job has ended or given it up.

    Args:
        index: the index.
        state: the Job and its pods.
        pod: the newest pod of the index that is known to have failed.
    """
    job = state.job
    own = pod.cause if pod and pod.phase == "failed" else None
    trouble = state.troubles.get(index)
    if own and pod and (index in job.failed or not pod.stopped):
        return own
    if index in job.failed or job.cause is None:
        return Cause(UNKNOWN, "its pod is gone, and nothing shows why it failed")
    if trouble:
        return Cause(trouble.reason, f"{trouble.text}; then the Job failed: {job.cause.text}")
    return Cause(job.cause.reason, f"{'was stopped' if own else 'was not completed'}: {job.cause.text}")


def count_states(states: Iterator[TrialState]) -> dict[str, int]:
    """Count the trials in each state."""
    counted = Counter(item.state for item in states)
    return {state: counted[state] for state in STATES}


def _waits_for_its_turn(state: JobState) -> Cause:
    job = state.job
    return job.held or Cause("Turn", f"waiting for its turn ({count_words(job.parallelism, 'pod')} at a time)")
