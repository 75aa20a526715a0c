"""A release's output and a run in it, also where the run's own Job is gone: what else there is mounts the same."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from job.errors import ConfigError, ObjectNotFoundError, SweepError
from job.runs.layout import CHAMPION, run_folder
from job.runs.run import Run, open_run
from job.storage import is_url
from k8s.api.client import Cluster, Object
from k8s.api.errors import NoJobError, RefusedError
from k8s.observe.labels import RELEASE_LABEL
from k8s.release.reachability import is_readable_here
from k8s.release.sweep_file import pod_spec_of, read_settings, sweep_file_name
from k8s.release.sweeps import CHART_LABELS, ReleaseSweep, find_sweep, release_run_names, revision_of

_NAME_IN_RELEASE = re.compile(r"(.+?)(-r\d+(-driver)?|-t[0-9a-f]{8}|-retrain(-\d+)?)")
"""What the chart and the retraining make of the name that all objects of a release begin with."""


@dataclass(frozen=True)
class ReleaseOutput:
    """Where a release's runs are."""

    release: str
    url: str
    """As its pods see it."""
    owner: Object | None
    """The Job or CronJob whose pods mount it, as the API has it; None where there is none any more."""

    def has_readable_champion(self) -> bool:
        """Say whether its champion.json can be read from here: it is in a bucket, or in a folder that is here."""
        return is_url(self.url) or (Path(self.url) / CHAMPION).is_file()


@dataclass(frozen=True)
class ReleaseRun:
    """A run in a release's output."""

    name: str
    output: ReleaseOutput
    sweep: ReleaseSweep | None
    """What is known of it where its Job is still there; else its sweep.json has it."""

    def open(self, url: str | None = None) -> Run:
        """Return the run.

        Args:
            url: where the output is as seen from here; left out, where the sweep says.

        Raises:
            ConfigError: there is no such run.
        """
        return self.sweep.run(url) if self.sweep else open_run(self.name, url or self.output.url)

    def is_readable_here(self) -> bool:
        """Say whether it is in a bucket, or in a folder that is here; else it is on a volume of its pods."""
        if self.sweep:
            return is_readable_here(self.sweep.run())
        return is_url(self.output.url) or (Path(self.output.url) / run_folder(self.name)).is_dir()


def find_release_run(
    cluster: Cluster, release: str, revision: int | None = None, run: str | None = None
) -> ReleaseRun:
    """Find a run of a release, in the cluster or in its output.

    Args:
        cluster: the cluster and the namespace.
        release: the release's name, as `helm list` shows it.
        revision: the revision; left out, the newest.
        run: the run's name; it goes before the revision.

    Raises:
        ConfigError: there is no such release, or nothing says what its run is called or where it is.
    """
    try:
        sweep = find_sweep(cluster, release, revision, run)
        return ReleaseRun(sweep.name, ReleaseOutput(release, sweep.config.output, sweep.job), sweep)
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
        return ReleaseOutput(release, sweep.config.output, sweep.job)
    except NoJobError:
        if output := _find_output(cluster, release):
            return output
        raise


def _find_output(cluster: Cluster, release: str) -> ReleaseOutput | None:
    for owner in _owners(cluster, release):
        with suppress(SweepError):  # Its sweep file is gone, or wrong: the next one's may not be.
            return ReleaseOutput(release, read_settings(cluster, sweep_file_name(owner)).output, owner)
    for name in release_run_names(cluster, release):
        with suppress(SweepError):
            return ReleaseOutput(release, read_settings(cluster, name).output, None)
    return None


def _owners(cluster: Cluster, release: str) -> Iterator[Object]:
    """Yield what has a pod's template with the output, the newest first: sweeps, drivers, retrainings."""
    labels = f"{CHART_LABELS},{RELEASE_LABEL}={release}"
    for kind in ("jobs", "cronjobs"):
        with suppress(RefusedError, ObjectNotFoundError):
            found = list(cluster.list_objects(kind, labels=labels))
            yield from sorted(found, key=lambda item: (revision_of(item), item["metadata"]["creationTimestamp"]))[
                ::-1
            ]


def _name_of_run(cluster: Cluster, release: str, revision: int | None, output: ReleaseOutput | None) -> str | None:
    """Return the name of the run of a revision; None where nothing says it."""
    names = release_run_names(cluster, release)
    if revision is None:
        return names[0] if names else None
    known = [*names, *([output.owner["metadata"]["name"]] if output and output.owner else [])]
    stems = [found[1] for name in known if (found := _NAME_IN_RELEASE.fullmatch(name))]
    return f"{stems[0]}-r{revision}" if stems else None


def template_of(output: ReleaseOutput) -> Object:
    """Return the spec of the pods that mount the output.

    Raises:
        ConfigError: there is no Job and no CronJob any more that says how.
    """
    if output.owner is None:
        raise ConfigError(
            f"nothing of the release {output.release} is left in the cluster that mounts its output {output.url}: "
            "`helm upgrade` makes a new Job, which does; or mount its volume claim in a pod of your own"
        )
    return pod_spec_of(output.owner)
