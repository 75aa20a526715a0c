"""A volume of the cluster: a short-lived pod that mounts it hands a run's files over, or runs a command there."""

import json
from pathlib import Path

from job.errors import ConfigError, StorageError, SweepError
from job.runs.layout import RUNS, run_folder
from k8s.api.client import Cluster
from k8s.api.exec import run_in_pod
from k8s.release.archive import unpack_archive
from k8s.release.helper_pod import HELPER_CONTAINER, Notify, running_helper_pod
from k8s.release.outputs import ReleaseOutput

_SEND = """
if ! [ -d "$1/$2" ]; then
  echo "there is no $2 yet; there are: $(ls "$1/$3" 2>/dev/null | head -n 20 | xargs)" >&2
  exit 1
fi
cd "$1" && find "$2" -name result.json -print0 2>/dev/null |
  tar -cf - --null -T - "--exclude=.*" --exclude=result.json "$2"
[ $? -le 1 ]
"""
"""Sends a run that may still grow: the results first, whose files are then there. To tar, 1 is "it has changed"."""


def fetch_run(cluster: Cluster, output: ReleaseOutput, run: str, folder: Path, notify: Notify) -> None:
    """Copy a run's files from the output's volume into a local folder, as `folder`/runs/<run>/...

    Args:
        cluster: the cluster and the namespace.
        output: the output.
        run: the run's name.
        folder: a local folder.
        notify: takes what there is to say meanwhile.

    Raises:
        ConfigError: there is nothing whose volume a pod could mount; the local folder cannot be written.
        SweepError: the pod did not begin, or the run is not there.
        RefusedError: the credentials do not allow to create a pod, or to run a command in one.
    """
    command = ["sh", "-c", _SEND, "sh", output.url, run_folder(run), RUNS]
    with running_helper_pod(cluster, output, notify) as pod:
        try:
            unpack_archive(run_in_pod(cluster, pod, HELPER_CONTAINER, command), folder)
        except ConfigError:
            raise
        except SweepError as error:
            raise SweepError(f"{run} is not to be had from {output.url} in the cluster: {error}") from error


def run_there(cluster: Cluster, output: ReleaseOutput, command: list[str], notify: Notify) -> bytes:
    """Run one of this program's commands where the output's volume is mounted; return what it prints.

    Raises:
        SweepError: what the command fails with, of its exit code's class; and what `fetch_run` raises.
    """
    with running_helper_pod(cluster, output, notify) as pod:
        try:
            return b"".join(run_in_pod(cluster, pod, HELPER_CONTAINER, ["xor-sweep", *command]))
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
