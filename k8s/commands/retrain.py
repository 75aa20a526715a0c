"""Retrains: starts a new run of the same grid from new seeds, whose winner challenges the champion.

The new run's Job is one that the chart rendered. The run's name and seed come from the UID of the Job that
retrains, so that a retraining that is started again after it died finds its run, and two at the same time have
two runs.
"""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from job import logs
from job.errors import ConfigError, ConflictError, ObjectNotFoundError
from job.settings.file import read_sweep_file
from job.statistics.champion import Decision, challenge, winner_of
from job.storage import RETRY_SECONDS
from k8s.api.client import Cluster, Object
from k8s.commands.driver import drive
from k8s.observe.labels import RELEASE_LABEL
from k8s.release.sweep_file import SWEEP_FILE, SWEEP_VOLUME
from k8s.release.sweeps import ReleaseSweep, find_sweep


def retrain_once(cluster: Cluster, manifest: Path, job: str, output: str | None, sink: logs.Sink) -> Decision:
    """Start a run, watch it to its end, and let its winner challenge the champion.

    Args:
        cluster: the cluster and the namespace.
        manifest: the Job to start, as the chart rendered it; its folder also contains the sweep file.
        job: the Job that retrains, to which the new run belongs.
        output: where the output is on this machine; by default, where the sweep says.
        sink: takes each log line.

    Returns:
        The decision, which is also in champion.json.

    Raises:
        ConfigError: the manifest or the sweep file cannot be read; there is no such Job.
        NoWinnerError: the run has no winner.
        SweepError: whatever `drive` and `challenge` raise.
    """
    sweep = _start(cluster, manifest, job, sink)
    run = sweep.run(output, retry_seconds=RETRY_SECONDS)
    board = drive(cluster, sweep, run, sink)
    decision = challenge(run.storage, winner_of(run, board))
    words = "is the champion now" if decision.action == "crowned" else "does not become the champion"
    sink(logs.event(f"{decision.contender} {words}: {decision.why}", **decision.model_dump(mode="json")))
    return decision


def _start(cluster: Cluster, manifest: Path, job: str, sink: logs.Sink) -> ReleaseSweep:
    """Create the run's Job, unless an earlier attempt has done so."""
    wanted = _read_manifest(manifest)
    settings, _ = read_sweep_file(manifest.parent / SWEEP_FILE)
    owner = _owner(cluster, job)
    name = f"{wanted['metadata']['name']}-t{owner['uid'][:8]}"
    settings["seed"] = int.from_bytes(sha256(owner["uid"].encode()).digest()[:4], "big")
    about = {"name": name, "labels": wanted["metadata"]["labels"], "ownerReferences": [owner]}
    _create(cluster, "configmaps", {"metadata": about, "data": {SWEEP_FILE: _yaml(settings)}})
    for volume in wanted["spec"]["template"]["spec"]["volumes"]:
        if volume["name"] == SWEEP_VOLUME:
            volume["configMap"]["name"] = name
    new = _create(cluster, "jobs", {**wanted, "metadata": about})
    words = "started" if new else "continues"
    sink(logs.event(f"{job} {words} {name}, seed {settings['seed']}", run=name, seed=settings["seed"]))
    return find_sweep(cluster, wanted["metadata"]["labels"][RELEASE_LABEL], run=name)


def _read_manifest(path: Path) -> Object:
    try:
        manifest = YAML(typ="safe", pure=True).load(path.read_text())
        manifest["metadata"]["labels"][RELEASE_LABEL], manifest["spec"]["template"]["spec"]["volumes"]
    except OSError as error:
        raise ConfigError(f"the manifest {path} cannot be read: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError):
        raise ConfigError(f"the manifest {path} is not a Job as the chart renders it") from None
    return dict(manifest)


def _owner(cluster: Cluster, job: str) -> dict[str, Any]:
    try:
        uid = cluster.read("jobs", job)["metadata"]["uid"]
    except ObjectNotFoundError:
        raise ConfigError(f"there is no Job {job} in the namespace {cluster.namespace}") from None
    return {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid}


def _create(cluster: Cluster, kind: str, body: Object) -> bool:
    """Create an object, unless it exists; return whether it is new."""
    try:
        cluster.create(kind, body)
    except ConflictError:
        return False
    return True


def _yaml(settings: dict[str, Any]) -> str:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(settings, stream)
    return stream.getvalue()
