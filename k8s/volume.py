"""A run on a volume of the cluster: a short-lived pod that mounts it hands the run's files over.

The pod is made of the Job's own template, so that it has the volume, the image, the user and all that the
namespace demands, and none of the trials' resources. It ends by itself, and with the Job.
"""

import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from job.errors import SweepError
from k8s.client import Cluster, Object
from k8s.errors import UnavailableError
from k8s.reasons import why_failed, why_pending
from k8s.state import NAME_LABEL, RELEASE_LABEL
from k8s.sweeps import Sweep
from k8s.watching import DELETED, Follower, Target

START_SECONDS = 120
"""How long the pod may take to begin; the volume may have to be attached to its node."""

LIFE_SECONDS = 3600
"""After so long the pod ends, whatever has become of this program."""

_SEND = """
cd "$1" && find "$2" -name result.json -print0 2>/dev/null |
  tar -cf - --null -T - "--exclude=.*" --exclude=result.json "$2"
[ $? -le 1 ]
"""
"""Sends a run that may still grow: the results first, whose files are then there. To tar, 1 is "it has changed"."""

_KEPT = (
    *("affinity", "imagePullSecrets", "nodeSelector", "priorityClassName", "runtimeClassName", "schedulerName"),
    *("securityContext", "serviceAccountName", "tolerations", "volumes"),
)


def fetch_run(cluster: Cluster, sweep: Sweep, folder: Path) -> None:
    """Copy the run's files from the sweep's volume into a local folder, as `folder`/runs/<run>/...

    Raises:
        SweepError: the pod did not begin, or the run is not there.
        RefusedError: the credentials do not allow to create a pod, or to run a command in one.
    """
    output = sweep.config.output
    command = ["sh", "-c", _SEND, "sh", output, f"runs/{sweep.name}"]
    with _pod(cluster, sweep) as pod:
        path = folder / "run.tar"
        with path.open("wb") as stream:
            try:
                for part in cluster.execute(pod, command):
                    stream.write(part)
            except SweepError as error:
                raise SweepError(f"the run is not to be had from {output} in the cluster: {error}") from error
    try:
        _unpack(path, folder)
    except tarfile.TarError as error:
        raise UnavailableError(f"what came from the cluster broke off: {error}") from error
    path.unlink()


def helper_pod(sweep: Sweep) -> Object:
    """Return the pod that mounts the sweep's volume and waits."""
    about = sweep.job["metadata"]
    template = sweep.job["spec"]["template"]["spec"]
    container = template["containers"][0]
    waits = {
        "name": "results",
        "image": container["image"],
        "imagePullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
        "command": ["sleep", str(LIFE_SECONDS)],
        "volumeMounts": container.get("volumeMounts", []),
        "securityContext": container.get("securityContext", {}),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
    }
    spec: dict[str, Any] = {name: template[name] for name in _KEPT if name in template}
    spec |= {
        "containers": [waits],
        "restartPolicy": "Never",
        "activeDeadlineSeconds": LIFE_SECONDS,
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
    }
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": about["name"], "uid": about["uid"]}
    labels = {NAME_LABEL: "xor-sweep", RELEASE_LABEL: sweep.release, "app.kubernetes.io/component": "results"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": f"{about['name']}-results-", "labels": labels, "ownerReferences": [owner]},
        "spec": spec,
    }


@contextmanager
def _pod(cluster: Cluster, sweep: Sweep) -> Iterator[str]:
    name = cluster.create("pods", helper_pod(sweep))["metadata"]["name"]
    try:
        _wait(cluster, name)
        yield name
    finally:
        cluster.delete("pods", name)


def _wait(cluster: Cluster, name: str) -> None:
    why, deadline = "nothing says why", time.monotonic() + START_SECONDS
    with Follower(cluster, [Target("pods", fields=f"metadata.name={name}")]) as follower:
        for change in follower.changes():
            if change.object:
                phase = change.object["status"].get("phase")
                if phase == "Running":
                    return
                if phase == "Failed" or change.type == DELETED:
                    raise SweepError(f"the pod that reads the volume failed: {why_failed(change.object).text}")
                why = why_pending(change.object).text
            if time.monotonic() > deadline:
                raise SweepError(f"the pod that reads the volume did not begin in {START_SECONDS} s: {why}")


def _unpack(path: Path, folder: Path) -> None:
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if member.isfile() and not name.is_absolute() and ".." not in name.parts:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                stream = archive.extractfile(member)
                with target.open("wb") as copy:
                    while stream and (part := stream.read(1 << 20)):
                        copy.write(part)
