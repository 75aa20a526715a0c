"""Turns a person's input into validated settings, or into one line that says what is wrong."""

import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from job.errors import ConfigError
from job.settings.sweep import MAX_TRIALS, Settings, nearest
from job.wording import quoted


def make_settings(values: Mapping[str, Any], where: Mapping[str, str] | None = None) -> Settings:
    """Validate the settings of a sweep.

    Args:
        values: field name -> value; a field left out has its default. The values of an axis may be a list, a
            tuple, a range or a NumPy array, numbers may be NumPy's, and the output may be a path.
        where: field name -> what a person calls its place, such as `--neurons` or `sweep.yaml:3`.

    Returns:
        The validated settings.

    Raises:
        ConfigError: one line that says which setting is wrong, and what would be right.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"the settings must be a dict of names and values, not {quoted(values)}")
    if wrong := [name for name in values if not isinstance(name, str)]:
        raise ConfigError(
            f"{quoted(wrong[0])}: no such setting: the name of a setting is a word, such as 'neurons'"
        )
    places = where or {}
    plain = {name: _plain(value, places.get(name, name)) for name, value in values.items()}
    try:
        return Settings.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(_one_line(error.errors()[0], places)) from None


def _plain(value: Any, place: str) -> Any:
    """Turn what a notebook has (NumPy's numbers and arrays, ranges, paths) into Python's own values."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    many = isinstance(value, list | tuple | range) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0)
    if many and len(value) > MAX_TRIALS:
        raise ConfigError(f"{place}: too many values ({len(value)}); at most {MAX_TRIALS} trials are possible")
    # NumPy's method, which its single numbers have, too; importing NumPy itself would slow down --help.
    if hasattr(value, "tolist"):
        return value.tolist()
    return [_plain(item, place) for item in value] if many else value


def _one_line(error: ErrorDetails, where: Mapping[str, str]) -> str:
    if not error["loc"]:
        return error["msg"]
    field = str(error["loc"][0])
    place = where.get(field, field)
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown setting; did you mean '{nearest(field, Settings.model_fields)}'?"
    right = Settings.model_fields[field].description
    if error["input"] == "" and len(error["loc"]) > 1:
        return f"{place}: one of the values is empty: is there a comma too many? {right}"
    if error["type"] in ("unknown_name", "unknown_data", "twice"):
        return f"{place}: {error['msg']}"
    problem = "is empty" if error["type"] in ("too_short", "string_too_short") else "is not possible"
    return f"{place}: {quoted(error['input'])} {problem}. {right}"
