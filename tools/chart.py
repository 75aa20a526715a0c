"""Generates files of the chart from its values.yaml and the program's settings: `make chart`.

values.yaml is the source: its keys, their defaults, and the comment above each. From it come the tables of
charts/xor-sweep/README.md, values.schema.json, and defaults.json, which the templates read. The schema of `sweep`
comes from `Settings`, so Helm refuses what the program would refuse, and grid.json from the axes, so the templates
count and name the trials as the program does.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from job.problems import families
from job.settings.axes import AXES, OPTIONAL_AXES
from job.settings.sweep import MAX_REPLICATE_EPOCHS, MAX_TRIALS, Settings

CHART = Path(__file__).parents[1] / "charts" / "xor-sweep"

NOT_IN_THE_CHART = {"run", "workers"}
"""Settings that no values file sets: the run has its Job's name, and a pod trains one trial at a time."""

Schema = dict[str, Any]

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_QUANTITY = {"type": ["string", "integer"]}
_OR_NEVER = {"type": ["integer", "string"], "pattern": "^([1-9][0-9]*|never)$"}

RULES: dict[str, Schema] = {
    "claim.size": _QUANTITY,
    "image.pullSecrets": {"items": {"type": "string"}},
    "parallelism": {"minimum": 1},
    "maxFailedIndexes": {"type": "integer"},
    "activeDeadlineSeconds": _OR_NEVER | {"minimum": 1},
    "podActiveDeadlineSeconds": {"type": "integer", "minimum": 1},
    "terminationGracePeriodSeconds": {"minimum": 1},
    "ttlSecondsAfterFinished": _OR_NEVER | {"minimum": 0},
    "retrain.startingDeadlineSeconds": {"minimum": 10},
    "gpu.count": {"minimum": 1},
    "topologySpreadConstraints": {"items": {"type": "object"}},
    "extraEnv": {"items": {"type": "object"}},
    "tmpSizeLimit": _QUANTITY,
}
"""What the schema says about a value besides the type of its default: its type if the default does not show it,
limits that the API server does not know, and the type of items that a template reads."""

OF_A_PARENT: dict[str, Schema] = {
    "enabled": {
        "type": ["boolean", "null"],
        "description": "Whether a parent chart installs this one: the `condition` there.",
    },
    "global": {
        "type": ["object", "null"],
        "description": "What a parent chart passes down. Not used.",
    },
}
"""Keys that Helm adds to the values of a subchart."""


class ValuesError(Exception):
    """values.yaml lacks something; its text is one sentence that says what."""


@dataclass(frozen=True)
class ChartValue:
    """A value of the chart: a key of values.yaml with a comment above it."""

    path: str
    """Its keys, joined by dots."""
    description: str
    """The comment above it."""
    default: Any
    """What values.yaml sets it to."""
    section: str
    """The heading that it is under."""
    is_group: bool
    """Other values are below it."""


def read_values(text: str | None = None) -> list[ChartValue]:
    """Return the chart's values in the order of values.yaml, or of this text instead.

    A key without a comment is part of the value above it, which goes into a pod as it is.

    Raises:
        ValuesError: a key without a comment is at the top level or next to one that has a comment.
    """
    text = text if text is not None else (CHART / "values.yaml").read_text()
    defaults = YAML(typ="safe").load(text)
    keys = list(_keys(text))
    commented = {path for path, comment, _ in keys if comment}
    found = []
    for path, comment, section in keys:
        is_group = any(other.startswith(f"{path}.") for other in commented)
        if comment:
            found.append(ChartValue(path, comment, _at(defaults, path), section, is_group))
        elif "." not in path or is_group or any(_parent(other) == _parent(path) for other in commented):
            raise ValuesError(f"values.yaml: {path} has no comment: explain above it what it is for")
    return found


def _keys(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each key's path, the comment above it and the heading that it is under."""
    section, comment = "", []
    path: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif found := re.match(r" *# (.*)", line):
            comment.append(found[1])
        elif found := re.match(r"( *)([A-Za-z_]+):", line):
            path = [*path[: len(found[1]) // 2], found[2]]
            yield ".".join(path), " ".join(comment), section
            comment = []
        else:
            comment = []


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _at(defaults: Any, path: str) -> Any:
    for key in path.split("."):
        defaults = defaults[key]
    return defaults


def defaults_file(values: list[ChartValue]) -> str:
    """Return defaults.json: the path of each value -> its default; those whose default is null are left out."""
    defaults = {value.path: value.default for value in values if not value.is_group and value.default is not None}
    lines = (f"  {json.dumps(path)}: {json.dumps(default)}" for path, default in defaults.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def grid_file(_: list[ChartValue]) -> str:
    """Return grid.json: the axes in their order, and the limits of a grid."""
    axes = [
        {"name": axis.name, "short": axis.short, "hiddenOnly": axis.hidden_only, "optional": axis in OPTIONAL_AXES}
        for axis in AXES
    ]
    limits = {"trials": MAX_TRIALS, "replicateEpochs": MAX_REPLICATE_EPOCHS}
    return json.dumps({"axes": axes, "limits": limits}, indent=2) + "\n"


def readme(values: list[ChartValue]) -> str:
    """Return the chart's README.md with a table for each heading of values.yaml."""
    old = (CHART / "README.md").read_text()
    pattern = re.compile(r"(<!-- values -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{_tables(values)}{found[2]}", old)


def _tables(values: list[ChartValue]) -> str:
    lines, section = [], ""
    for value in values:
        if value.section != section:
            section = value.section
            lines += ["", f"### {section}", "", "| value | default | meaning |", "|---|---|---|"]
        default = "" if value.is_group else f"`{json.dumps(value.default)}`"
        lines.append(f"| `{value.path}` | {default} | {value.description.replace('|', '&#124;')} |")
    return "\n".join(lines).lstrip("\n") + "\n"


def schema(values: list[ChartValue]) -> str:
    """Return values.schema.json.

    Raises:
        ValuesError: the default of a value does not show its type, and `RULES` has none.
    """
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Values of the chart xor-sweep"}
    whole |= _group()
    of_the_sweep = sweep_schema()
    for value in values:
        *parents, key = value.path.split(".")
        parent = whole
        for name in parents:
            parent = parent["properties"][name]
        if parents == ["sweep"] and key in of_the_sweep:
            made = of_the_sweep[key]
        else:
            made = _group() if value.is_group else _value(value)
        parent["properties"][key] = _or_null(made) | {"description": value.description}
    whole["properties"] |= OF_A_PARENT
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    # Lists of words and numbers are easier to read on one line.
    return re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def _group() -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _value(value: ChartValue) -> Schema:
    rule = RULES.get(value.path, {})
    kind = rule.get("type") or _TYPES.get(type(value.default))
    if kind is None:
        raise ValuesError(
            f"values.yaml: the default of {value.path} shows no type: add its type to RULES in {__file__}"
        )
    return {"type": kind} | rule


def _or_null(made: Schema) -> Schema:
    kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
    made = made | {"type": [*kinds, "null"]}
    return made | {"enum": [*made["enum"], None]} if "enum" in made else made


def sweep_schema() -> dict[str, Schema]:
    """Return the schema of each setting under `sweep`: the model's, plus what pydantic leaves out of it.

    An axis may be a single value; its values must differ; its names must be known to the program.
    """
    fields = Settings.model_json_schema()["properties"]
    known = {axis.name: axis.known for axis in AXES}
    properties = {
        name: _axis(field, known[name]) if name in known else field
        for name, field in fields.items()
        if name not in NOT_IN_THE_CHART
    }
    properties["data"]["pattern"] = f"^({'|'.join(family.pattern for family in families())})$"
    for field in properties.values():
        for key in ("title", "description", "default"):
            field.pop(key, None)
    return properties


def _axis(field: Schema, known: tuple[str, ...]) -> Schema:
    kinds = field.get("anyOf", [field])
    items = next(dict(kind["items"]) for kind in kinds if kind["type"] == "array")
    axis: Schema = {"type": [items["type"], "array"]}
    if known:
        # `enum` alone would refuse lists.
        items["enum"] = list(known)
        axis |= {"if": {"type": "string"}, "then": {"enum": items["enum"]}}
    axis |= {key: bound for key, bound in items.items() if key not in ("type", "enum")}
    return axis | {"items": items, "minItems": 1, "uniqueItems": True}


def write() -> None:
    """Write the chart's README.md, values.schema.json, defaults.json and grid.json.

    Raises:
        ValuesError: values.yaml lacks something; nothing is written.
    """
    values = read_values()
    made = {
        "README.md": readme(values),
        "values.schema.json": schema(values),
        "defaults.json": defaults_file(values),
        "grid.json": grid_file(values),
    }
    for name, text in made.items():
        (CHART / name).write_text(text)


if __name__ == "__main__":
    try:
        write()
    except ValuesError as error:
        sys.exit(str(error))
