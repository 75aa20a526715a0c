"""A volume of the cluster: a short-lived pod that mounts it hands a run's files over, or runs a command there.

The pod is made as the release's own pods are, so that it has the volume, the image, the user and all that the
namespace demands, and none of the trials' resources. It ends by itself, and with the Job that it is modelled on.
"""

import io
import json
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from job.errors import ConfigError, StorageError, SweepError
from k8s.api.client import Cluster, Object
from k8s.api.errors import UnavailableError
from k8s.api.watch import DELETED, Follower, Pauses, Target
from k8s.observe.causes import is_trouble, why_failed, why_pending
from k8s.observe.state import NAME_LABEL, RELEASE_LABEL
from k8s.release.outputs import Output, template_of
from k8s.release.sweeps import SWEEP_VOLUME

Tell = Callable[[str], None]

START_SECONDS = 120
"""How long the pod may take to begin; the volume may have to be attached to its node."""

SILENT_SECONDS = 5
"""How long nothing is said while the pod begins as pods do."""

LIFE_SECONDS = 3600
"""After so long the pod ends, whatever has become of this program."""

IDLE_SECONDS = 20
"""So long after the last command in it, or after its connection broke, the pod ends by itself."""

REMOVING_SECONDS = 60
"""How long the pod's removal is tried again where the cluster does not answer."""

_WAIT = f"""
idle=0
while [ $idle -lt {IDLE_SECONDS} ]; do
  sleep 1
  set -- /proc/[0-9]*
  if [ $# -gt 1 ]; then idle=0; else idle=$((idle + 1)); fi
done
"""
"""Waits as long as there is any other process in the pod, and then a while."""

_SEND = """
if ! [ -d "$1/$2" ]; then
  echo "there is no $2 yet; there are: $(ls "$1/runs" 2>/dev/null | head -n 20 | xargs)" >&2
  exit 1
fi
cd "$1" && find "$2" -name result.json -print0 2>/dev/null |
  tar -cf - --null -T - "--exclude=.*" --exclude=result.json "$2"
[ $? -le 1 ]
"""
"""Sends a run that may still grow: the results first, whose files are then there. To tar, 1 is "it has changed"."""

_KEPT = (
    *("affinity", "imagePullSecrets", "nodeSelector", "priorityClassName", "runtimeClassName", "schedulerName"),
    *("securityContext", "serviceAccountName", "tolerations"),
)


def fetch_run(cluster: Cluster, output: Output, run: str, folder: Path, tell: Tell) -> None:
    """Copy a run's files from the output's volume into a local folder, as `folder`/runs/<run>/...

    Args:
        cluster: the cluster and the namespace.
        output: the output.
        run: the run's name.
        folder: a local folder.
        tell: takes what there is to say meanwhile.

    Raises:
        ConfigError: there is nothing whose volume a pod could mount; the local folder cannot be written.
        SweepError: the pod did not begin, or the run is not there.
        RefusedError: the credentials do not allow to create a pod, or to run a command in one.
    """
    command = ["sh", "-c", _SEND, "sh", output.url, f"runs/{run}"]
    with _pod(cluster, output, tell) as pod:
        try:
            _unpack(cluster.execute(pod, command), folder)
        except ConfigError:
            raise
        except SweepError as error:
            raise SweepError(f"{run} is not to be had from {output.url} in the cluster: {error}") from error


def run_there(cluster: Cluster, output: Output, command: list[str], tell: Tell) -> bytes:
    """Run one of this program's commands where the output's volume is mounted; return what it prints.

    Raises:
        SweepError: what the command fails with, of its exit code's class; and what `fetch_run` raises.
    """
    with _pod(cluster, output, tell) as pod:
        try:
            return b"".join(cluster.execute(pod, ["xor-sweep", *command]))
        except SweepError as error:
            raise _own_error(error) from error


def _own_error(error: SweepError) -> SweepError:
    """Return the error that the program in the pod ended with, where its words are one line of JSON."""
    try:
        told = json.loads(str(error))
        kinds: dict[int, type[SweepError]] = {2: ConfigError, 5: StorageError}
        return kinds.get(told["exit_code"], SweepError)(told["message"])
    except (ValueError, KeyError, TypeError):
        return error


def helper_pod(output: Output) -> Object:
    """Return the pod that mounts the output's volume and waits.

    Raises:
        ConfigError: there is nothing any more that says how.
    """
    template = template_of(output)
    container = template["containers"][0]
    waits = {
        "name": "results",
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
    # Named here, so that it can be removed also where the answer to its creation was lost.
    name = f"{about['name']}-results-{secrets.token_hex(3)}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": spec,
    }


def _without_sweep_file(volumes: list[Object] | None) -> list[Object]:
    """Leave out what may be gone already: the sweep file goes with its revision."""
    return [volume for volume in volumes or () if volume["name"] != SWEEP_VOLUME]


@contextmanager
def _pod(cluster: Cluster, output: Output, tell: Tell) -> Iterator[str]:
    body = helper_pod(output)
    name, may_exist = body["metadata"]["name"], True
    try:
        try:
            cluster.create("pods", body)
        except SweepError as error:
            may_exist = isinstance(error, UnavailableError)
            raise
        _wait(cluster, name, tell)
        yield name
    finally:
        if may_exist:
            _remove(cluster, name, tell)


def _remove(cluster: Cluster, name: str, tell: Tell) -> None:
    """Remove the pod; where that cannot be done, only tell: what came through it counts."""
    pauses = Pauses(patience=REMOVING_SECONDS)
    while True:
        try:
            try:
                return cluster.delete("pods", name)
            except UnavailableError as error:
                if not pauses.tries:
                    tell(f"{error}; trying again to remove the pod {name}")
                time.sleep(pauses.next(error))
        except SweepError as error:
            return tell(
                f"the pod {name} could not be removed ({error}); it ends by itself soon, and goes with its Job; to "
                f"remove it: kubectl delete pod {name} --namespace {cluster.namespace}"
            )


def _wait(cluster: Cluster, name: str, tell: Tell) -> None:
    """Return when the pod runs; tell meanwhile what it waits for."""
    why = told = "nothing says why"
    at_once, begun = False, time.monotonic()
    with Follower(cluster, [Target("pods", fields=f"metadata.name={name}")]) as follower:
        for change in follower.changes():
            waited = time.monotonic() - begun
            if change.object:
                phase = change.object["status"].get("phase")
                if phase == "Running":
                    return
                if phase == "Failed" or change.type == DELETED:
                    raise SweepError(f"the pod that reads the volume failed: {why_failed(change.object).text}")
                cause = why_pending(change.object)
                why, at_once = cause.text, is_trouble(cause)
            if why != told and (at_once or waited > SILENT_SECONDS):
                tell(f"the pod {name} is pending: {why}")
                told = why
            if waited > START_SECONDS:
                raise SweepError(f"the pod that reads the volume did not begin in {START_SECONDS} s: {why}")


class _Stream(io.RawIOBase):
    """What comes in parts, as a file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return some of it, at most so much; nothing at its end."""
        while not self._rest and (part := next(self._parts, None)) is not None:
            self._rest = part
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _unpack(parts: Iterator[bytes], folder: Path) -> None:
    """Unpack an archive as it comes.

    Raises:
        UnavailableError: it broke off.
        ConfigError: the folder cannot be written.
    """
    try:
        with tarfile.open(fileobj=_Stream(parts), mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if member.isfile() and not name.is_absolute() and ".." not in name.parts:
                    _write(archive, member, folder / name)
        for _ in parts:  # Only in the end it is said whether the command failed.
            pass
    except tarfile.TarError as error:
        raise UnavailableError(f"what came from the cluster broke off: {error}") from error
    except OSError as error:
        raise ConfigError(f"{folder.parent} cannot be written: {error.strerror}") from error


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = archive.extractfile(member)
    with target.open("wb") as copy:
        while stream and (part := stream.read(1 << 20)):
            copy.write(part)
