"""The sweep file: YAML whose keys are `Settings`'s fields."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from job.errors import ConfigError
from job.settings.sweep import MAX_TRIALS, Settings, nearest
from job.wording import MOST_SAID, one_line, shortened

MOST_FILE_BYTES = 1_000_000
"""The longest sweep file, in bytes: one with 100,000 learning rates is shorter."""


def read_sweep_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read a sweep file; its values are checked by `make_settings`.

    Returns:
        The settings, field name -> value, and their places, field name -> `file:line:column: field`.

    Raises:
        ConfigError: the file cannot be read, is not YAML, has a key twice, or has one that is not a setting.
    """
    text = ""
    try:
        text = _read(path)
        document = YAML(typ="rt").load(text)
    except OSError as error:
        raise ConfigError(f"the sweep file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the sweep file {path} is not a text file in UTF-8") from None
    except MarkedYAMLError as error:
        raise ConfigError(_not_yaml(path, error)) from None
    except ReaderError as error:
        before = text[: error.position].split("\n")
        where = f"{path}:{len(before)}:{len(before[-1]) + 1}"
        raise ConfigError(
            f"{where}: this is not YAML: it holds the character U+{int(error.character):04X}"
        ) from None
    except YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {shortened(one_line(str(error)), MOST_SAID)}") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply: it must hold settings, one on each line") from None
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        # Such as !!int of a word.
        raise ConfigError(f"a value in {path} cannot be read: {shortened(str(error), MOST_SAID)}") from None
    if document is None:
        return {}, {}
    if not isinstance(document, CommentedMap):
        raise ConfigError(f"{path} must hold settings, one on each line, such as 'neurons: [2, 4, 8]'")
    places = {str(key): _place(path, document, key) for key in document}
    _refuse_unknown(document, places)
    return {key: _settled(value, places[key]) for key, value in document.items()}, places


def _read(path: Path) -> str:
    """Read at most as much as a sweep file can hold: a device, which has no end, is no sweep file."""
    with path.open("rb") as file:
        data = file.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise ConfigError(f"{path} is not a sweep file: it is larger than {MOST_FILE_BYTES:,} bytes")
    return data.decode()


def _not_yaml(path: Path, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = (error.problem or error.context or "it cannot be parsed").splitlines()[0]
    problem = {"but found another document": "it must be one document, without '---' in the middle"}.get(
        problem, problem
    )
    return f"{where}: this is not YAML: {shortened(problem, MOST_SAID)}"


def _place(path: Path, document: CommentedMap, key: object) -> str:
    if key not in (document.lc.data or {}):  # It comes from a merge key, "<<".
        return f"{path}: {shortened(str(key))}"
    line, column = document.lc.key(key)
    return f"{path}:{line + 1}:{column + 1}: {shortened(str(key))}"


def _refuse_unknown(document: Mapping[object, object], places: Mapping[str, str]) -> None:
    for key in document:
        if key not in Settings.model_fields:
            like = nearest(str(key), Settings.model_fields)
            raise ConfigError(f"{places[str(key)]}: no such setting; did you mean '{like}'?")


def _settled(value: Any, place: str) -> Any:
    """Return a setting's value as plain Python; refuse one that aliases make endless, or larger than any grid."""
    items = itertools.islice(_items(value), MAX_TRIALS + 1)
    if sum(1 for _ in items) > MAX_TRIALS:
        raise ConfigError(f"{place}: more than {MAX_TRIALS} values; a grid has at most {MAX_TRIALS} trials")
    return _plain(value)


def _items(value: Any) -> Iterator[Any]:
    """Yield all that a value holds, counting an alias as all that it names."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, Mapping):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item


def _plain(value: Any) -> Any:
    """Turn ruamel's lists and numbers, which remember how they were written, into plain Python."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
