"""Values that go into a pod as they are: what the API server says of them, and that it reaches the user."""

import json
import subprocess

import pytest
from pod_values import REFUSED, TAKEN, node_affinity

from .conftest import CHART, helm, what_is_left


def answer(kubectl, values):
    """What the API server says of the sweep's Job with these values."""
    only = ["--show-only", "templates/job.yaml", "--values", "-"]
    job = subprocess.run(
        [helm("helm"), "template", "demo", CHART, "--namespace", "default", *only],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    create = [kubectl, "create", "--dry-run=server", "--validate=strict", "--namespace", "default"]
    return subprocess.run([*create, "--filename", "-"], input=job, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("values", TAKEN, ids=json.dumps)
def test_the_api_server_takes_what_the_chart_passes_on(cluster, values):
    done = answer(cluster, values)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize(("values", "words"), REFUSED, ids=str)
def test_the_api_server_says_what_is_wrong_with_a_value(cluster, values, words):
    assert words in answer(cluster, values).stderr


@pytest.mark.parametrize("name", ["helm", "helm3"])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            node_affinity(key="a", operator="in", values=["b"]),
            'operator: Invalid value: "in": not a valid',
        ),
        ({"retrain": {"schedule": "weekly"}}, 'schedule: Invalid value: "weekly": expected exactly 5 fields'),
        ({"retrain": {"schedule": "@daily", "timeZone": "Europe/Bielefeld"}}, "unknown time zone Europe/Bielefeld"),
        ({"claim": {"size": "10GB"}}, "quantities must match the regular expression"),
    ],
    ids=str,
)
def test_the_words_of_the_api_server_reach_the_user_and_an_upgrade_mends_it(
    namespace, release, name, values, words
):
    program, still = helm(name), {"kueue": {"queueName": "nobody"}, "driver": {"enabled": False}}
    with pytest.raises(AssertionError) as refused:
        release(program, "install", **still, **values)
    assert words in str(refused.value)
    release(program, "upgrade", "--install", **still)
    assert namespace.get("job")["items"]
    release(program, "uninstall")
    namespace.until(lambda: not what_is_left(namespace))
