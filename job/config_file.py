"""The sweep file: YAML whose keys are `SweepConfig`'s fields."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from job.config import SweepConfig, nearest
from job.errors import ConfigError


def read_config_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read a sweep file; its values are checked by `make_config`.

    Returns:
        The settings, field name -> value, and their places, field name -> `file:line:column: field`.

    Raises:
        ConfigError: the file cannot be read, is no YAML, holds a key twice or one that is no setting.
    """
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the sweep file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the sweep file {path} is not a text file in UTF-8") from None
    except MarkedYAMLError as error:
        raise ConfigError(_not_yaml(path, error)) from None
    except ReaderError as error:
        before = path.read_text(encoding="utf-8")[: error.position].split("\n")
        where = f"{path}:{len(before)}:{len(before[-1]) + 1}"
        raise ConfigError(
            f"{where}: this is not YAML: it holds the character U+{int(error.character):04X}"
        ) from None
    except YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deep: it must hold settings, a line each") from None
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise ConfigError(f"a value in {path} cannot be read: {error}") from None  # such as !!int of a word
    if document is None:
        return {}, {}
    if not isinstance(document, CommentedMap):
        raise ConfigError(f"{path} must hold settings, a line each, such as 'neurons: [2, 4, 8]'")
    places = {str(key): _place(path, document, key) for key in document}
    _refuse_unknown(document, places)
    return {key: _plain(value) for key, value in document.items()}, places


def _not_yaml(path: Path, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = (error.problem or error.context or "it cannot be parsed").splitlines()[0]
    problem = {"but found another document": "it must be one document, without '---' in the middle"}.get(
        problem, problem
    )
    return f"{where}: this is not YAML: {problem}"


def _place(path: Path, document: CommentedMap, key: object) -> str:
    if key not in (document.lc.data or {}):  # It came in by a merge key, "<<".
        return f"{path}: {key}"
    line, column = document.lc.key(key)
    return f"{path}:{line + 1}:{column + 1}: {key}"


def _refuse_unknown(document: Mapping[object, object], places: Mapping[str, str]) -> None:
    for key in document:
        if key not in SweepConfig.model_fields:
            like = nearest(str(key), SweepConfig.model_fields)
            raise ConfigError(f"{places[str(key)]}: no such setting; did you mean '{like}'?")


def _plain(value: Any) -> Any:
    """Turn ruamel's lists and numbers, which remember how they were written, into Python's own."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
