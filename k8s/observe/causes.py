"""Why a pod failed or is pending: pure functions that turn the API's objects into one line for a person."""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from job.errors import EXIT_CODES
from job.wording import one_line
from k8s.api.client import Object
from k8s.observe.containers import PROGRAM_CONTAINERS


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a pod or a Job is in its state."""

    reason: str
    """One word for programs: Kubernetes's own if it has one, such as OOMKilled or Unschedulable."""
    text: str
    """One line for people."""
    exit_code: int | None = None
    """The exit code of the container that failed."""


EXIT_CODE = "ExitCode"
UNKNOWN = "Unknown"
OOM_KILLED = "OOMKilled"

_DISRUPTIONS = {
    "EvictionByEvictionAPI": "evicted, as when a node is drained",
    "PreemptionByScheduler": "preempted by a pod of higher priority",
    "DeletionByTaintManager": "its node was lost or tainted",
    "DeletionByPodGC": "its node is gone",
    "TerminationByKubelet": "stopped by the kubelet of its node",
}
"""https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions"""

_ENDED_BY_ITSELF = ("Error", OOM_KILLED)
"""The reasons of a container whose `message` is the end of its log."""

_LOG_UNREADABLE = "Error on reading termination message from logs"
"""How that message begins if the kubelet had already removed the log, as it may after an eviction."""

_STARTING = {"ContainerCreating", "PodInitializing"}


def why_failed(pod: Object) -> Cause:
    """Return why a pod's phase is Failed."""
    status = pod["status"]
    name, state = _failed_container(status)
    code = state["exitCode"] if state else None
    if state and state.get("reason") == OOM_KILLED:
        return Cause(OOM_KILLED, f"OOMKilled: it needs more memory than {_memory_limit(pod, name)}", code)
    if reason := status.get("reason"):
        return Cause(reason, _line(reason, status.get("message")), code)
    disruption = condition(status, "DisruptionTarget")
    if disruption.get("status") == "True":
        reason = disruption["reason"]
        return Cause(reason, _line(_DISRUPTIONS.get(reason, reason), disruption.get("message")), code)
    if state is None:
        return Cause(UNKNOWN, _line("its pod failed", status.get("message") or "no reason is given"))
    return _why_ended(name, state)


def _why_ended(name: str, state: Object) -> Cause:
    """Return why a container ended by itself."""
    code, message = state["exitCode"], state.get("message", "")
    if state.get("reason") not in _ENDED_BY_ITSELF:
        return Cause(state["reason"], _line(state["reason"], message), code)
    if name in PROGRAM_CONTAINERS:
        return Cause(EXIT_CODE, exit_code_in_words(code, message), code)
    return Cause(EXIT_CODE, _line(f"the container {name} ended with exit code {code}", message), code)


def exit_code_in_words(code: int, log: str = "") -> str:
    """Describe an exit code: by the program's own last message if the log has it, else by its meaning."""
    for line in reversed(log.splitlines()):
        if f'"exit_code": {code}' in line and (words := _event_message(line)):
            return f"exit code {code}: {words}"
    if code in EXIT_CODES:
        return f"exit code {code}: {EXIT_CODES[code]}"
    try:
        return f"exit code {code}: killed by {signal.Signals(code - 128).name}"
    except ValueError:
        return f"exit code {code}"


def _event_message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def why_pending(pod: Object) -> Cause:
    """Return what a pod that has not started yet is waiting for."""
    status = pod["status"]
    for container in _containers(status):
        waiting = container["state"].get("waiting")
        if waiting and waiting.get("reason", "ContainerCreating") not in _STARTING:
            return Cause(waiting["reason"], _line(waiting["reason"], waiting.get("message")))
    scheduled = condition(status, "PodScheduled")
    if scheduled.get("status") == "False":
        return Cause(scheduled["reason"], _line(scheduled["reason"], scheduled.get("message")))
    if node := pod["spec"].get("nodeName"):
        return Cause("Starting", f"starting on {node}")
    return Cause("Pending", "waiting for a node")


def is_trouble(cause: Cause) -> bool:
    """Return whether what a pod is waiting for may never happen."""
    return cause.reason not in ("Starting", "Pending")


def why_job_failed(job: Object) -> Cause | None:
    """Return why a Job has failed or is about to fail; None if neither."""
    for kind in ("Failed", "FailureTarget"):
        found = condition(job["status"], kind)
        if found.get("status") == "True":
            return Cause(found["reason"], _line(found["reason"], found.get("message")))
    return None


def why_suspended(workload: Object | None) -> Cause:
    """Return what a suspended Job is waiting for, as Kueue says on its Workload, if there is one."""
    status = (workload or {}).get("status", {})
    if (workload or {}).get("spec", {}).get("active") is False:
        found = condition(status, "Evicted")
        why = one_line(found.get("message") or "The workload is deactivated")
        words = f"Kueue does not start it: {why} (its spec.active is false)"
        return Cause(found.get("reason") or "Deactivated", words)
    for kind in ("QuotaReserved", "Admitted", "Evicted"):
        found = condition(status, kind)
        if found and (found["status"] == "True") == (kind == "Evicted"):
            waits = "its queue" if _is_about_the_queue(found) else "quota in the queue"
            return Cause(found["reason"], f"waiting for {waits}: {one_line(found['message'])}")
    if workload:
        return Cause("Queued", "waiting in the queue; Kueue has not said for what yet")
    return Cause("Suspended", "the Job is suspended")


def _is_about_the_queue(found: Object) -> bool:
    """Return whether the queue itself (missing or stopped) is the problem, so that free quota would not help."""
    return found["reason"] == "Inadmissible" or bool(re.search(r"\b(inactive|stopped)\b", found["message"]))


def condition(status: Object, kind: str) -> Object:
    """Return the condition of a type; {} if there is none."""
    found = (item for item in status.get("conditions") or () if item["type"] == kind)
    return next(found, {})


def log_tail(pod: Object) -> str:
    """Return the end of the log if the kubelet put it into the pod's status (FallbackToLogsOnError), else ""."""
    _, state = _failed_container(pod["status"])
    words = state.get("message", "") if state and state.get("reason") in _ENDED_BY_ITSELF else ""
    return "" if words.startswith(_LOG_UNREADABLE) else words


def _containers(status: Object) -> Iterator[Object]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        yield from (item for item in status.get(kind) or () if "state" in item)


def _failed_container(status: Object) -> tuple[str, Any]:
    """Return the name and the final state of the container that failed; this program's comes before a sidecar."""
    ended = [(item["name"], item["state"].get("terminated")) for item in _containers(status)]
    failed = [(name, state) for name, state in ended if state and state["exitCode"]]
    return min(failed, key=lambda item: item[0] not in PROGRAM_CONTAINERS, default=("", None))


def _memory_limit(pod: Object, name: str) -> str:
    spec = pod["spec"]
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        if container["name"] == name and (limit := container.get("resources", {}).get("limits", {}).get("memory")):
            return f"its limit of {limit}"
    return "there is"


def _line(first: str, more: str | None) -> str:
    return f"{first}: {one_line(more)}" if more else first
