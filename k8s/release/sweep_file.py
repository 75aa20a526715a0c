"""The sweep file of a release, which the chart puts into a ConfigMap and mounts in all pods."""

import tempfile
from pathlib import Path

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.settings.file import read_sweep_file
from job.settings.sweep import Settings
from job.settings.validation import make_settings
from k8s.api.client import Cluster, Object

SWEEP_FILE = "sweep.yaml"
SWEEP_VOLUME = "sweep"
"""The volume of all pods of a release that holds the sweep file."""


def pod_spec_of(owner: Object) -> Object:
    """Return the spec of the pods of a Job or CronJob."""
    spec = owner["spec"].get("jobTemplate", owner)["spec"]["template"]["spec"]
    return dict(spec)


def sweep_file_name(owner: Object) -> str:
    """Return the name of the ConfigMap with the sweep file of a Job or CronJob."""
    for volume in pod_spec_of(owner).get("volumes") or ():
        if volume["name"] == SWEEP_VOLUME and "configMap" in volume:
            return str(volume["configMap"]["name"])
    return str(owner["metadata"]["name"])


def read_settings(cluster: Cluster, name: str) -> Settings:
    """Read the sweep file of a ConfigMap.

    Raises:
        ConfigError: it is wrong.
        SweepError: it does not exist.
    """
    try:
        text = cluster.read("configmaps", name).get("data", {})[SWEEP_FILE]
    except (ObjectNotFoundError, KeyError):
        raise SweepError(f"the ConfigMap {name} with the Job's {SWEEP_FILE} does not exist") from None
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / SWEEP_FILE
            path.write_text(text)
            return _parse_settings(path, f"the ConfigMap {name}, {SWEEP_FILE}")
    except OSError as error:
        words = f"cannot write temporary files ({error.strerror}): set TMPDIR to a folder that can be written"
        raise SweepError(words) from error


def _parse_settings(path: Path, place: str) -> Settings:
    try:
        settings, where = read_sweep_file(path)
        return make_settings({**settings, "run": None}, where)
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(path), place)) from None
