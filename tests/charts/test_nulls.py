"""templates/_defaults.tpl: a value that is null has its default, as Helm documents."""

import json
from functools import cache

import pytest

from tools.chart import read_values

from .conftest import Chart

PATHS = [value.path for value in read_values()]
EVERYTHING = {"retrain": {"schedule": "@daily"}, "gpu": {"enabled": True}, "kueue": {"queueName": "q"}}
"""Values that make every object and bring every value into one of them."""


def nested(path, value):
    """The values file that sets one value."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def without(settings, path):
    """The same values without one of them, and without all below it."""
    first, _, rest = path.partition(".")
    kept = {key: item for key, item in settings.items() if key != first}
    below = without(settings[first], rest) if rest and first in settings else {}
    return {**kept, first: below} if below else kept


@cache
def rendered(program, text, *words):
    done = Chart(program).run("template", *words, **json.loads(text))
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def null_file(tmp_path):
    """Writes a values file with these values set to nothing, and returns Helm's option that reads it."""

    def write(*paths):
        settings = {}
        for path in paths:
            keys = path.split(".")
            parent = settings
            for key in keys[:-1]:
                parent = parent.setdefault(key, {})
            parent[keys[-1]] = None
        path = tmp_path / "nulls.yaml"
        path.write_text(json.dumps(settings).replace("null", ""))
        return f"--values={path}"

    return write


@pytest.mark.parametrize("path", PATHS)
def test_a_value_that_is_null_has_its_default(each_helm, null_file, path):
    default = rendered(each_helm, json.dumps(without(EVERYTHING, path)))
    everything = json.dumps(EVERYTHING)
    assert rendered(each_helm, everything, null_file(path)) == default
    assert rendered(each_helm, everything, "--set", f"{path}=null") == default


def test_a_parent_that_is_null_is_like_one_that_is_left_out(each_helm):
    assert rendered(each_helm, json.dumps({"claim": None, "sweep": None})) == rendered(each_helm, "{}")


def test_all_values_may_be_null_at_once(each_helm, null_file):
    leaves = [value.path for value in read_values() if not value.is_group]
    assert rendered(each_helm, "{}", null_file(*leaves)) == rendered(each_helm, "{}")
    nulls = [f"--set={path}=null" for path in leaves]
    assert rendered(each_helm, "{}", *nulls) == rendered(each_helm, "{}")


def test_the_notes_take_null_too(chart):
    assert chart.notes(**nested("sweep.layers", None), parallelism=None, driver=None) == chart.notes()


def test_null_within_a_value_that_goes_into_a_pod_as_it_is_removes_a_key(each_helm):
    values = {
        "resources": {"limits": {"cpu": None}},
        "podSecurityContext": {"runAsUser": None, "seccompProfile": None},
        "podLabels": {"team": None},
    }
    pod = Chart(each_helm).pod(**values)
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "1536Mi"}
    assert set(pod["securityContext"]) == {"runAsNonRoot", "runAsGroup", "fsGroup", "fsGroupChangePolicy"}


def test_a_driver_without_requests_and_limits_has_none_of_a_trials(chart):
    driver = chart.objects(driver={"resources": {"requests": None, "limits": None}})["Job driver"]
    assert driver["spec"]["template"]["spec"]["containers"][0]["resources"] == {}
