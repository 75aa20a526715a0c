"""The options that the commands of this package share."""

from typing import Any

import click

from job.cli.options import DEBUG, Decorator, options
from job.storage import PLACES


def option(*names: str, envvar: str | list[str], help: str, **settings: Any) -> Decorator:  # noqa: A002 - click's word
    """Return an option; its environment variable goes before its default."""
    return click.option(*names, envvar=envvar, show_envvar=True, help=help, **settings)


RELEASE = click.argument("release", envvar="XOR_SWEEP_RELEASE")
OUTPUT = option(
    "--output",
    envvar="XOR_SWEEP_OUTPUT",
    help=f"Where the output is, seen from here: {PLACES} (default: the sweep's own).",
)
_WHERE = options(
    option(
        *("--namespace", "-n"),
        envvar="XOR_SWEEP_NAMESPACE",
        help="The release's namespace (default: the kubeconfig's, in a pod the pod's own).",
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
        help="The kubeconfig (default: ~/.kube/config, in a pod its service account).",
    ),
)
CLUSTER = options(_WHERE, DEBUG)
SWEEP = options(
    option(
        *("--revision",),
        envvar="XOR_SWEEP_REVISION",
        type=click.IntRange(min=1),
        help="The release's revision (default: its newest sweep).",
    ),
    option(
        *("--run",),
        envvar="XOR_SWEEP_RUN",
        metavar="NAME",
        help="One of the release's runs by its Job's name, such as a retraining's.",
    ),
    CLUSTER,
)
"""Which of a release's sweeps, and in which cluster."""
CHAMPION_OF = options(
    option(
        "--release",
        envvar="XOR_SWEEP_RELEASE",
        help="A release in the cluster, whose output holds champion.json; --output goes before it.",
    ),
    _WHERE,
)
"""Whose champion, and in which cluster; the commands about it have --debug already."""
