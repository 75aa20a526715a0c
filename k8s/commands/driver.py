"""The driver: watches a sweep's Job to its end, then writes the run's leaderboard and summary.

It holds nothing that cannot be recovered: a new driver takes over from one that died, the pods that still exist
show what it missed, and the run stores why the pods that are gone had failed.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from job import logs
from job.errors import StorageUnavailableError, SweepError
from job.runs.run import Run
from job.settings.grid import trials_of_pod
from job.statistics.leaderboard import Leaderboard
from k8s.api import watch as watching
from k8s.api.client import Cluster, Object
from k8s.commands.failures import LOG_LINES, IndexFailure, store_failure, stored_failure
from k8s.commands.log_lines import last_lines
from k8s.commands.summary import write_summary
from k8s.observe.causes import UNKNOWN, Cause, is_trouble, log_tail
from k8s.observe.state import UNDONE, JobState, Pod, parse_job
from k8s.observe.trials import why_not_done
from k8s.observe.waiting import why_waiting
from k8s.release.reachability import check_reachable
from k8s.release.sweeps import ReleaseSweep

PROGRESS_SECONDS = 10.0
"""The shortest time between two log lines about the sweep's progress."""

WHY_WAITING_SECONDS = 15.0
"""The shortest time between two requests for what a Job that lacks pods is waiting for."""

MOST_STORED = 1000
"""The most indexes whose failure is stored immediately; for others, the reason is stored only at the end."""

STORE_AGAIN_SECONDS = 300.0
"""How long nothing is stored after storage has failed: each try may take a minute, in which nothing is watched."""

MOST_TROUBLES = 50
"""How many different reasons for pending pods are logged."""


def drive(cluster: Cluster, sweep: ReleaseSweep, run: Run, sink: logs.Sink) -> Leaderboard:
    """Watch a sweep's Job to its end, and write the run's report.

    Args:
        cluster: the cluster and the namespace.
        sweep: the sweep.
        run: where its results are.
        sink: takes each log line.

    Returns:
        The run's leaderboard.

    Raises:
        ConfigError: the output has another sweep's run of this name, which is left as it is.
        SweepError: the Job was deleted; the cluster has not answered for too long, or refuses; the output cannot
            be reached.
    """
    check_reachable(run)
    with suppress(StorageUnavailableError):
        run.check()  # Refuse another sweep's run now, not at the end.
    driver = _Driver(cluster, sweep, run, sink)
    driver.watch()
    run.check()
    board, summary = write_summary(run, driver.state.job, driver.failures())
    for failed in summary.failed[:MOST_TROUBLES]:
        event = logs.event(f"{failed.trial} has no result: {failed.why}", severity="ERROR", **failed.model_dump())
        sink(event)
    for damaged in summary.damaged[:MOST_TROUBLES]:
        sink(logs.event(damaged, severity="ERROR"))
    told = summary.model_dump(include={"run", "url", "winner", "not_told_apart", "trials", "done"})
    sink(logs.event(board.verdict, failed=len(summary.failed), **told))
    return board


def without_cut_line(lines: list[str]) -> list[str]:
    """Leave out a first line that is the end of a JSON object: the kubelet keeps a log's last bytes, not lines."""
    cut = len(lines) > 1 and lines[0].endswith("}") and not lines[0].startswith("{")
    return lines[1:] if cut else lines


@dataclass(frozen=True)
class _SeenAttempt:
    pod: Pod
    log: tuple[str, ...]


def _failure(cause: Cause, attempt: _SeenAttempt) -> IndexFailure:
    pod = attempt.pod
    return IndexFailure(cause, pod.attempt, pod.name, pod.uid, pod.node, attempt.log)


class _Driver:
    """Watches one Job."""

    def __init__(self, cluster: Cluster, sweep: ReleaseSweep, run: Run, sink: logs.Sink) -> None:
        self.state = JobState(parse_job(sweep.job))
        self._cluster = cluster
        self._sweep = sweep
        self._run = run
        self._sink = sink
        self._stored: set[int] = set()
        self._attempts: dict[int, _SeenAttempt] = {}
        self._logged: set[str] = set()
        self._progress: tuple[int, ...] = ()
        self._next_progress = self._next_waiting = self._next_stored = 0.0

    def watch(self) -> None:
        """Return when the Job has ended, Complete or Failed."""
        job = self.state.job
        self._log(
            f"watching {job.name}: {self._sweep.settings.trial_count} trials in {job.completions} pods, "
            f"{job.parallelism} at a time"
        )
        pods = watching.WatchTarget("pods", labels=self._sweep.pod_labels, fields=UNDONE)
        with watching.Follower(
            self._cluster, [watching.WatchTarget("jobs", fields=f"metadata.name={job.name}"), pods]
        ) as follower:
            for change in follower.changes():
                self._handle(change)
                if self.state.gone:
                    raise SweepError(f"the Job {job.name} was deleted while the driver watched it")
                if self.state.job.outcome:
                    break
        # The end of the Job may arrive before the changes of its last pods.
        for pod in watching.list_all(self._cluster, pods):
            self._handle(watching.Change(watching.MODIFIED, "pods", pod))
        self._next_progress = 0
        self._log_progress()

    def failures(self) -> dict[int, IndexFailure]:
        """Return why each index that is not completed failed."""
        completed = self.state.job.completed
        return {
            index: self._failure(index) for index in range(self.state.job.completions) if index not in completed
        }

    def _failure(self, index: int) -> IndexFailure:
        attempt = self._attempts.get(index)
        cause = why_not_done(index, self.state, attempt.pod if attempt else None)
        if attempt is None:
            kept = stored_failure(self._run, self.state.job.uid, index) if cause.reason == UNKNOWN else None
            return kept or IndexFailure(cause)
        return _failure(cause, attempt)

    def _handle(self, change: watching.Change) -> None:
        pod = self.state.apply(change)
        if pod and pod.phase == "failed":
            self._handle_failed_pod(pod, change)
        elif pod and pod.phase == "pending" and pod.cause and is_trouble(pod.cause):
            self._log_once(f"{self._trial_names(pod.index)} is pending: {pod.cause.text}", key=pod.cause.text)
        elif change.type == watching.SILENT:
            self._log(f"{change.words}; trying again", severity="WARNING")
        elif change.type == watching.ANSWERS:
            self._log("the cluster answers again")
        self._log_waiting()
        self._log_progress()

    def _handle_failed_pod(self, pod: Pod, change: watching.Change) -> None:
        known = self._attempts.get(pod.index)
        if known and known.pod.uid == pod.uid and pod.cause and pod.cause.exit_code is not None:
            # The kubelet may report only later how the container of an evicted pod ended.
            self._attempts[pod.index] = _SeenAttempt(pod, known.log)
        if known and (known.pod.uid == pod.uid or known.pod.created > pod.created):
            return
        self._attempts[pod.index] = _SeenAttempt(pod, self._last_lines(change.object))
        if pod.cause and not (pod.stopped and self.state.job.cause):
            self._log(
                f"{self._trial_names(pod.index)}: attempt {pod.attempt} failed: {pod.cause.text}",
                severity="WARNING",
                reason=pod.cause.reason,
                exit_code=pod.cause.exit_code,
                pod=pod.name,
                node=pod.node,
                index=pod.index,
                log=self._attempts[pod.index].log,
            )
        self._store_failure(pod)

    def _store_failure(self, pod: Pod) -> None:
        """Store why an attempt failed: draining a node removes its failed pods, and perhaps this driver."""
        if pod.cause is None or time.monotonic() < self._next_stored:
            return
        if pod.index in self._stored or len(self._stored) < MOST_STORED:
            self._stored.add(pod.index)
            try:
                self._run.check()
                store_failure(
                    self._run, self.state.job.uid, pod.index, _failure(pod.cause, self._attempts[pod.index])
                )
            except SweepError:  # Unless this driver dies, it still knows the reason at the end.
                self._next_stored = time.monotonic() + STORE_AGAIN_SECONDS

    def _last_lines(self, pod: Object) -> tuple[str, ...]:
        if words := log_tail(pod):
            return tuple(without_cut_line(words.splitlines())[-LOG_LINES:])
        return last_lines(self._cluster, pod, LOG_LINES)

    def _log_waiting(self) -> None:
        job = self.state.job
        if job.waits and time.monotonic() >= self._next_waiting:
            self._next_waiting = time.monotonic() + WHY_WAITING_SECONDS
            if cause := why_waiting(self._cluster, job):
                self._log_once(f"{job.name}: {cause.text}", key=cause.text)

    def _log_progress(self) -> None:
        job = self.state.job
        progress = (len(job.completed), len(job.failed), job.active)
        if progress != self._progress and time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + PROGRESS_SECONDS
            self._progress = progress
            done, failed, active = progress
            self._log(
                f"{done} of {job.completions} pods done, {failed} failed, {active} pending or running",
                done=done,
                failed=failed,
                active=active,
            )

    def _log_once(self, message: str, key: str) -> None:
        if key not in self._logged and len(self._logged) < MOST_TROUBLES:
            self._logged.add(key)
            self._log(message, severity="WARNING")

    def _log(self, message: str, **fields: Any) -> None:
        self._sink(logs.event(message, **fields))

    def _trial_names(self, index: int) -> str:
        names = [trial.name for trial in trials_of_pod(self._sweep.settings, index)]
        return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
