"""Reads a release's volume through a helper pod: fetches a run's files, or runs a command of this program there."""

import json
from pathlib import Path

from job.errors import ConfigError, StorageError, SweepError
from job.runs.layout import RESULT, RUNS, run_folder
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
cd "$1" && find "$2" -name "$4" -print0 2>/dev/null |
  tar -cf - --null -T - "--exclude=.*" "--exclude=$4" "$2"
[ $? -le 1 ]
"""
"""Sends a run that may still grow: the results first, since their files exist by then. tar's 1 means "changed"."""


def fetch_run(cluster: Cluster, output: ReleaseOutput, run: str, folder: Path, notify: Notify) -> None:
    """Copy a run's files from the output's volume into a local folder, as `folder`/runs/<run>/...

    Args:
        cluster: the cluster and the namespace.
        output: the output.
        run: the run's name.
        folder: a local folder.
        notify: shows a message to the user meanwhile.

    Raises:
        ConfigError: no Job or CronJob that mounts the volume is left; the local folder cannot be written.
        SweepError: the pod did not start, or the run does not exist.
        RefusedError: the credentials do not allow creating a pod or running a command in one.
    """
    command = ["sh", "-c", _SEND, "sh", output.url, run_folder(run), RUNS, RESULT]
    with running_helper_pod(cluster, output, notify) as pod:
        try:
            unpack_archive(run_in_pod(cluster, pod, HELPER_CONTAINER, command), folder)
        except ConfigError:
            raise
        except SweepError as error:
            raise SweepError(f"cannot fetch {run} from {output.url} in the cluster: {error}") from error


def run_there(cluster: Cluster, output: ReleaseOutput, command: list[str], notify: Notify) -> bytes:
    """Run one of this program's commands in a pod that mounts the output's volume; return what it prints.

    Raises:
        SweepError: the command failed; the class matches its exit code. Also whatever `fetch_run` raises.
    """
    with running_helper_pod(cluster, output, notify) as pod:
        try:
            return b"".join(run_in_pod(cluster, pod, HELPER_CONTAINER, ["xor-sweep", *command]))
        except SweepError as error:
            raise _own_error(error) from error


def _own_error(error: SweepError) -> SweepError:
    """Return the error that the program in the pod ended with, if its message is one line of JSON."""
    try:
        told = json.loads(str(error))
        kinds: dict[int, type[SweepError]] = {2: ConfigError, 5: StorageError}
        return kinds.get(told["exit_code"], SweepError)(told["message"])
    except (ValueError, KeyError, TypeError):
        return error
