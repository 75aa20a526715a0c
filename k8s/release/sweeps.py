"""Finds a release's sweep in the cluster: its Job, its settings, and where its results are."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from job.errors import ConfigError, SweepError
from job.runs.run import Run
from job.settings.sweep import Settings
from job.storage import open_storage
from k8s.api.client import Cluster, Object
from k8s.api.errors import NoJobError, RefusedError
from k8s.observe.labels import INDEX_LABEL, JOB_LABEL, NAME_LABEL, RELEASE_LABEL
from k8s.observe.state import Job, parse_job
from k8s.release.sweep_file import read_settings

CHART_LABELS = f"{NAME_LABEL}=xor-sweep"
"""The label selector for all objects that the chart makes."""
_RELEASE = re.compile(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
"""The names that a label's value can hold."""
_PATIENCE_SECONDS = 10.0
"""How long to keep asking a bucket that does not answer before showing the rest without it."""


@dataclass(frozen=True)
class ReleaseSweep:
    """One revision of a release."""

    release: str
    job: Object
    """Its Job, as the API returns it."""
    settings: Settings

    @property
    def name(self) -> str:
        """The Job's name, which is also the run's."""
        return str(self.job["metadata"]["name"])

    @property
    def pod_labels(self) -> str:
        """The label selector for its pods."""
        return f"{JOB_LABEL}={self.name}"

    def labels_of(self, index: int) -> str:
        """Return the label selector for the pods of an index."""
        return f"{self.pod_labels},{INDEX_LABEL}={index}"

    def run(self, output: str | None = None, *, retry_seconds: float = _PATIENCE_SECONDS) -> Run:
        """Return its run; nothing is read yet.

        Args:
            output: where the output is on this machine; by default, where the sweep says.
            retry_seconds: how long to retry if a bucket does not answer.

        Raises:
            ConfigError: the output is neither a folder nor a bucket's URL.
            StorageError: there are no credentials for the bucket.
        """
        storage = open_storage(output or self.settings.output, retry_seconds=retry_seconds)
        return Run(storage, self.settings, self.name)


def find_sweep(cluster: Cluster, release: str, revision: int | None = None, run: str | None = None) -> ReleaseSweep:
    """Find a release's sweep.

    Args:
        cluster: the cluster and the namespace.
        release: the release's name, as `helm list` shows it.
        revision: the revision; by default, the newest one that has a Job.
        run: the run's name, which is also the Job's; it overrides the revision.

    Raises:
        ConfigError: there is no such release, revision or run, and the message lists those that exist; or the
            sweep file is wrong.
        SweepError: the ConfigMap with its sweep file does not exist.
    """
    if not _RELEASE.fullmatch(release):
        raise ConfigError(f"{release!r} is not a valid release name: use only letters, digits and '-'")
    known = {job["metadata"]["name"]: job for job in _jobs(cluster, f"{CHART_LABELS},{RELEASE_LABEL}={release}")}
    if not known:
        _check_removed(cluster, release)
        releases = {job["metadata"]["labels"].get(RELEASE_LABEL) for job in _jobs(cluster, CHART_LABELS)}
        names = ", ".join(sorted(filter(None, releases))) or "none"
        raise NoJobError(
            f"there is no release '{release}' in the namespace {cluster.namespace}, or its Jobs have been removed"
            f" and its runs exist only in its output; releases with Jobs: {names}"
        )
    chosen = known.get(run) if run else _of_revision(cluster, release, known.values(), revision)
    if chosen is None:
        raise NoJobError(
            f"the release {release} has no Job, or no longer has one, for a run '{run}'; runs with a Job:"
            f" {', '.join(sorted(known))}"
        )
    return ReleaseSweep(release, chosen, _settings_of(cluster, chosen))


def _of_revision(cluster: Cluster, release: str, jobs: Iterable[Object], revision: int | None) -> Object:
    known = {revision_of(job): job for job in jobs if revision_of(job)}
    chosen = max(known, default=0) if revision is None else revision
    if chosen in known:
        return known[chosen]
    if revision is None:
        _check_removed(cluster, release)
        raise NoJobError(
            f"the release {release} has no sweep of its own, only retrainings: name one of them with --run"
        )
    raise NoJobError(
        f"the release {release} has no Job, or no longer has one, for revision {revision}; revisions with a Job:"
        f" {', '.join(map(str, sorted(known))) or 'none'}"
    )


def _check_removed(cluster: Cluster, release: str) -> None:
    """Raise an error that says where the release's newest run is, if its Job is gone but its sweep file remains."""
    for run in release_run_names(cluster, release)[:1]:
        raise NoJobError(
            f"the Job of {run} has been removed, by its ttlSecondsAfterFinished or by hand; the run is in the "
            f"output {_output_of(cluster, run)}: `xor-sweep results {release} FOLDER` copies it"
        )


def _output_of(cluster: Cluster, run: str) -> str:
    try:
        return read_settings(cluster, run).output
    except SweepError:
        return "of its sweep"


def release_run_names(cluster: Cluster, release: str) -> list[str]:
    """Return the names of the release's own runs whose sweep files exist, newest first."""
    try:
        found = list(cluster.list_objects("configmaps", labels=f"{CHART_LABELS},{RELEASE_LABEL}={release}"))
    except RefusedError:
        return []
    return [item["metadata"]["name"] for item in sorted(found, key=revision_of, reverse=True) if revision_of(item)]


def read_job(cluster: Cluster, name: str) -> Job:
    """Return the Job in its current state.

    Raises:
        ObjectNotFoundError: it is gone.
    """
    return parse_job(cluster.read("jobs", name))


def revision_of(item: Object) -> int:
    """Return the revision at the end of an object's name, such as 3 in demo-r3; 0 if it has none (a retraining)."""
    found = re.search(r"-r(\d+)$", item["metadata"]["name"])
    return int(found[1]) if found else 0


def _jobs(cluster: Cluster, labels: str) -> Iterator[Object]:
    jobs = cluster.list_objects("jobs", labels=labels)
    # A release also has Jobs that are not sweeps: the driver's, and those of the CronJob.
    return (job for job in jobs if job["spec"].get("completionMode") == "Indexed")


def _settings_of(cluster: Cluster, job: Object) -> Settings:
    try:
        return read_settings(cluster, job["metadata"]["name"])
    except ConfigError as error:
        outcome = parse_job(job).outcome
        raise ConfigError(f"{error}{f'; its Job is {outcome}' if outcome else ''}") from None
