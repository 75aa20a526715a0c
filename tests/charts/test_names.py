"""Names and labels of all objects: strings, also where YAML would take an unquoted one for something else."""

import pytest
from ruamel.yaml import YAML

from .conftest import Chart

NOT_WORDS = ["123", "1e3", "0x1f", "true", "on", "null", "2026-01-01"]
"""Names that Kubernetes and Helm allow, and YAML reads as a number, a boolean, nothing and a date."""

STRINGS = {
    "name",
    "namespace",
    "value",
    "image",
    "schedule",
    "timeZone",
    "claimName",
    "serviceAccountName",
    "priorityClassName",
    "runtimeClassName",
    "containerName",
    "storageClassName",
    "sizeLimit",
}
MAPS_OF_STRINGS = {"labels", "annotations", "matchLabels", "nodeSelector"}


def no_strings(part, path=""):
    """Where an object has something else than the string that Kubernetes asks for."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from no_strings(item, f"{path}[{number}]")
    if isinstance(part, dict):
        for key, item in part.items():
            where = f"{path}.{key}"
            strings = item.values() if key in MAPS_OF_STRINGS else [item] if key in STRINGS else []
            yield from (f"{where} is {value!r}" for value in strings if not isinstance(value, str))
            yield from no_strings(item, where)


def documents(text, version):
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    for document in yaml.load_all(text):
        if document:
            yield document
            yield from documents(document.get("data", {}).get("job.yaml", ""), version)


def rendered(helm, word):
    values = {
        "kueue": {"queueName": word},
        "serviceAccount": {"name": word, "annotations": {"a": word}},
        "priorityClassName": word,
        "runtimeClassName": word,
        "image": {"pullSecrets": [word], "tag": word},
        "claim": {"storageClassName": word, "annotations": {"a": word}},
        "podLabels": {"a": word},
        "podAnnotations": {"a": word},
        "nodeSelector": {"a": word},
        "extraEnv": [{"name": "A", "value": word}],
        "retrain": {"schedule": "@daily", "timeZone": "Europe/Berlin"},
        "tmpSizeLimit": 2**31,
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    }
    done = Chart(helm).run("template", release=word, namespace=word, **values)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", [(1, 1), (1, 2)], ids=["as Helm reads YAML", "as the program reads it"])
@pytest.mark.parametrize("word", NOT_WORDS)
def test_a_name_that_yaml_would_read_as_something_else_stays_a_string(each_helm, word, version):
    objects = list(documents(rendered(each_helm, word), version))
    assert {document["kind"] for document in objects} >= {"Job", "CronJob", "RoleBinding", "ServiceAccount", "Pod"}
    assert [where for document in objects for where in no_strings(document, document["kind"])] == []
    (sweep,) = (
        one for one in objects if one["kind"] == "Job" and one["metadata"]["name"] == f"{word}-xor-sweep-r1"
    )
    assert sweep["metadata"]["labels"]["app.kubernetes.io/instance"] == word
    assert sweep["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == word
    assert sweep["spec"]["template"]["spec"]["volumes"][1]["emptyDir"]["sizeLimit"] == "2147483648"


@pytest.mark.parametrize("values", [{"fullnameOverride": "123"}, {"claim": {"existing": "1e3"}}], ids=str)
def test_so_does_a_name_from_the_values(each_helm, values):
    done = Chart(each_helm).run("template", **values, retrain={"schedule": "@daily"})
    objects = list(documents(done.stdout, (1, 1)))
    assert [where for document in objects for where in no_strings(document, document["kind"])] == []
