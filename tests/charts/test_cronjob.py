"""templates/cronjob.yaml and retrain-configmap.yaml: when to retrain, and the Job that is started then."""

import pytest
from ruamel.yaml import YAML

from .conftest import Chart

WEEKLY = "0 3 * * 0"


def retraining(chart, **values):
    values["retrain"] = {"schedule": WEEKLY, **values.pop("retrain", {})}
    return chart.objects(**values)


def manifest(objects):
    """The Job to start, read as the program reads it."""
    return YAML(typ="safe", pure=True).load(objects["ConfigMap retraining"]["data"]["job.yaml"])


def test_without_a_schedule_there_is_no_retraining(chart):
    assert not {"CronJob", "ConfigMap retraining"} & set(chart.objects())


def test_the_schedule_and_its_limits_are_values(chart):
    settings = {
        "schedule": "*/5 * * * *",
        "timeZone": "Europe/Berlin",
        "startingDeadlineSeconds": 60,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 0,
        "suspend": True,
    }
    spec = retraining(chart, retrain=settings)["CronJob"]["spec"]
    assert {key: spec[key] for key in settings} == settings
    assert spec["concurrencyPolicy"] == "Forbid"


def test_without_a_time_zone_it_is_the_clusters(chart):
    assert "timeZone" not in retraining(chart)["CronJob"]["spec"]


def test_its_pod_knows_its_job_and_what_to_start(chart):
    objects = retraining(chart)
    pod = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is True
    [container] = pod["containers"]
    assert container["args"] == ["retrain"]
    variables = {item["name"]: item for item in container["env"]}
    job = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    assert variables["XOR_SWEEP_JOB"]["valueFrom"] == job
    assert variables["XOR_SWEEP_MANIFEST"]["value"] == "/etc/xor-sweep/job.yaml"
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["sweep"]["configMap"]["name"] == objects["ConfigMap retraining"]["metadata"]["name"]


@pytest.mark.parametrize(
    "values",
    [{}, {"gpu": {"enabled": True}}, {"kueue": {"queueName": "q"}, "podLabels": {"a": "b"}, "parallelism": 9}],
    ids=["default", "gpu", "kueue"],
)
def test_what_it_starts_is_the_sweeps_own_job(chart, values):
    objects = retraining(chart, **values)
    started, sweep = manifest(objects), objects["Job"]
    assert started["spec"] == sweep["spec"]
    queue = "kueue.x-k8s.io/queue-name"
    assert started["metadata"]["labels"].get(queue) == sweep["metadata"]["labels"].get(queue)
    assert objects["ConfigMap retraining"]["data"]["sweep.yaml"] == objects["ConfigMap"]["data"]["sweep.yaml"]


ODD = ["12e4567", "=", "<<", "~", "0o7", "1_000", "a\u2028b", "\u00a0", "'\"\\", "a\n b\t", "{{ 1 }}"]
"""Words of which readers of YAML disagree whether, and how, they must be quoted."""


def test_what_it_starts_has_the_very_words_of_the_values(each_helm):
    values = {
        "podLabels": {"a": "12e4567"},
        "podAnnotations": {f"a{number}": word for number, word in enumerate(ODD)},
        "extraEnv": [{"name": f"A{number}", "value": word} for number, word in enumerate(ODD)],
    }
    only = ("--show-only", "templates/retrain-configmap.yaml")
    rendered = Chart(each_helm).run("template", *only, **values, retrain={"schedule": WEEKLY}).stdout
    template = manifest({"ConfigMap retraining": YAML(typ="safe").load(rendered)})["spec"]["template"]
    assert template["metadata"]["labels"].items() >= values["podLabels"].items()
    assert template["metadata"]["annotations"] == values["podAnnotations"]
    [container] = template["spec"]["containers"]
    assert container["env"][-len(ODD) :] == values["extraEnv"]
