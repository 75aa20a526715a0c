"""The options that the commands of this package share."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _remember(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Keep how errors are to be shown where `job.cli.main` finds it."""
    if isinstance(context.obj, dict):
        context.obj[option.name] = value
    return value


def option(*names: str, envvar: str | list[str], help: str, **settings: Any) -> Decorator:  # noqa: A002 - click's word
    """Return an option; its environment variable goes before its default."""
    return click.option(*names, envvar=envvar, show_envvar=True, help=help, **settings)


def together(*options: Decorator) -> Decorator:
    """Return several options as one decorator."""
    return lambda command: reduce(lambda decorated, each: each(decorated), reversed(options), command)


RELEASE = click.argument("release", envvar="XOR_SWEEP_RELEASE")
DEBUG = option(
    "--debug",
    envvar="XOR_SWEEP_DEBUG",
    help="Show tracebacks.",
    is_flag=True,
    callback=_remember,
    is_eager=True,
)
LOG_FORMAT = option(
    "--log-format",
    envvar="XOR_SWEEP_LOG_FORMAT",
    help="JSON, one object a line, or words; auto: words on a terminal.",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    callback=_remember,
    is_eager=True,
)
OUTPUT = option(
    "--output",
    envvar="XOR_SWEEP_OUTPUT",
    help="Where the output is, seen from here: a folder, or gs://bucket/prefix (default: the sweep's own).",
)
CLUSTER = together(
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
    DEBUG,
)
SWEEP = together(
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
