"""A release's sweep, found in the cluster: its Job, its settings, and where its results are."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.runs.run import Run
from job.settings.file import read_sweep_file
from job.settings.sweep import Settings
from job.settings.validation import make_settings
from job.storage import open_storage
from k8s.api.client import Cluster, Object
from k8s.api.errors import NoJobError, RefusedError, UnavailableError
from k8s.observe.causes import Cause, why_suspended
from k8s.observe.state import INDEX_LABEL, JOB_LABEL, NAME_LABEL, RELEASE_LABEL, Job, parse_job

SWEEP_FILE = "sweep.yaml"
SWEEP_VOLUME = "sweep"
"""The volume of all pods of a release that holds the sweep file."""
VOLUME = Path("/output")
"""Where the chart mounts the volume claim."""
OURS = f"{NAME_LABEL}=xor-sweep"
"""Which labels all objects have that the chart makes."""
_RELEASE = re.compile(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
"""What can be a label's value."""
_FAILED = "FailedCreate"
_PATIENCE_SECONDS = 10.0
"""How long a person waits for a bucket that does not answer before the rest is shown without it."""


@dataclass(frozen=True)
class Sweep:
    """One revision of a release."""

    release: str
    job: Object
    """Its Job, as the API has it."""
    config: Settings

    @property
    def name(self) -> str:
        """The Job's name, which is the run's."""
        return str(self.job["metadata"]["name"])

    @property
    def pod_labels(self) -> str:
        """Which labels its pods have."""
        return f"{JOB_LABEL}={self.name}"

    def labels_of(self, index: int) -> str:
        """Which labels the pods of an index have."""
        return f"{self.pod_labels},{INDEX_LABEL}={index}"

    def run(self, output: str | None = None, *, retry_seconds: float = _PATIENCE_SECONDS) -> Run:
        """Return its run; nothing is read yet.

        Args:
            output: where the output is as seen from here; left out, where the sweep says.
            retry_seconds: how long a bucket that does not answer is asked again.

        Raises:
            ConfigError: the output is neither a folder nor a bucket's URL.
            StorageError: there are no credentials for the bucket.
        """
        storage = open_storage(output or self.config.output, retry_seconds=retry_seconds)
        return Run(storage, self.config, self.name)


def find_sweep(cluster: Cluster, release: str, revision: int | None = None, run: str | None = None) -> Sweep:
    """Find a release's sweep.

    Args:
        cluster: the cluster and the namespace.
        release: the release's name, as `helm list` shows it.
        revision: the revision; left out, the newest that has a Job.
        run: the run's name, which is the Job's; it goes before the revision.

    Raises:
        ConfigError: there is no such release, revision or run here; the message names those that are. Or its
            sweep file is wrong.
        SweepError: the ConfigMap with its sweep file is not there.
    """
    if not _RELEASE.fullmatch(release):
        raise ConfigError(f"{release!r} cannot be a release: its name has letters, digits and '-' only")
    known = {job["metadata"]["name"]: job for job in _jobs(cluster, f"{OURS},{RELEASE_LABEL}={release}")}
    if not known:
        _check_removed(cluster, release)
        releases = {job["metadata"]["labels"].get(RELEASE_LABEL) for job in _jobs(cluster, OURS)}
        names = ", ".join(sorted(filter(None, releases))) or "none"
        raise NoJobError(
            f"there is no release '{release}' in the namespace {cluster.namespace}, or its Jobs have been removed,"
            f" and its runs are in its output only; the releases that have Jobs: {names}"
        )
    chosen = known.get(run) if run else _of_revision(cluster, release, known.values(), revision)
    if chosen is None:
        raise NoJobError(
            f"the release {release} has no Job (any more) of a run '{run}'; the runs that have one:"
            f" {', '.join(sorted(known))}"
        )
    return Sweep(release, chosen, _config(cluster, chosen))


def _of_revision(cluster: Cluster, release: str, jobs: Iterable[Object], revision: int | None) -> Object:
    known = {revision_of(job): job for job in jobs if revision_of(job)}
    chosen = max(known, default=0) if revision is None else revision
    if chosen in known:
        return known[chosen]
    if revision is None:
        _check_removed(cluster, release)
        raise NoJobError(f"the release {release} has no sweep of its own, only retrainings, which --run names")
    raise NoJobError(
        f"the release {release} has no Job (any more) of revision {revision}; the revisions that have one:"
        f" {', '.join(map(str, sorted(known))) or 'none'}"
    )


def _check_removed(cluster: Cluster, release: str) -> None:
    """Say where the release's newest run is, if its Job had been there: the sweep file of it stays."""
    for run in own_runs(cluster, release)[:1]:
        raise NoJobError(
            f"the Job of {run} has been removed, by its ttlSecondsAfterFinished or by hand; the run is in the "
            f"output {_output_of(cluster, run)}: `xor-sweep results {release} FOLDER` copies it"
        )


def _output_of(cluster: Cluster, run: str) -> str:
    try:
        return read_config(cluster, run).output
    except SweepError:
        return "of its sweep"


def own_runs(cluster: Cluster, release: str) -> list[str]:
    """Return the names of the release's own runs whose sweep files are there, the newest first."""
    try:
        found = list(cluster.each("configmaps", labels=f"{OURS},{RELEASE_LABEL}={release}"))
    except RefusedError:
        return []
    return [item["metadata"]["name"] for item in sorted(found, key=revision_of, reverse=True) if revision_of(item)]


def pod_of(owner: Object) -> Object:
    """Return the spec of the pods of a Job or CronJob."""
    spec = owner["spec"].get("jobTemplate", owner)["spec"]["template"]["spec"]
    return dict(spec)


def sweep_file_of(owner: Object) -> str:
    """Return the name of the ConfigMap with the sweep file of a Job or CronJob."""
    for volume in pod_of(owner).get("volumes") or ():
        if volume["name"] == SWEEP_VOLUME and "configMap" in volume:
            return str(volume["configMap"]["name"])
    return str(owner["metadata"]["name"])


def read_job(cluster: Cluster, name: str) -> Job:
    """Return the Job as it is now.

    Raises:
        ObjectNotFoundError: it is gone.
    """
    return parse_job(cluster.read("jobs", name))


def revision_of(item: Object) -> int:
    """Return the revision that ends a name, as in demo-r3; 0 where none does, as in a retraining's."""
    found = re.search(r"-r(\d+)$", item["metadata"]["name"])
    return int(found[1]) if found else 0


def is_here(run: Run) -> bool:
    """Say whether the run is in a bucket, or in a folder that is here; else it is on a volume of its pods."""
    return run.storage.local_root is None or (_is_mounted(run.storage.local_root) and run.check())


def check_reachable(run: Run) -> None:
    """Find out whether the run's output can be seen from here.

    Raises:
        ConfigError: it is a folder of the pods that is not here.
    """
    if run.storage.local_root and not _is_mounted(run.storage.local_root):
        raise ConfigError(
            f"the sweep's output {run.storage.url} is in its pods, not here: `xor-sweep results` copies it, "
            "or --output names it where the volume is mounted here"
        )


def _is_mounted(output: Path) -> bool:
    """Say whether the output's folder is here; below the volume's, it is made with the first result."""
    return (VOLUME if output.is_relative_to(VOLUME) else output).is_dir()


def why_waiting(cluster: Cluster, job: Job) -> Cause | None:
    """Say why a Job has fewer pods than it should have; None where nothing says so, or it cannot be read now."""
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


def _jobs(cluster: Cluster, labels: str) -> Iterator[Object]:
    jobs = cluster.each("jobs", labels=labels)
    # A release has Jobs that are no sweeps: the driver's, and those of the CronJob.
    return (job for job in jobs if job["spec"].get("completionMode") == "Indexed")


def _config(cluster: Cluster, job: Object) -> Settings:
    try:
        return read_config(cluster, job["metadata"]["name"])
    except ConfigError as error:
        outcome = parse_job(job).outcome
        raise ConfigError(f"{error}{f'; its Job is {outcome}' if outcome else ''}") from None


def read_config(cluster: Cluster, name: str) -> Settings:
    """Read the sweep file of a ConfigMap.

    Raises:
        ConfigError: it is wrong.
        SweepError: it is not there.
    """
    try:
        text = cluster.read("configmaps", name).get("data", {})[SWEEP_FILE]
    except (ObjectNotFoundError, KeyError):
        raise SweepError(f"the ConfigMap {name} with the Job's {SWEEP_FILE} is not there") from None
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / SWEEP_FILE
            path.write_text(text)
            return _parsed(path, f"the ConfigMap {name}, {SWEEP_FILE}")
    except OSError as error:
        words = f"no folder for temporary files can be written ({error.strerror}): name one with TMPDIR"
        raise SweepError(words) from error


def _parsed(path: Path, place: str) -> Settings:
    try:
        settings, where = read_sweep_file(path)
        return make_settings({**settings, "run": None}, where)
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(path), place)) from None


def _workload(cluster: Cluster, job: Job) -> Object | None:
    """Return Kueue's object for the Job; None without Kueue."""
    try:
        return next(cluster.each("workloads", labels=f"kueue.x-k8s.io/job-uid={job.uid}"), None)
    except ObjectNotFoundError:
        return None


def _why_no_pods(cluster: Cluster, job: Job) -> Cause | None:
    """Say why the Job's pods could not even be created: a quota, or what the namespace enforces."""
    told = cluster.each("events", fields=f"involvedObject.uid={job.uid}")
    creations = (event for event in told if event["reason"] in (_FAILED, "SuccessfulCreate"))
    newest = max(
        creations, key=lambda one: (one.get("lastTimestamp") or "", one["reason"] == _FAILED), default=None
    )
    if newest is None or newest["reason"] != _FAILED:
        return None
    return Cause(_FAILED, " ".join(newest["message"].split()))
