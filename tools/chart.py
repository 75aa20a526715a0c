"""Makes what the chart says of itself, from its values.yaml and from the model of the sweep file.

charts/xor-sweep/README.md has a table of all values; values.schema.json has a description of each, and its part
about the sweep is `Settings`'s own schema, so that a value that the program refuses is refused by Helm. What
goes into a pod as it is, is held to the schema of Kubernetes' API.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from job.settings.axes import ACTIVATIONS, AXIS_NAMES, LEARNING_RATES, LOSSES
from job.settings.sweep import Settings
from tools import kubernetes_api

CHART = Path(__file__).parents[1] / "charts" / "xor-sweep"
NOT_IN_THE_CHART = {"run", "workers"}
"""Fields that no values file sets: the run has its Job's name, and a pod trains one trial at a time."""

_NAMES = {"activation": ACTIVATIONS, "loss": LOSSES, "optimizer": tuple(LEARNING_RATES)}


class Value(NamedTuple):
    """A value of the chart."""

    path: str
    """Its keys, with dots between."""
    description: str
    """The comment above it."""
    default: Any
    """What values.yaml gives it."""
    section: str
    """The heading that it stands under."""


def write() -> None:
    """Write the chart's README.md and values.schema.json."""
    (CHART / "README.md").write_text(readme())
    (CHART / "values.schema.json").write_text(schema())


def values(text: str | None = None) -> Iterator[Value]:
    """Yield the chart's values in the order of values.yaml.

    Raises:
        ValueError: a value has no comment.
    """
    text = text if text is not None else (CHART / "values.yaml").read_text()
    defaults = YAML(typ="safe").load(text)
    section = ""
    comment: list[str] = []
    path: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif found := re.match(r" *# (.*)", line):
            comment.append(found[1])
        elif found := re.match(r"( *)([A-Za-z_]+):", line):
            path = [*path[: len(found[1]) // 2], found[2]]
            if comment:
                yield Value(".".join(path), " ".join(comment), _at(defaults, path), section)
            elif not {"resources", "podSecurityContext", "securityContext"} & set(path[:-1]):
                raise ValueError(f"values.yaml: {'.'.join(path)} has no comment")
            comment = []
        else:
            comment = []


def _at(defaults: Any, path: list[str]) -> Any:
    for key in path:
        defaults = defaults[key]
    return defaults


def readme() -> str:
    """Return the chart's README.md with its tables made from values.yaml."""
    old = (CHART / "README.md").read_text()
    return re.sub(
        r"(<!-- values -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{_tables()}{found[2]}",
        old,
        flags=re.DOTALL,
    )


def _tables() -> str:
    lines, section = [], ""
    known = list(values())
    for value in known:
        if value.section != section:
            section = value.section
            lines += ["", f"### {section}", "", "| value | default | meaning |", "|---|---|---|"]
        has_own_rows = any(other.path.startswith(f"{value.path}.") for other in known)
        default = "" if has_own_rows else f"`{json.dumps(value.default)}`"
        lines.append(f"| `{value.path}` | {default} | {value.description.replace('|', '&#124;')} |")
    return "\n".join(lines).lstrip("\n") + "\n"


def schema() -> str:
    """Return values.schema.json as it is, with its descriptions, the sweep's part and Kubernetes' made anew."""
    whole = json.loads((CHART / "values.schema.json").read_text())
    whole["properties"]["sweep"] = sweep_schema()
    whole["$defs"] = kubernetes_api.definitions()
    of_kubernetes = kubernetes_api.parts()
    for value in values():
        keys = value.path.split(".")
        part = whole
        for key in keys:
            parent, part = part, part["properties"][key]
        if value.path in of_kubernetes:
            parent["properties"][keys[-1]] = part = of_kubernetes[value.path]
        part["description"] = value.description
        if keys[0] == "sweep" and len(keys) == 2:
            part["default"] = value.default
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def sweep_schema() -> dict[str, Any]:
    """Return the schema of the values under `sweep`: the model's, with what pydantic leaves out of it.

    An axis may be a single value; its values are all different; names are those that the program knows.
    """
    fields = Settings.model_json_schema()["properties"]
    properties = {
        name: _axis(name, field) if name in AXIS_NAMES else field
        for name, field in fields.items()
        if name not in NOT_IN_THE_CHART
    }
    for field in properties.values():
        field.pop("title", None)
    # Without a key the program takes its default: the template, which counts the pods, must know it.
    required = [name for name in properties if Settings.model_fields[name].default is not None]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _axis(name: str, field: dict[str, Any]) -> dict[str, Any]:
    kinds = field.get("anyOf", [field])
    items = next(dict(kind["items"]) for kind in kinds if kind["type"] == "array")
    nullable = ["null"] if {"type": "null"} in kinds else []
    axis: dict[str, Any] = {"type": [items["type"], "array", *nullable]}
    if name in _NAMES:
        # `enum` alone would refuse lists.
        items["enum"] = list(_NAMES[name])
        axis |= {"if": {"type": "string"}, "then": {"enum": items["enum"]}}
    axis |= {key: bound for key, bound in items.items() if key not in ("type", "enum")}
    return axis | {"items": items, "minItems": 1, "uniqueItems": True}
