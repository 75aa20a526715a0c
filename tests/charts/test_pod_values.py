"""Values that go into a pod as they are: Helm takes them, and leaves what is wrong about them to the API server."""

import json

import pytest
from pod_values import REFUSED, TAKEN

NEWER = [
    {"affinity": {"fieldOfTomorrow": {"a": [1]}}},
    {"tolerations": [{"key": "a", "operator": "Sometimes", "fieldOfTomorrow": True}]},
    {"topologySpreadConstraints": [{"labelSelector": {}, "fieldOfTomorrow": 3}]},
    {"podSecurityContext": {"fieldOfTomorrow": "x"}},
    {"securityContext": {"fieldOfTomorrow": {"a": None}}},
    {"resources": {"claims": [{"name": "gpu"}], "fieldOfTomorrow": 1}},
    {"extraEnv": [{"name": "A", "fieldOfTomorrow": 1}]},
    {"envFrom": [{"fieldOfTomorrow": {"name": "a"}}]},
    {"extraVolumes": [{"name": "x", "fieldOfTomorrow": {}}]},
    {"extraVolumeMounts": [{"name": "x", "mountPath": "/x", "fieldOfTomorrow": "y"}]},
    {"nodeSelector": {"a": "b"}},
]
"""Fields that no API server knows yet."""

PLACES = {
    "podSecurityContext": "securityContext",
    "extraVolumes": "volumes",
    "extraVolumeMounts": "volumeMounts",
    "extraEnv": "env",
}
"""Where a pod or its container has a value, if not under the value's own name."""


def contains(whole, part):
    """Whether an object has what a value says, beside what the chart and the defaults add."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(item is None or contains(whole.get(key), item) for key, item in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(contains(one, item) for one in whole) for item in part)
    return whole == part


def passed_on(pod, name, value):
    places = [pod, pod["containers"][0]] if name != "securityContext" else [pod["containers"][0]]
    key = PLACES.get(name, name)
    return any(contains(place[key], value) for place in places if key in place)


@pytest.mark.parametrize("values", TAKEN + NEWER + [values for values, _ in REFUSED], ids=json.dumps)
def test_what_goes_into_a_pod_as_it_is_reaches_it_unchanged(chart, values):
    pod = chart.pod(**values)
    for name, value in values.items():
        if name not in ("gpu", "podLabels"):
            assert passed_on(pod, name, value)
