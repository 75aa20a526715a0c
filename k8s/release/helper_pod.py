"""A short-lived pod that mounts the volume of a release, so that commands can run there.

The pod is modelled on the release's own pods, so that it has the same volume, image and user and meets the
policies of the namespace, but it requests few resources. It ends by itself, and is deleted with its Job.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from job.errors import SweepError
from k8s.api.client import Cluster, Object
from k8s.api.errors import UnavailableError
from k8s.api.watch import DELETED, Backoff, Follower, WatchTarget
from k8s.observe.causes import is_trouble, why_failed, why_pending
from k8s.observe.containers import find_program_container
from k8s.observe.labels import NAME_LABEL, RELEASE_LABEL
from k8s.release.outputs import ReleaseOutput, template_of
from k8s.release.sweep_file import SWEEP_VOLUME

Notify = Callable[[str], None]

HELPER_CONTAINER = "results"
"""The name of the pod's container: the cluster may add others."""
START_SECONDS = 120
"""How long the pod may take to start: the volume may have to be attached to its node."""
SILENT_SECONDS = 5
"""How long to wait in silence for a pod that starts normally."""
LIFE_SECONDS = 3600
"""The pod ends after this time, whatever has happened to this program."""
IDLE_SECONDS = 20
"""The pod ends by itself this long after its last command has ended or the connection has broken."""
REMOVING_SECONDS = 60
"""How long to keep trying to remove the pod if the cluster does not answer."""
_WAIT = f"""
idle=0
while [ $idle -lt {IDLE_SECONDS} ]; do
  sleep 1
  set -- /proc/[0-9]*
  if [ $# -gt 1 ]; then idle=0; else idle=$((idle + 1)); fi
done
"""
"""Waits while any other process runs in the pod, and IDLE_SECONDS longer."""
_KEPT = (
    "affinity",
    "imagePullSecrets",
    "nodeSelector",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
)
"""What the helper pod takes from the spec of the pods whose volume it mounts."""


def helper_pod(output: ReleaseOutput) -> Object:
    """Return the pod that mounts the output's volume and waits.

    Raises:
        ConfigError: no Job or CronJob that mounts it is left.
    """
    template = template_of(output)
    container = find_program_container(template)
    waits = {
        "name": HELPER_CONTAINER,
        "image": container["image"],
        "imagePullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
        "command": ["sh", "-c", _WAIT],
        "volumeMounts": _without_sweep_file(container.get("volumeMounts")),
        "securityContext": container.get("securityContext", {}),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
    }
    spec: dict[str, Any] = {name: template[name] for name in _KEPT if name in template}
    spec |= {
        "containers": [waits],
        "volumes": _without_sweep_file(template.get("volumes")),
        "restartPolicy": "Never",
        "activeDeadlineSeconds": LIFE_SECONDS,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }
    about = (output.owner or {})["metadata"]
    kind = "CronJob" if "jobTemplate" in (output.owner or {})["spec"] else "Job"
    owner = {"apiVersion": "batch/v1", "kind": kind, "name": about["name"], "uid": about["uid"]}
    labels = {NAME_LABEL: "xor-sweep", RELEASE_LABEL: output.release, "app.kubernetes.io/component": "results"}
    # Named here, so that the pod can be removed even if the answer to its creation was lost.
    name = f"{about['name']}-results-{secrets.token_hex(3)}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": spec,
    }


def _without_sweep_file(volumes: list[Object] | None) -> list[Object]:
    """Leave out the sweep file, which may be gone: it is deleted with its revision."""
    return [volume for volume in volumes or () if volume["name"] != SWEEP_VOLUME]


@contextmanager
def running_helper_pod(cluster: Cluster, output: ReleaseOutput, notify: Notify) -> Iterator[str]:
    """Yield the name of a running pod that mounts the output's volume; it is removed after the block.

    Raises:
        ConfigError: no Job or CronJob that mounts the volume is left.
        SweepError: the pod did not start.
        RefusedError: the credentials do not allow creating a pod.
    """
    body = helper_pod(output)
    name, may_exist = body["metadata"]["name"], True
    try:
        try:
            cluster.create("pods", body)
        except SweepError as error:
            may_exist = isinstance(error, UnavailableError)
            raise
        _wait(cluster, name, notify)
        yield name
    finally:
        if may_exist:
            _remove(cluster, name, notify)


def _remove(cluster: Cluster, name: str, notify: Notify) -> None:
    """Remove the pod; if that fails, only notify the user: the data that came through it are complete."""
    backoff = Backoff(patience=REMOVING_SECONDS)
    while True:
        try:
            try:
                return cluster.delete("pods", name)
            except UnavailableError as error:
                if not backoff.tries:
                    notify(f"{error}; trying again to remove the pod {name}")
                time.sleep(backoff.next(error))
        except SweepError as error:
            return notify(
                f"the pod {name} could not be removed ({error}); it ends by itself soon and is deleted "
                f"with its Job; to remove it now: kubectl delete pod {name} --namespace {cluster.namespace}"
            )


def _wait(cluster: Cluster, name: str, notify: Notify) -> None:
    """Return when the pod runs; meanwhile, notify the user of what it is waiting for."""
    why = notified = "nothing says why"
    is_urgent, begun = False, time.monotonic()
    with Follower(cluster, [WatchTarget("pods", fields=f"metadata.name={name}")]) as follower:
        for change in follower.changes():
            waited = time.monotonic() - begun
            if change.object:
                phase = change.object["status"].get("phase")
                if phase == "Running":
                    return
                if phase == "Failed" or change.type == DELETED:
                    raise SweepError(f"the pod that reads the volume failed: {why_failed(change.object).text}")
                cause = why_pending(change.object)
                why, is_urgent = cause.text, is_trouble(cause)
            if why != notified and (is_urgent or waited > SILENT_SECONDS):
                notify(f"the pod {name} is pending: {why}")
                notified = why
            if waited > START_SECONDS:
                raise SweepError(f"the pod that reads the volume did not start within {START_SECONDS} s: {why}")
