"""A release's sweep, found in the cluster: its Job, its settings, and where its results are."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from job.config import SweepConfig, make_config
from job.config_file import read_config_file
from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.run import Run
from job.storage import open_storage
from k8s.client import Cluster, Object
from k8s.errors import RefusedError, UnavailableError
from k8s.reasons import Cause, why_suspended
from k8s.state import INDEX_LABEL, JOB_LABEL, NAME_LABEL, RELEASE_LABEL, Job, parse_job

SWEEP_FILE = "sweep.yaml"
VOLUME = Path("/output")
"""Where the chart mounts the volume claim."""
_OURS = f"{NAME_LABEL}=xor-sweep"
_PATIENCE_SECONDS = 10.0
"""How long a person waits for a bucket that does not answer before the rest is shown without it."""


@dataclass(frozen=True)
class Sweep:
    """One revision of a release."""

    release: str
    job: Object
    """Its Job, as the API has it."""
    config: SweepConfig

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
            ConfigError: the output is neither a folder nor gs://bucket/prefix.
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
    known = {job["metadata"]["name"]: job for job in _jobs(cluster, f"{_OURS},{RELEASE_LABEL}={release}")}
    if not known:
        releases = {job["metadata"]["labels"].get(RELEASE_LABEL) for job in _jobs(cluster, _OURS)}
        names = ", ".join(sorted(filter(None, releases))) or "none"
        raise ConfigError(
            f"there is no release '{release}' in the namespace {cluster.namespace}, or its Jobs have been removed,"
            f" and its runs are in its output only; the releases that have Jobs: {names}"
        )
    chosen = known.get(run) if run else _of_revision(release, known.values(), revision)
    if chosen is None:
        raise ConfigError(
            f"the release {release} has no Job (any more) of a run '{run}'; the runs that have one:"
            f" {', '.join(sorted(known))}"
        )
    return Sweep(release, chosen, _config(cluster, chosen))


def _of_revision(release: str, jobs: Iterable[Object], revision: int | None) -> Object:
    known = {revision_of(job): job for job in jobs if revision_of(job)}
    chosen = max(known, default=0) if revision is None else revision
    if chosen not in known:
        revisions = ", ".join(map(str, sorted(known))) or "none"
        words = f"of revision {revision}" if revision else "of its own, only retrainings, which --run names"
        raise ConfigError(f"the release {release} has no sweep {words}; its revisions: {revisions}")
    return known[chosen]


def read_job(cluster: Cluster, name: str) -> Job:
    """Return the Job as it is now.

    Raises:
        ObjectNotFoundError: it is gone.
    """
    return parse_job(cluster.read("jobs", name))


def revision_of(job: Object) -> int:
    """Return the revision that ends the Job's name, as in demo-r3; 0 where none does, as in a retraining's."""
    found = re.search(r"-r(\d+)$", job["metadata"]["name"])
    return int(found[1]) if found else 0


def is_here(run: Run) -> bool:
    """Say whether the run is in a bucket, or in a folder that is here; else it is on a volume of its pods."""
    return run.storage.url.startswith("gs://") or (_is_mounted(run) and run.check())


def check_reachable(run: Run) -> None:
    """Find out whether the run's output can be seen from here.

    Raises:
        ConfigError: it is a folder of the pods that is not here.
    """
    if not (run.storage.url.startswith("gs://") or _is_mounted(run)):
        raise ConfigError(
            f"the sweep's output {run.storage.url} is in its pods, not here: `xor-sweep results` copies it, "
            "or --output names it where the volume is mounted here"
        )


def _is_mounted(run: Run) -> bool:
    """Say whether the output's folder is here; below the volume's, it is made with the first result."""
    path = Path(run.storage.url)
    return (VOLUME if path.is_relative_to(VOLUME) else path).is_dir()


def why_waiting(cluster: Cluster, job: Job) -> Cause | None:
    """Say why a Job has nothing that could run; None where nothing says so, or it cannot be read (now)."""
    try:
        if job.suspended:
            return why_suspended(_workload(cluster, job))
        if job.waits:
            return _why_no_pods(cluster, job)
    except (RefusedError, UnavailableError):
        pass
    return None


def _jobs(cluster: Cluster, labels: str) -> Iterator[Object]:
    jobs = cluster.each("jobs", labels=labels)
    # A release has Jobs that are no sweeps: the driver's, and those of the CronJob.
    return (job for job in jobs if job["spec"].get("completionMode") == "Indexed")


def _config(cluster: Cluster, job: Object) -> SweepConfig:
    name = job["metadata"]["name"]
    try:
        text = cluster.read("configmaps", name).get("data", {})[SWEEP_FILE]
    except (ObjectNotFoundError, KeyError):
        raise SweepError(f"the ConfigMap {name} with the Job's {SWEEP_FILE} is not there") from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SWEEP_FILE
        path.write_text(text)
        try:
            settings, where = read_config_file(path)
            return make_config({**settings, "run": None}, where)
        except ConfigError as error:
            place = f"the ConfigMap {name}, {SWEEP_FILE}"
            outcome = parse_job(job).outcome
            state = f"; its Job is {outcome}" if outcome else ""
            raise ConfigError(f"{str(error).replace(str(path), place)}{state}") from None


def _workload(cluster: Cluster, job: Job) -> Object | None:
    """Return Kueue's object for the Job; None without Kueue."""
    try:
        return next(cluster.each("workloads", labels=f"kueue.x-k8s.io/job-uid={job.uid}"), None)
    except ObjectNotFoundError:
        return None


def _why_no_pods(cluster: Cluster, job: Job) -> Cause | None:
    """Say why the Job's pods could not even be created: a quota, or what the namespace enforces."""
    fields = f"involvedObject.uid={job.uid},reason=FailedCreate"
    newest = max(
        cluster.each("events", fields=fields), key=lambda event: event.get("lastTimestamp") or "", default=None
    )
    return Cause("FailedCreate", " ".join(newest["message"].split())) if newest else None
