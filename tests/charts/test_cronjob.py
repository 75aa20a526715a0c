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


def test_the_longest_name_leaves_room_for_a_cron_job(chart):
    longest = "r" * 34
    name = retraining(chart, release=longest)["CronJob"]["metadata"]["name"]
    assert len(name) == 52
    assert "at most 44" in chart.run("template", release=longest + "r", retrain={"schedule": WEEKLY}).stderr


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 * * * *",
        "0 0 1 1 0",
        "59 23 31 12 6",
        "0,30 8-18/2 * JAN-mar Mon-Fri",
        "5/15 * ? * ?",
        "  0   3  *  * 0 ",
        "007 03 * * sun",
        "@daily",
        "@every 90m",
        "@every 0h1s",
        "@every 1.5h",
        "@every 2500000h",
    ],
)
def test_a_cron_expression_is_taken(chart, schedule):
    assert retraining(chart, retrain={"schedule": schedule})["CronJob"]["spec"]["schedule"] == schedule


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("weekly", "'weekly' is no cron expression: give minute, hour, day of the month"),
        ("* * * *", "is no cron expression"),
        ("* * * * * *", "is no cron expression"),
        ("60 * * * *", "the minute 60 of '60 * * * *' is out of range: give 0 to 59"),
        ("* 24 * * *", "the hour 24"),
        ("* * 0 * *", "the day of the month 0"),
        ("* * * 13 *", "the month 13"),
        ("* * * * 7", "the day of the week 7 of '* * * * 7' is out of range: give 0 to 6 (Sunday is 0)"),
        ("* * * * jan", "the day of the week 'jan'"),
        ("5-1 * * * *", "the minute '5-1' of '5-1 * * * *' goes backwards"),
        ("*/0 * * * *", "the minute '*/0'"),
        ("-1 * * * *", "the minute '-1'"),
        ("1,, * * * *", "the minute '1,,'"),
        ("1-2-3 * * * *", "the minute '1-2-3'"),
        ("@fortnightly", "'@fortnightly' is no word for a schedule: give @hourly"),
        ("@every day", "is no word for a schedule"),
        ("@every 0s", "'@every 0s' would start one at every second: give a time above 0, such as @every 12h"),
        ("@every 0h0m", "give a time above 0"),
        ("@every 500ms", "is no word for a schedule"),
        ("@every 2500000h1s", "is more than Kubernetes can count: give at most @every 2500000h, or leave"),
        ("@every 99999999999h", "is more than Kubernetes can count"),
        ("TZ=UTC 0 3 * * 0", "is no cron expression"),
    ],
)
def test_what_is_no_cron_expression_is_refused_in_words(chart, schedule, words):
    said = chart.refusal(retrain={"schedule": schedule})
    assert "retrain.schedule: " in said
    assert words in said


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "Etc/UTC", "America/Argentina/Ushuaia", "Etc/GMT+3"])
def test_a_time_zone_is_taken(chart, zone):
    assert retraining(chart, retrain={"timeZone": zone})["CronJob"]["spec"]["timeZone"] == zone


@pytest.mark.parametrize("zone", ["Europe/Bielefeld", "Local", "local", "berlin", "../etc/passwd", "+01:00"])
def test_a_time_zone_that_is_not_there_is_refused(chart, zone):
    said = chart.refusal(retrain={"schedule": WEEKLY, "timeZone": zone})
    assert f"retrain.timeZone: there is no time zone '{zone}'" in said
