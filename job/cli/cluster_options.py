"""The options that select a cluster, and one of a release's sweeps in it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from job.cli.options import DEBUG, Decorator, options
from job.storage import PLACES

if TYPE_CHECKING:
    from k8s.api.client import Cluster
    from k8s.release.sweeps import ReleaseSweep


@dataclass(frozen=True)
class ClusterChoice:
    """The cluster and namespace to use; None means the kubeconfig's own or, in a pod, the pod's own."""

    namespace: str | None
    context: str | None
    kubeconfig: str | None

    def connect(self) -> "Cluster":
        """Connect to the cluster.

        Raises:
            ConfigError, SweepError: there is no such kubeconfig or context, or the cluster does not answer.
        """
        from k8s.api.connect import connect  # half a second

        return connect(self.kubeconfig, self.context, self.namespace)


@dataclass(frozen=True)
class SweepChoice:
    """One of a release's sweeps (by revision, by run, or the newest), and its cluster."""

    release: str
    revision: int | None
    run: str | None
    cluster: ClusterChoice

    def find(self) -> "tuple[Cluster, ReleaseSweep]":
        """Connect to the cluster, and find the sweep in it.

        Raises:
            ConfigError, SweepError: the cluster cannot be reached, or has no such sweep.
        """
        cluster = self.cluster.connect()
        from k8s.release.sweeps import find_sweep

        return cluster, find_sweep(cluster, self.release, self.revision, self.run)


def option(*names: str, **settings: Any) -> Decorator:
    """Return `click.option` of these, whose help names its environment variable."""
    return click.option(*names, show_envvar=True, **settings)


CLUSTER_OUTPUT = option(
    "--output",
    envvar="XOR_SWEEP_OUTPUT",
    help=f"Where the output is, as seen from here: {PLACES} (default: the sweep's own).",
)
_CLUSTER_OPTIONS = options(
    option(
        "--namespace",
        "-n",
        envvar="XOR_SWEEP_NAMESPACE",
        help="The release's namespace (default: the kubeconfig's or, in a pod, the pod's own).",
    ),
    option(
        "--context",
        envvar="XOR_SWEEP_CONTEXT",
        help="The kubeconfig's context (default: its current one).",
    ),
    option(
        "--kubeconfig",
        envvar=["XOR_SWEEP_KUBECONFIG", "KUBECONFIG"],
        metavar="FILE",
        help="The kubeconfig (default: ~/.kube/config or, in a pod, its service account).",
    ),
)
_SWEEP_OPTIONS = options(
    option(
        "--revision",
        envvar="XOR_SWEEP_REVISION",
        type=click.IntRange(min=1),
        help="The release's revision (default: its newest sweep).",
    ),
    option(
        "--run",
        envvar="XOR_SWEEP_RUN",
        metavar="NAME",
        help="One of the release's runs, by the name of its Job, such as a retraining's.",
    ),
)


def pass_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Add the cluster options, and pass them to the command as its first argument, a `ClusterChoice`."""

    @_CLUSTER_OPTIONS
    @wraps(command)
    def with_choice(*, namespace: str | None, context: str | None, kubeconfig: str | None, **rest: Any) -> None:
        command(ClusterChoice(namespace, context, kubeconfig), **rest)

    return with_choice


def pass_sweep(command: Callable[..., None]) -> Callable[..., None]:
    """Add RELEASE and the sweep and cluster options, and pass them to the command as one `SweepChoice`."""

    @click.argument("release", envvar="XOR_SWEEP_RELEASE")
    @_SWEEP_OPTIONS
    @pass_cluster
    @DEBUG
    @wraps(command)
    def run(cluster: ClusterChoice, /, release: str, revision: int | None, run: str | None, **rest: Any) -> None:
        command(SweepChoice(release, revision, run, cluster), **rest)

    return run
