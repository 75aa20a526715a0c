"""Finds the log of a trial: its newest pod's, followed while the pod runs, or else the one stored in the run."""

import json
import time
from collections.abc import Callable, Iterator

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.runs.layout import LOG, attempt_file
from job.runs.run import Run
from job.settings.grid import Trial, trial_at, trial_named
from k8s.api.client import Cluster
from k8s.api.errors import UnavailableError
from k8s.api.watch import END, Backoff, Follower, WatchTarget
from k8s.commands.log_lines import LOG_REMOVED, parse_log_line
from k8s.observe.containers import TRIAL_CONTAINER
from k8s.observe.state import JobState, Pod, parse_job, parse_pod
from k8s.observe.trials import DONE, FAILED, PENDING, RUNNING, TrialState, state_of_trial
from k8s.observe.waiting import why_waiting
from k8s.release.reachability import check_reachable
from k8s.release.sweeps import ReleaseSweep, read_job

_NO_CONTAINER = '" is terminated'
"""How the API's message ends once the container of an evicted pod is gone."""
_REMOVED = "has a pod whose log the cluster has removed"
PENDING_SECONDS = 10.0
"""How often to ask what a trial without a pod is waiting for."""


def find_trial(sweep: ReleaseSweep, word: str) -> Trial:
    """Return the trial of this name or index.

    Raises:
        ConfigError: the grid has no such trial.
    """
    if not word.isdecimal():
        return trial_named(sweep.settings, word)
    last = sweep.settings.trial_count - 1
    if int(word) > last:
        raise ConfigError(f"{word} is not in the grid: give a whole number from 0 to {last}, or a trial's name")
    return trial_at(sweep.settings, int(word))


class _RemovedError(Exception):
    """The kubelet has removed a container and its log, although the pod still exists."""


class TrialLog:
    """The log of one trial of a sweep."""

    def __init__(self, cluster: Cluster, sweep: ReleaseSweep, trial: Trial, notify: Callable[[str], None]) -> None:
        """Take the trial, and a function that shows messages to the user; no request is sent yet."""
        self._cluster = cluster
        self._sweep = sweep
        self._trial = trial
        self._index = trial.index // sweep.settings.trials_per_pod
        self._notify = notify

    def lines(self, run: Callable[[], Run], *, follow: bool) -> Iterator[str]:
        """Yield the lines of the log.

        Args:
            run: opens the run, which stores the log in case the pod is gone.
            follow: wait for the pod to start, and then for further lines until it ends.

        Raises:
            SweepError: the trial has not started, or there is no log of it.
        """
        if follow:
            self._wait(None)
        pods = self._pods()
        begun = [pod for pod in pods if pod.phase != "pending"]
        if not begun:
            self._check_begun(pods)
            yield from self._stored(run(), "no longer has a pod")
        elif follow:
            yield from self._only_of_this_trial(self._follow_attempts(begun[-1], run))
        else:
            if (newer := pods[-1]) is not begun[-1] and newer.cause:
                self._notify(
                    f"attempt {newer.attempt} is pending: {newer.cause.text}; this is attempt {begun[-1].attempt}"
                )
            yield from self._only_of_this_trial(self._read(begun[-1].name, run))

    def _pods(self) -> list[Pod]:
        """Return the trial's pods, oldest first."""
        records = [
            parse_pod(pod) for pod in self._cluster.list_objects("pods", labels=self._sweep.labels_of(self._index))
        ]
        return sorted(filter(None, records), key=_age)

    def _check_begun(self, pods: list[Pod]) -> None:
        state = JobState(read_job(self._cluster, self._sweep.name))
        state.pods = {pod.index: pod for pod in pods}
        now = self._now(state)
        if now.state == PENDING and now.cause:
            raise SweepError(f"{self._trial.name} is pending: {now.cause.text} (--follow waits for it)")

    def _now(self, state: JobState) -> TrialState:
        return state_of_trial(self._index, state, why_waiting(self._cluster, state.job), self._trial)

    def _wait(self, last: Pod | None) -> None:
        """Return when the pod after `last` has started or it is certain that none will; meanwhile, notify why not.

        Raises:
            SweepError: the Job was deleted.
        """
        notified = ""
        for state in self._states():
            pod, now = state.pods.get(self._index), self._now(state)
            if now.state == RUNNING and pod and not (last and pod.uid == last.uid):
                return
            words = f"{self._trial.name} is {now.state}: {now.cause.text}" if now.cause else ""
            if words and words != notified:
                self._notify(words)
                notified = words
            if now.state in (DONE, FAILED):
                return
            if state.gone:
                raise SweepError(f"the Job {self._sweep.name} was deleted, and {self._trial.name} with it")

    def _states(self) -> Iterator[JobState]:
        """Yield the state of the Job and the trial's pods: first all that exist, then after each change."""
        state, listed = JobState(parse_job(self._sweep.job)), False
        job = WatchTarget("jobs", fields=f"metadata.name={self._sweep.name}")
        with Follower(
            self._cluster, [job, WatchTarget("pods", labels=self._sweep.labels_of(self._index))]
        ) as follower:
            for change in follower.changes(PENDING_SECONDS):
                state.apply(change)
                listed = listed or (change.kind, change.type) == ("pods", END)
                if listed:
                    yield state

    def _log(self, pod: str, **options: object) -> Iterator[bytes]:
        """Yield the lines of a pod's log.

        Raises:
            _RemovedError: the first line says that the log is gone.
        """
        try:
            for number, line in enumerate(self._cluster.log(pod, container=TRIAL_CONTAINER, **options)):
                text = line.partition(b" ")[2] if "timestamps" in options else line
                if number == 0 and text.startswith(LOG_REMOVED):
                    raise _RemovedError
                yield line
        except SweepError as error:
            if _NO_CONTAINER in str(error):
                raise _RemovedError from None
            raise

    def _read(self, pod: str, run: Callable[[], Run]) -> Iterator[str]:
        try:
            for line in self._log(pod):
                yield line.decode(errors="replace")
        except _RemovedError:
            yield from self._stored(run(), _REMOVED)

    def _follow_attempts(self, pod: Pod, run: Callable[[], Run]) -> Iterator[str]:
        """Yield the lines of a pod's log and, if the pod fails, of the pods that replace it."""
        newer = [pod]
        while newer:
            pod = newer[0]
            try:
                yield from self._follow(pod.name)
            except _RemovedError:
                yield from self._stored(run(), _REMOVED)
            self._wait(pod)
            newer = [one for one in self._pods() if _age(one) > _age(pod) and one.phase != "pending"]

    def _follow(self, pod: str) -> Iterator[str]:
        """Yield the lines of a pod's log until the pod ends, each line once, even if the connection breaks."""
        last, backoff = b"", Backoff()
        while True:
            try:
                seen = last  # `sinceTime` is rounded to the second: skip the lines that come again.
                for line in self._log(pod, follow=True, timestamps=True, sinceTime=seen.decode()):
                    stamp, _, text = line.partition(b" ")
                    last = max(last, stamp)
                    backoff.reset()
                    if stamp > seen:
                        yield text.decode(errors="replace")
                if self._cluster.read("pods", pod)["status"]["phase"] not in ("Pending", "Running"):
                    return
                time.sleep(1)
            except UnavailableError as error:
                time.sleep(backoff.next(error))
            except ObjectNotFoundError:
                self._notify(f"the pod {pod} was deleted")
                return

    def _only_of_this_trial(self, lines: Iterator[str]) -> Iterator[str]:
        """Leave out the lines about the pod's other trials."""
        for line in lines:
            if self._sweep.settings.trials_per_pod == 1 or parse_log_line(line).trial in (None, self._trial.name):
                yield line

    def _stored(self, run: Run, why: str) -> Iterator[str]:
        """Yield the log stored in the run: from the attempt that counts, or else the newest.

        Raises:
            SweepError: it has none; the text also says why the cluster has none.
        """
        check_reachable(run)
        if run.is_finished(self._trial.name):
            logs = [run.read_file(run.result(self._trial.name), LOG)]
        else:
            attempts = [found for found in run.trial_objects(self._trial.name) if found.file == LOG]
            names = [attempt_file(found.trial, found.attempt, LOG) for found in attempts if found.attempt]
            logs = [run.storage.read(run.object_name(name)) for name in names]
        if not logs:
            raise SweepError(f"{self._trial.name} {why}, and {run.url} has no log of it")
        self._notify(f"{self._trial.name} {why}; this is the log that the run has stored")
        yield from max(logs, key=_time_of_first_event).decode(errors="replace").splitlines()


def _age(pod: Pod) -> tuple[str, int]:
    return pod.created, pod.attempt


def _time_of_first_event(log: bytes) -> str:
    try:
        return str(json.loads(log.partition(b"\n")[0])["time"])
    except (ValueError, KeyError, TypeError):
        return ""
