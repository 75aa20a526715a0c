"""Why a Job has fewer pods than it should have: its queue, a quota, or a policy of the namespace."""

from job.errors import ObjectNotFoundError
from job.wording import one_line
from k8s.api.client import Cluster, Object
from k8s.api.errors import RefusedError, UnavailableError
from k8s.observe.causes import Cause, why_suspended
from k8s.observe.state import Job

FAILED_CREATE = "FailedCreate"


def why_waiting(cluster: Cluster, job: Job) -> Cause | None:
    """Return why a Job has fewer pods than it should have; None if that is not known or cannot be read now."""
    if not job.waits:
        return None
    try:
        if job.suspended and not job.cause:
            return why_suspended(_workload(cluster, job))
        return job.held or _why_no_pods(cluster, job)
    except RefusedError:
        return job.held
    except UnavailableError:
        return None


def _workload(cluster: Cluster, job: Job) -> Object | None:
    """Return Kueue's Workload for the Job; None if the cluster has no Kueue."""
    try:
        return next(cluster.list_objects("workloads", labels=f"kueue.x-k8s.io/job-uid={job.uid}"), None)
    except ObjectNotFoundError:
        return None


def _why_no_pods(cluster: Cluster, job: Job) -> Cause | None:
    """Return why the Job's pods could not be created: a quota, or a policy of the namespace."""
    events = cluster.list_objects("events", fields=f"involvedObject.uid={job.uid}")
    creations = (event for event in events if event["reason"] in (FAILED_CREATE, "SuccessfulCreate"))
    newest = max(
        creations, key=lambda one: (one.get("lastTimestamp") or "", one["reason"] == FAILED_CREATE), default=None
    )
    if newest is None or newest["reason"] != FAILED_CREATE:
        return None
    return Cause(FAILED_CREATE, one_line(newest["message"]))
