"""The settings that a command was given, and where each one comes from."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from job.cli.options import OF_THE_POD, SettingOption
from job.errors import ConfigError
from job.settings.sweep import Settings
from job.settings.validation import make_settings

_PREFIX = "XOR_SWEEP_"


@dataclass(frozen=True)
class GivenSettings:
    """The settings that a person gave: a flag overrides the environment, which overrides the sweep file."""

    values: Mapping[str, Any]
    """Field of `Settings` -> its value as given; the other fields have their defaults."""
    places: Mapping[str, str]
    """Field or other option that was given -> where, such as `--neurons`, `XOR_SWEEP_NEURONS` or
    `sweep.yaml:3:1: neurons`."""

    def settings(self, **defaults: Any) -> Settings:
        """Return the validated settings.

        Args:
            defaults: field -> the default that replaces the field's own.

        Raises:
            ConfigError: a setting is wrong; the line says which one, where, and what would be right.
        """
        return make_settings({**defaults, **self.values}, self.places)


def pass_given_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command all its setting options as its first argument, a `GivenSettings`.

    If the command has the option `--config`, that includes the sweep file's settings.

    Raises:
        ConfigError: the sweep file cannot be read, or an environment variable is mistyped.
    """

    @wraps(command)
    def run(*, config: Path | None = None, **parameters: Any) -> None:
        context = click.get_current_context()
        values, places = _read_file(config)
        _refuse_mistyped_variables(context.find_root().command)
        for option in context.command.params:
            name = option.name or ""
            value = parameters.pop(name) if isinstance(option, SettingOption) else None
            if place := _place_of(option, context):
                places[name] = place
                if isinstance(option, SettingOption):
                    values[name] = value
        command(GivenSettings(values, places), **parameters)

    return run


def _read_file(config: Path | None) -> tuple[dict[str, Any], dict[str, str]]:
    if config is None:
        return {}, {}
    from job.settings.file import read_sweep_file  # YAML

    return read_sweep_file(config)


def _place_of(option: click.Parameter, context: click.Context) -> str | None:
    """Return the flag or the environment variable that gives an option's value; None if neither does."""
    match context.get_parameter_source(option.name or ""):
        case ParameterSource.COMMANDLINE:
            return option.opts[0]
        case ParameterSource.ENVIRONMENT:
            return next(name for name in _variables_of(option) if os.environ.get(name))
        case _:
            return None


def _refuse_mistyped_variables(root: click.Command) -> None:
    """Refuse a variable that looks like one of ours, misspelled; others, such as a Service's, may be set."""
    known = {*OF_THE_POD, *_variables_of_all(root)}
    words = [variable.removeprefix(_PREFIX) for variable in known]
    for name in sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known):
        if like := get_close_matches(name.removeprefix(_PREFIX), words, 1, cutoff=0.8):
            raise ConfigError(f"{name}: no such variable; did you mean {_PREFIX}{like[0]}?")


def _variables_of_all(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from _variables_of(parameter)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _variables_of_all(inner)


def _variables_of(parameter: click.Parameter) -> list[str]:
    """Return the names of an option's environment variables; the first one that is set counts."""
    return [parameter.envvar] if isinstance(parameter.envvar, str) else [*(parameter.envvar or [])]
