"""The command line's options: one for each field of `Settings`, and those that several commands share."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, get_args

import click
from click.shell_completion import CompletionItem

from job.problems import families
from job.settings.axes import AXES, AXIS_NAMES
from job.settings.sweep import Settings
from job.storage import PLACES

OF_THE_POD = {
    "XOR_SWEEP_POD_UID": "The pod's UID, which names the attempt whose files it writes.",
    "XOR_SWEEP_FAILURE_COUNT": "How many pods of its index have failed: a pod with several trials "
    "starts with a different one each time.",
    "XOR_SWEEP_IMAGE": "The image's name, for sweep.json.",
}
"""The environment variables that belong to no option: the chart sets them."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class ValueType(click.ParamType[Any]):
    """A number or a word; only `Settings` decides whether it is valid, in one place and one wording."""

    name = "value"

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self.known = known

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        """Turn text into an int or a float; leave text that is neither, or that a float cannot hold, as it is."""
        if not isinstance(value, str):
            return value
        if re.fullmatch(r"[+-]?[0-9]{1,1000}", value):
            return int(value)
        try:
            number = float(value) if re.fullmatch(r"[0-9eE.+-]+", value) else 0.0
        except ValueError:
            return value
        return number if number and math.isfinite(number) else value

    def shell_complete(self, _: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last name in a list of known names."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in self.known if name.startswith(last)]


class ValuesType(ValueType):
    """Comma-separated values."""

    name = "list"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        """Turn `1,2,3` into [1, 2, 3]."""
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",")] if value.strip() else []
        return [super(ValuesType, self).convert(part, _param, _ctx) for part in parts]


class SettingOption(click.Option):
    """The option for a field of `Settings`, which has the same name."""


_KNOWN = {axis.name: axis.known for axis in AXES} | {
    "data": tuple(name for family in families() for name in family.examples),
    "device": get_args(Settings.model_fields["device"].annotation),
}
"""Field of `Settings` -> the names that it accepts as values."""


def setting(name: str, *, single: bool = False, text: str | None = None, default: Any = None) -> Decorator:
    """Return the option for a field of `Settings`.

    Args:
        name: the field.
        single: take one value of an axis, not a list.
        text: the help; the field's own description if left out.
        default: the default that the help shows; the field's own if left out.
    """
    field = Settings.model_fields[name]
    flag = "--" + name.replace("_", "-")
    kinds: dict[str, Any] = {"output": click.Path(), "run": str, "keep_training": bool}
    kind = kinds.get(name) or (ValuesType if name in AXIS_NAMES and not single else ValueType)(_KNOWN.get(name, ()))
    shown = _default_words(field.default if default is None else default)
    return click.option(
        f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
        cls=SettingOption,
        type=kind,
        default=None,
        envvar=f"XOR_SWEEP_{name.upper()}",
        show_envvar=True,
        help=f"{text or field.description} {shown}".rstrip(),
    )


def _default_words(default: Any) -> str:
    if default is None:
        return ""
    return f"(default: {','.join(map(str, default)) if isinstance(default, tuple) else str(default).lower()})"


def options(*each: Decorator) -> Decorator:
    """Return several options as one."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(each), command)


CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="XOR_SWEEP_CONFIG",
    show_envvar=True,
    metavar="FILE",
    help="A sweep file: YAML with any of these settings. Flags and the environment override it.",
)


@dataclass
class ErrorDisplay:
    """How `job.cli.main.main` shows an error; this is Click's context object, set by the options below."""

    debug: bool = False
    """Show the traceback."""
    log_format: str = "auto"
    """`json`, `text`, or `auto`: text on a terminal and JSON elsewhere."""


def _set_log_format(context: click.Context, _: click.Parameter, value: str) -> str:
    context.ensure_object(ErrorDisplay).log_format = value
    return value


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.ensure_object(ErrorDisplay).debug = value
    return value


LOG_FORMAT = click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    callback=_set_log_format,
    is_eager=True,
    envvar="XOR_SWEEP_LOG_FORMAT",
    show_envvar=True,
    show_default=True,
    help="How to log: json (one object per line) or text; auto is text on a terminal and json elsewhere.",
)


def _debug(text: str, *, exposed: bool) -> Decorator:
    return click.option(
        "--debug",
        is_flag=True,
        callback=_set_debug,
        is_eager=True,
        expose_value=exposed,
        envvar="XOR_SWEEP_DEBUG",
        show_envvar=True,
        help=text,
    )


DEBUG = _debug("Show tracebacks.", exposed=False)
"""For the commands in which it affects only errors, which `job.cli.main.main` shows."""
TRAINING_DEBUG = _debug("Show tracebacks, and what TensorFlow prints as it starts.", exposed=True)
_TEXTS = {"output": f"Where to write the run: {PLACES}. The run's files are in its runs/NAME/."}
GRID = options(
    CONFIG,
    *(
        setting(name, text=_TEXTS.get(name))
        for name in Settings.model_fields
        if name not in ("trials_per_pod", "workers")
    ),
)

OUTPUT = setting("output", text=f"Where the runs are: {PLACES}.")
