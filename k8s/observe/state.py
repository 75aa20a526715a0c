"""The state of a Job and its pods, kept up to date by changes, in little memory for any number of pods.

Finished indexes are kept only as the Job's own ranges; each of the others has one record.
"""

from dataclasses import dataclass, replace
from typing import Literal

from k8s.api import watch as watching
from k8s.api.client import Object
from k8s.observe.causes import Cause, condition, is_trouble, why_failed, why_job_failed, why_pending
from k8s.observe.containers import trial_state
from k8s.observe.labels import INDEX_LABEL
from k8s.observe.ranges import IndexRanges

UNDONE = "status.phase!=Succeeded"
"""Selects the pods that are followed: those that succeeded are in the Job's `completedIndexes`."""
SUCCEEDED = "status.phase=Succeeded"


@dataclass(frozen=True, slots=True)
class Pod:
    """The parts of a pod that the program uses: a pod is one attempt at one index."""

    uid: str
    name: str
    index: int
    created: str
    """When it was created, as the API writes it: these strings sort as their times do."""
    phase: Literal["pending", "running", "failed"]
    attempt: int
    """1 for the first."""
    since: str | None = None
    """When it began to run."""
    cause: Cause | None = None
    """Why it is pending or failed."""
    stopped: bool = False
    """It failed because it was deleted, by a person or by its Job, which had ended."""
    node: str | None = None


def parse_pod(pod: Object) -> Pod | None:
    """Return the record of a Job's pod; None if the pod has no index."""
    about, status = pod["metadata"], pod["status"]
    index = about.get("labels", {}).get(INDEX_LABEL)
    if index is None:
        return None
    failures = int(about.get("annotations", {}).get("batch.kubernetes.io/job-index-failure-count", 0))
    record = Pod(
        uid=about["uid"],
        name=about["name"],
        index=int(index),
        created=about["creationTimestamp"],
        phase="running",
        attempt=failures + 1,
        since=_started(status),
        node=pod["spec"].get("nodeName"),
    )
    if status["phase"] == "Failed":
        stopped = bool(about.get("deletionTimestamp")) and not condition(status, "DisruptionTarget")
        cause = why_failed(pod)
        if stopped:
            cause = replace(cause, reason="Deleted", text=f"its pod was deleted: {cause.text}")
        return replace(record, phase="failed", cause=cause, stopped=stopped)
    if status["phase"] == "Pending" and record.since is None:
        return replace(record, phase="pending", cause=why_pending(pod))
    return record


def termination_message(pod: Object) -> str:
    """Return the termination message of the trial's container, or "" if it has left none."""
    return str(trial_state(pod["status"]).get("terminated", {}).get("message", ""))


@dataclass(frozen=True)
class Job:
    """The parts of a Job that the program uses."""

    name: str
    uid: str
    completions: int
    parallelism: int
    active: int
    """Pods that are pending or running."""
    suspended: bool
    completed: IndexRanges
    failed: IndexRanges
    started: str | None
    ended: str | None
    outcome: Literal["Complete", "Failed"] | None
    cause: Cause | None
    """Why it has failed or is about to fail."""

    @property
    def held(self) -> Cause | None:
        """Why none of its pods start, if the Job itself says so."""
        if self.cause:
            return Cause(self.cause.reason, f"no more pods will start: {self.cause.text}")
        if self.suspended:
            return Cause("Suspended", "the Job is suspended")
        return None if self.parallelism else Cause("Parallelism", "no pods start: parallelism is 0")

    @property
    def waits(self) -> bool:
        """Return whether the Job has fewer pods than it should have."""
        undone = self.completions - len(self.completed) - len(self.failed)
        should = min(self.parallelism, undone)
        return self.outcome is None and (self.held is not None or self.active < should)


def parse_job(job: Object) -> Job:
    """Return the record of an Indexed Job."""
    spec, status = job["spec"], job["status"]
    outcome: Literal["Complete", "Failed"] | None = None
    ended = None
    for kind in ("Complete", "Failed"):
        found = condition(status, kind)
        if found.get("status") == "True":
            outcome, ended = ("Complete" if kind == "Complete" else "Failed"), found.get("lastTransitionTime")
    return Job(
        name=job["metadata"]["name"],
        uid=job["metadata"]["uid"],
        completions=spec["completions"],
        parallelism=spec.get("parallelism", 1),
        active=status.get("active", 0),
        suspended=bool(spec.get("suspend")),
        completed=IndexRanges(status.get("completedIndexes", "")),
        failed=IndexRanges(status.get("failedIndexes", "")),
        started=status.get("startTime"),
        ended=ended,
        outcome=outcome,
        cause=why_job_failed(job),
    )


class JobState:
    """A Job, and the newest pod of each index that is not completed."""

    def __init__(self, job: Job) -> None:
        """Take the Job; its pods arrive as changes."""
        self.job = job
        self.gone = False
        """The Job was deleted."""
        self.pods: dict[int, Pod] = {}
        self.troubles: dict[int, Cause] = {}
        """What the pods of an index waited for that may never happen; kept after such a pod has been deleted."""
        self._incoming: dict[int, Pod] | None = None
        """While a list arrives: its pods, which then replace those known before."""
        self._job_listed = True

    def apply(self, change: watching.Change) -> Pod | None:
        """Apply a change; return the pod's record if the change was about a pod of an index."""
        if change.kind == "jobs":
            self._apply_job(change)
        elif change.kind == "pods":
            return self._apply_pod(change)
        return None

    def _apply_job(self, change: watching.Change) -> None:
        if change.type == watching.BEGIN:
            self._job_listed = False
        elif change.type == watching.END:
            self.gone = not self._job_listed
        elif change.object["metadata"]["uid"] == self.job.uid:
            self.gone = change.type == watching.DELETED
            self._job_listed = True
            self.job = parse_job(change.object)
            for index in [index for index in self.pods if index in self.job.completed]:
                del self.pods[index]

    def _apply_pod(self, change: watching.Change) -> Pod | None:
        if change.type == watching.BEGIN:
            self._incoming = {}
        elif change.type == watching.END:
            self.pods, self._incoming = self._incoming or {}, None
        elif pod := parse_pod(change.object):
            self._note_trouble(pod)
            if change.type == watching.DELETED:
                self._forget(pod, change.object)
            else:
                self._keep(pod)
            return pod
        return None

    def _note_trouble(self, pod: Pod) -> None:
        if pod.phase == "pending" and pod.cause and is_trouble(pod.cause):
            self.troubles[pod.index] = pod.cause
        elif pod.phase != "pending" and not pod.stopped:
            self.troubles.pop(pod.index, None)

    def _keep(self, pod: Pod) -> None:
        pods = self.pods if self._incoming is None else self._incoming
        known = pods.get(pod.index, pod)
        if pod.index not in self.job.completed and (known.created, known.attempt) <= (pod.created, pod.attempt):
            pods[pod.index] = pod

    def _forget(self, pod: Pod, object_: Object) -> None:
        known = self.pods.get(pod.index)
        # A pod that has succeeded is also "deleted" from those that are followed; the Job will soon say so.
        if known and known.uid == pod.uid and object_["metadata"].get("deletionTimestamp"):
            del self.pods[pod.index]


def _started(status: Object) -> str | None:
    state = trial_state(status)
    for kind in ("running", "terminated"):
        started = state.get(kind, {}).get("startedAt")
        if started and not started.startswith("1970"):  # 1970 means that it could not even be started.
            return str(started)
    return None
