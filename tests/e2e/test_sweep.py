"""The chart in a real cluster: installed, tested, upgraded, rolled back, uninstalled; and what goes wrong in it."""

import json

import pytest
from ruamel.yaml import YAML

from .conftest import helm, into, what_is_left

NOWHERE = {"output": "gs://nobody/writes-here"}


def log(namespace, job, index):
    labels = f"batch.kubernetes.io/job-name={job},batch.kubernetes.io/job-completion-index={index}"
    lines = namespace.kubectl("logs", "--selector", labels, "--tail", "-1").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("name", "kind"), [("helm", "bucket"), ("helm3", "claim")])
def test_a_release_from_install_to_uninstall(request, namespace, release, xor_sweep, tmp_path, name, kind):
    program = helm(name)
    bucket = request.getfixturevalue("gcs") if kind == "bucket" else None
    output, values = into(bucket) if bucket else ({}, {})

    release(program, "install", "--wait", "--wait-for-jobs", "--timeout=3m", sweep=output, **values)
    first = namespace.get("job", "demo-xor-sweep-r1")
    assert first["status"]["completedIndexes"] == "0,1"
    lines = log(namespace, "demo-xor-sweep-r1", 1)
    assert lines[0]["message"] == "l1-n4: trial 1 of run demo-xor-sweep-r1"
    assert lines[-1]["result"]["replicates"] == 8
    written = bucket.objects("runs/demo-xor-sweep-r1/") if bucket else {}
    if bucket:
        results = {f"trials/{trial}/result.json" for trial in ("l1-n2", "l1-n4")}
        report = {"report/leaderboard.csv", "report/summary.json"}
        assert {f"runs/demo-xor-sweep-r1/{name}" for name in results | report} <= set(written)
    else:
        assert xor_sweep("status", "demo").count("  median ") == 2
        xor_sweep("results", "demo", tmp_path / "here")
        trials = {path.parent.name for path in (tmp_path / "here").glob("*/model.keras")}
        assert trials == {"l1-n2", "l1-n4"}
        assert json.loads((tmp_path / "here/summary.json").read_text())["failed"] == []

    assert "Succeeded" in release(program, "test", "--timeout=2m")

    # What cannot be changed of a claim stays as it is; nothing fails on it.
    other_claim = {} if bucket else {"claim": {"size": "5Gi", "accessModes": ["ReadWriteMany"]}}
    release(program, "upgrade", sweep={**output, "neurons": 8}, **values, **other_claim)
    assert namespace.job("demo-xor-sweep-r2", "Complete")["spec"]["completions"] == 1
    assert "Job/demo-xor-sweep-r1" not in what_is_left(namespace)

    # The first revision's Job comes back, and finds its run's files, which nobody has touched.
    release(program, "rollback", "1")
    namespace.job("demo-xor-sweep-r1", "Complete")
    assert log(namespace, "demo-xor-sweep-r1", 1)[-1]["message"] == "l1-n4: its result already exists"
    if bucket:
        assert bucket.objects("runs/demo-xor-sweep-r1/") == written

    release(program, "uninstall")
    namespace.until(lambda: not what_is_left(namespace))
    if bucket:
        assert bucket.objects("runs/demo-xor-sweep-r1/") == written


def test_uninstall_removes_pods_that_are_training(namespace, release, gcs):
    program = helm("helm")
    output, values = into(gcs)
    release(
        program,
        "install",
        sweep={**output, "replicates": 10_000, "epochs": 25_000, "keep_training": True},
        **values,
    )
    newest = ("logs", "--selector", "app.kubernetes.io/instance=demo", "--tail=-1")
    namespace.until(lambda: ": training " in namespace.attempt(*newest))
    release(program, "uninstall")
    namespace.until(lambda: not what_is_left(namespace), seconds=25)


def test_a_sweep_file_changed_by_hand_to_nonsense_fails_the_job_at_once(namespace, release):
    rendered = list(YAML(typ="safe").load_all(release(helm("helm"), "template", "--no-hooks", sweep=NOWHERE)))
    job = next(
        item for item in rendered if item["metadata"]["name"] == "demo-xor-sweep-r1" and item["kind"] == "Job"
    )
    job["spec"] |= {"suspend": True, "parallelism": 1}
    namespace.kubectl(
        "create", "--filename", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": rendered})
    )
    nonsense = json.dumps({"data": {"sweep.yaml": "neurons: [many]\n"}})
    namespace.kubectl("patch", "configmap", "demo-xor-sweep-r1", "--type=merge", "--patch", nonsense)
    namespace.kubectl(
        "patch", "job", "demo-xor-sweep-r1", "--type=merge", "--patch", '{"spec": {"suspend": false}}'
    )
    job = namespace.job("demo-xor-sweep-r1", "Failed")
    assert {condition["reason"] for condition in job["status"]["conditions"]} >= {"PodFailurePolicy"}
    assert job["status"]["failed"] == 1
    line = log(namespace, "demo-xor-sweep-r1", 0)[-1]
    assert line["exit_code"] == 2
    assert "neurons" in line["message"]


def test_a_trial_that_runs_out_of_memory_leaves_the_others_alone(namespace, release, gcs):
    output, values = into(gcs)
    small = {"requests": {"memory": "1Gi", "cpu": "500m"}, "limits": {"memory": "1Gi", "cpu": "1"}}
    sweep = {**output, "layers": 2, "neurons": [2, 4096, 4], "replicates": 100}
    release(helm("helm"), "install", sweep=sweep, resources=small, backoffLimitPerIndex=0, **values)
    status = namespace.job("demo-xor-sweep-r1", "Failed")["status"]
    assert (status["completedIndexes"], status["failedIndexes"]) == ("0,2", "1")
    [pod] = namespace.get("pods", "--selector", "batch.kubernetes.io/job-completion-index=1")["items"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"
    namespace.job("demo-xor-sweep-r1-driver", "Complete")
    summary = json.loads(gcs.read("runs/demo-xor-sweep-r1/report/summary.json"))
    assert (summary["job"]["outcome"], summary["done"]) == ("Failed", 2)
    assert [(trial["trial"], trial["reason"]) for trial in summary["failed"]] == [("l2-n4096", "OOMKilled")]


def test_without_a_node_that_has_gpus_the_trials_wait_for_one(namespace, release):
    release(helm("helm"), "install", sweep=NOWHERE, gpu={"enabled": True, "count": 64})

    def unschedulable():
        pods = namespace.get("pods")["items"]
        conditions = [condition for pod in pods for condition in pod["status"].get("conditions", ())]
        return [condition for condition in conditions if condition.get("reason") == "Unschedulable"]

    assert all(
        "Insufficient nvidia.com/gpu" in condition["message"] for condition in namespace.until(unschedulable)
    )
    assert not namespace.get("job", "demo-xor-sweep-r1")["status"].get("failed")


EVERYTHING = {
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "claim": {"size": "2Gi", "accessModes": ["ReadWriteMany"], "keep": True, "annotations": {"a": "b"}},
    "envFrom": [{"configMapRef": {"name": "none", "optional": True}}],
    "extraEnv": [{"name": "XOR_SWEEP_LOG_FORMAT", "value": "json"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "gpu": {"enabled": True, "nodeSelector": {"g": "h"}},
    "kueue": {"queueName": "q"},
    "retrain": {"schedule": "*/5 3 * jan-mar 0", "timeZone": "Europe/Berlin", "suspend": True},
    "maxFailedIndexes": 1000,
    "nodeSelector": {"a": "b"},
    "podActiveDeadlineSeconds": 60,
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "serviceAccount": {"annotations": {"a": "b"}},
    "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
}


def test_the_api_server_takes_every_value_and_has_nothing_to_warn_of(namespace, release):
    rendered = release(helm("helm"), "template", "--no-hooks", **EVERYTHING)
    options = ("--dry-run=server", "--validate=strict", "--warnings-as-errors")
    created = namespace.kubectl("create", *options, "--filename", "-", stdin=rendered)
    assert len(created.splitlines()) == 9
