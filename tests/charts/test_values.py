"""values.yaml, and what `make chart` makes of it: the schema, the tables of the README, and the defaults."""

import json
import re
import subprocess
import tomllib

import pytest
from ruamel.yaml import YAML

from job.settings.sweep import Settings
from tools import chart as tool

from .conftest import CHART, NOWHERE, Chart

VALUES = YAML(typ="safe").load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def test_helm_finds_nothing_to_complain_about(each_helm):
    done = subprocess.run(
        [each_helm, "lint", "--strict", CHART], capture_output=True, text=True, check=False, env=NOWHERE
    )
    assert not done.returncode, done.stdout


def test_each_helm_renders_the_same_objects(each_helm, chart):
    assert Chart(each_helm).objects(gpu={"enabled": True}) == chart.objects(gpu={"enabled": True})


def test_the_chart_has_the_programs_version():
    project = tomllib.loads((CHART.parents[1] / "pyproject.toml").read_text())["project"]
    about = YAML(typ="safe").load((CHART / "Chart.yaml").read_text())
    assert about["appVersion"] == about["version"] == project["version"]
    assert about["kubeVersion"] == ">=1.33.0-0"


def test_an_older_kubernetes_is_refused(chart):
    done = chart.run("template", "--kube-version", "1.32.9")
    assert done.returncode
    assert "incompatible with Kubernetes v1.32.9" in done.stderr
    assert not chart.run("template", "--kube-version", "v1.33.5-gke.1080000").returncode


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("README.md", tool.readme),
        ("values.schema.json", tool.schema),
        ("defaults.json", tool.defaults_file),
        ("grid.json", tool.grid_file),
    ],
)
def test_what_is_made_from_values_yaml_is_up_to_date(name, make):
    assert make(tool.read_values()) == (CHART / name).read_text(), "run `make chart`"


def test_the_sweeps_keys_and_defaults_are_the_programs():
    ours = {"device", "output"}
    fields = {name: field for name, field in Settings.model_fields.items() if name not in tool.NOT_IN_THE_CHART}
    assert set(VALUES["sweep"]) == set(fields)
    described = {value.path: value.description for value in tool.read_values()}
    for name in fields.keys() - ours:
        default = fields[name].default
        assert VALUES["sweep"][name] == (list(default) if isinstance(default, tuple) else default)
        assert described[f"sweep.{name}"] == fields[name].description


def test_every_value_is_used_in_a_template():
    templates = "".join(path.read_text() for path in (CHART / "templates").rglob("*") if path.is_file())
    # The sweep goes into the sweep file as it is.
    paths = [value.path for value in tool.read_values() if not value.path.startswith("sweep.")]
    keys = [path.rpartition(".")[2] for path in paths]
    assert [key for key in keys if not re.search(rf"\.{key}\b", templates)] == []


NEW = """
## New

# A word.
word: ""
# A group.
group:
  # A whole number.
  number: 3
  # What goes into a pod as it is.
  whole:
    inner: [1]
"""


def made(values):
    schema = json.loads(tool.schema(values))
    return {name: part for name, part in schema["properties"].items() if name not in tool.OF_A_PARENT}


def test_a_new_value_has_a_schema_of_its_defaults_type():
    assert made(tool.read_values(NEW)) == {
        "word": {"type": ["string", "null"], "description": "A word."},
        "group": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {
                "number": {"type": ["integer", "null"], "description": "A whole number."},
                "whole": {"type": ["object", "null"], "description": "What goes into a pod as it is."},
            },
            "description": "A group.",
        },
    }


def test_a_new_value_has_a_row_in_the_readme_and_a_default_for_the_templates():
    values = tool.read_values(NEW)
    assert '### New\n\n| value | default | meaning |\n|---|---|---|\n| `word` | `""` | A word. |' in tool.readme(
        values
    )
    assert '| `group.whole` | `{"inner": [1]}` | What goes into a pod as it is. |' in tool.readme(values)
    defaults = {"word": "", "group.number": 3, "group.whole": {"inner": [1]}}
    assert json.loads(tool.defaults_file(values)) == defaults


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("# about a\na: 1\nb: 2\n", "b"),
        ("# about a\na:\n  # about b\n  b: 1\n  c: 2\n", "a.c"),
        ("a:\n  # about b\n  b: 1\n", "a"),
    ],
)
def test_a_value_without_a_comment_is_named(text, path):
    with pytest.raises(tool.ValuesError, match=rf"^values.yaml: {path} has no comment: explain above it what"):
        tool.read_values(text)


def test_a_value_whose_default_shows_no_type_is_named():
    with pytest.raises(tool.ValuesError, match=r"the default of new shows no type: add its type to RULES in "):
        tool.schema(tool.read_values("# A new one.\nnew: null\n"))


def test_each_rule_is_about_a_value_that_there_is():
    assert set(tool.RULES) <= {value.path for value in tool.read_values()}


def groups(schema, path=""):
    """Yield the path and the schema of each of our own objects."""
    if "properties" in schema:
        yield path, schema
        for name, part in schema["properties"].items():
            yield from groups(part, f"{path}.{name}")


def test_the_schema_has_the_keys_of_the_values_and_lets_no_other_through():
    paths = {".".join(path.split(".")[1:]): schema for path, schema in groups(SCHEMA)}
    assert set(paths) == {"", *(value.path for value in tool.read_values() if value.is_group)}
    assert all(schema["additionalProperties"] is False for schema in paths.values())
    assert set(SCHEMA["properties"]) == set(VALUES) | set(tool.OF_A_PARENT)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sweep": {"neuron": [2]}}, "at '/sweep': additional properties 'neuron' not allowed"),
        ({"sweep": {"run": "mine"}}, "additional properties 'run' not allowed"),
        ({"paralellism": 3}, "additional properties 'paralellism' not allowed"),
        ({"gpu": {"resource": "x"}}, "at '/gpu': additional properties 'resource' not allowed"),
        ({"parallelism": 0}, "at '/parallelism': minimum: got 0, want 1"),
        ({"parallelism": "many"}, "at '/parallelism': got string, want null or integer"),
        ({"activeDeadlineSeconds": 0}, "at '/activeDeadlineSeconds': minimum: got 0, want 1"),
        (
            {"ttlSecondsAfterFinished": "ever"},
            "at '/ttlSecondsAfterFinished': 'ever' does not match pattern",
        ),
        ({"terminationGracePeriodSeconds": 0}, "at '/terminationGracePeriodSeconds': minimum: got 0, want 1"),
        ({"retrain": {"startingDeadlineSeconds": 9}}, "startingDeadlineSeconds': minimum: got 9, want 10"),
        ({"gpu": {"count": 0}}, "at '/gpu/count': minimum: got 0, want 1"),
        ({"image": {"pullSecrets": [{"name": "a"}]}}, "at '/image/pullSecrets/0': got object, want string"),
        ({"tolerations": {}}, "at '/tolerations': got object, want null or array"),
        ({"extraEnv": ["A=b"]}, "at '/extraEnv/0': got string, want object"),
        ({"sweep": {"activation": ["rely"]}}, "at '/sweep/activation/0': value must be one of 'elu', 'gelu'"),
        ({"sweep": {"optimizer": "adm"}}, "at '/sweep/optimizer': value must be one of 'adadelta'"),
        ({"sweep": {"layers": []}}, "at '/sweep/layers': minItems: got 0, want 1"),
        ({"sweep": {"neurons": [2, 2]}}, "at '/sweep/neurons': items at 0 and 1 are equal"),
        ({"sweep": {"neurons": "2,4"}}, "at '/sweep/neurons': got string, want"),
        ({"sweep": {"data": "and"}}, "at '/sweep/data': 'and' does not match pattern '^(xor|"),
    ],
)
def test_a_mistyped_value_is_refused(chart, values, words):
    assert words in " ".join(chart.refusal(**values).split())
