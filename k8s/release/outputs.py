"""Finds a release's output and the runs in it, even if a run's own Job is gone: others mount the same output."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.runs.layout import CHAMPION, run_folder
from job.runs.run import Run, find_run
from job.storage import is_within_reach
from k8s.api.client import Cluster, Object
from k8s.api.errors import NoJobError, RefusedError
from k8s.observe.labels import RELEASE_LABEL
from k8s.release.reachability import is_readable_here
from k8s.release.sweep_file import pod_spec_of, read_settings, sweep_file_name
from k8s.release.sweeps import CHART_LABELS, ReleaseSweep, find_sweep, release_run_names, revision_of

_NAME_IN_RELEASE = re.compile(r"(.+?)(-r\d+(-driver)?|-t[0-9a-f]{8}|-retrain(-\d+)?)")
"""The names that the chart and the retraining derive from the common prefix of a release's objects."""


@dataclass(frozen=True)
class ReleaseOutput:
    """Where a release's runs are."""

    release: str
    url: str
    """Its folder or URL in the pods."""
    owner: Object | None
    """The Job or CronJob whose pods mount it, as the API returns it; None if there is none left."""

    def has_readable_champion(self) -> bool:
        """Return whether its champion.json can be read from this machine: it is in a bucket or in a folder here."""
        return is_within_reach(self.url, CHAMPION)


@dataclass(frozen=True)
class ReleaseRun:
    """A run in a release's output."""

    name: str
    output: ReleaseOutput
    sweep: ReleaseSweep | None
    """Its sweep if its Job still exists; otherwise, sweep.json has the settings."""

    def open(self, url: str | None = None) -> Run:
        """Return the run.

        Args:
            url: where the output is on this machine; by default, where the sweep says.

        Raises:
            ConfigError: there is no such run.
        """
        return self.sweep.run(url) if self.sweep else find_run(self.name, url or self.output.url)

    def is_readable_here(self) -> bool:
        """Return whether it is in a bucket or a folder on this machine, rather than on a volume of its pods."""
        if self.sweep:
            return is_readable_here(self.sweep.run())
        return is_within_reach(self.output.url, run_folder(self.name))


def find_release_run(
    cluster: Cluster, release: str, revision: int | None = None, run: str | None = None
) -> ReleaseRun:
    """Find a run of a release, in the cluster or in its output.

    Args:
        cluster: the cluster and the namespace.
        release: the release's name, as `helm list` shows it.
        revision: the revision; by default, the newest.
        run: the run's name; it overrides the revision.

    Raises:
        ConfigError: there is no such release, or nothing shows its run's name or where the run is.
    """
    try:
        sweep = find_sweep(cluster, release, revision, run)
        return ReleaseRun(sweep.name, ReleaseOutput(release, sweep.settings.output, sweep.job), sweep)
    except NoJobError:
        output = _find_output(cluster, release)
        name = run or _name_of_run(cluster, release, revision, output)
        if output is None or name is None:
            raise
        return ReleaseRun(name, output, None)


def find_release_output(cluster: Cluster, release: str) -> ReleaseOutput:
    """Find a release's output.

    Raises:
        ConfigError: there is no such release.
    """
    try:
        sweep = find_sweep(cluster, release)
        return ReleaseOutput(release, sweep.settings.output, sweep.job)
    except NoJobError:
        if output := _find_output(cluster, release):
            return output
        raise


def _find_output(cluster: Cluster, release: str) -> ReleaseOutput | None:
    for owner in _owners(cluster, release):
        with suppress(SweepError):  # Its sweep file is gone or wrong; the next one's may be fine.
            return ReleaseOutput(release, read_settings(cluster, sweep_file_name(owner)).output, owner)
    for name in release_run_names(cluster, release):
        with suppress(SweepError):
            return ReleaseOutput(release, read_settings(cluster, name).output, None)
    return None


def _owners(cluster: Cluster, release: str) -> Iterator[Object]:
    """Yield the Jobs and CronJobs whose pods mount the output (sweeps, drivers, retrainings), newest first."""
    labels = f"{CHART_LABELS},{RELEASE_LABEL}={release}"
    for kind in ("jobs", "cronjobs"):
        with suppress(RefusedError, ObjectNotFoundError):
            found = list(cluster.list_objects(kind, labels=labels))
            yield from sorted(found, key=lambda item: (revision_of(item), item["metadata"]["creationTimestamp"]))[
                ::-1
            ]


def _name_of_run(cluster: Cluster, release: str, revision: int | None, output: ReleaseOutput | None) -> str | None:
    """Return the name of a revision's run; None if nothing shows it."""
    names = release_run_names(cluster, release)
    if revision is None:
        return names[0] if names else None
    known = [*names, *([output.owner["metadata"]["name"]] if output and output.owner else [])]
    stems = [found[1] for name in known if (found := _NAME_IN_RELEASE.fullmatch(name))]
    return f"{stems[0]}-r{revision}" if stems else None


def template_of(output: ReleaseOutput) -> Object:
    """Return the spec of the pods that mount the output.

    Raises:
        ConfigError: no Job or CronJob that mounts it is left.
    """
    if output.owner is None:
        raise ConfigError(
            f"no Job or CronJob of the release {output.release} is left in the cluster to mount its output "
            f"{output.url}: make a new Job with `helm upgrade`, or mount the volume claim in a pod of your own"
        )
    return pod_spec_of(output.owner)
