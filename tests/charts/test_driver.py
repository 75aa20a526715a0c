"""templates/driver.yaml, role.yaml and rolebinding.yaml: the Job that watches the sweep, and what it may."""

import pytest

RIGHTS = {
    "jobs": ["get", "list", "watch"],
    "pods": ["list", "watch"],
    "pods/log": ["get"],
    "configmaps": ["get"],
    "events": ["list"],
}
GPU = {"enabled": True, "nodeSelector": {"g": "h"}}


def pod_of(job):
    return job["spec"]["template"]["spec"]


def rights(role):
    return {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}


def environment(pod):
    return {item["name"]: item.get("value") for item in pod["containers"][0]["env"]}


def test_the_driver_watches_the_run_of_its_own_revision(chart):
    objects = chart.objects()
    run = objects["Job"]["metadata"]["name"]
    driver = objects["Job driver"]
    assert driver["metadata"]["name"] == f"{run}-driver"
    assert pod_of(driver)["containers"][0]["args"] == ["driver", "demo"]
    assert environment(pod_of(driver))["XOR_SWEEP_RUN"] == run


def test_the_driver_has_a_token_and_the_trials_have_none(chart):
    objects = chart.objects()
    assert pod_of(objects["Job driver"])["automountServiceAccountToken"] is True
    assert pod_of(objects["Job"])["automountServiceAccountToken"] is False
    assert objects["ServiceAccount"]["automountServiceAccountToken"] is False


def test_the_driver_takes_no_gpu_and_what_it_asks_for_is_its_own(chart):
    resources = {"requests": {"memory": "1Mi"}}
    pod = pod_of(chart.objects(gpu=GPU, driver={"resources": resources})["Job driver"])
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "100m", "memory": "1Mi"},
        "limits": {"memory": "1Gi"},
    }
    assert "nodeSelector" not in pod
    assert "tolerations" not in pod


def test_the_driver_reads_and_writes_the_same_output_as_the_trials(chart):
    objects = chart.objects(extraEnv=[{"name": "STORAGE_EMULATOR_HOST", "value": "http://gcs"}])
    trial, driver = pod_of(objects["Job"]), pod_of(objects["Job driver"])
    for part in ("volumes", "securityContext", "serviceAccountName"):
        assert driver[part] == trial[part]
    for part in ("volumeMounts", "image", "securityContext"):
        assert driver["containers"][0][part] == trial["containers"][0][part]
    assert environment(driver)["STORAGE_EMULATOR_HOST"] == "http://gcs"


def test_a_driver_that_dies_is_started_again_where_that_can_help(chart):
    spec = chart.objects()["Job driver"]["spec"]
    assert spec["backoffLimit"] > 0
    fail, ignore = spec["podFailurePolicy"]["rules"]
    assert (fail["action"], fail["onExitCodes"]["values"]) == ("FailJob", [3, 5])
    assert fail["onExitCodes"]["containerName"] == spec["template"]["spec"]["containers"][0]["name"]
    assert ignore == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}


def test_without_the_driver_nothing_may_ask_the_cluster(chart):
    assert set(chart.objects(driver={"enabled": False})) == {
        "ConfigMap",
        "Job",
        "PersistentVolumeClaim",
        "Pod",
        "ServiceAccount",
    }


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, {}),
        ({"kueue": {"queueName": "q"}}, {"workloads": ["list"]}),
        (
            {"retrain": {"schedule": "@daily"}},
            {"jobs": ["get", "list", "watch", "create"], "configmaps": ["get", "create"]},
        ),
    ],
    ids=["driver", "kueue", "retraining"],
)
def test_the_role_has_what_is_used_and_nothing_else(chart, values, more):
    objects = chart.objects(**values)
    assert rights(objects["Role"]) == RIGHTS | more
    binding = objects["RoleBinding"]
    assert binding["roleRef"]["name"] == objects["Role"]["metadata"]["name"]
    account = pod_of(objects["Job driver"])["serviceAccountName"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "lab"}]


def test_the_role_may_be_somebody_elses_work(chart):
    objects = chart.objects(rbac={"create": False}, serviceAccount={"create": False, "name": "mine"})
    assert not {"Role", "RoleBinding"} & set(objects)
    assert pod_of(objects["Job driver"])["serviceAccountName"] == "mine"


def test_a_role_for_every_pod_of_the_namespace_is_refused(chart):
    said = chart.refusal(serviceAccount={"create": False})
    assert "serviceAccount.name: the driver's role would go to the namespace's default account" in said
