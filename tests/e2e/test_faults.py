"""Faults around a sweep in a real cluster: pods die, a bucket is down, there are no free GPUs, queues are full."""

import json
import subprocess
import time
import uuid

import pytest

from .conftest import helm, into

LIGHT = {"requests": {"cpu": "100m", "memory": "700Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
LONG = {"replicates": 10_000, "epochs": 25_000, "keep_training": True}


@pytest.fixture
def status(xor_sweep):
    """Reads the status of a release: the whole object, and its trials by name."""

    def look(release):
        shown = json.loads(xor_sweep("status", release, "--format", "json"))
        return shown, {trial["trial"]: trial for trial in shown["trials"]}

    return look


def pods_of(namespace, selector):
    return namespace.get("pods", "--selector", f"app.kubernetes.io/component={selector}")["items"]


def index_of(pod):
    return int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"])


def stop(namespace, pod):
    namespace.kubectl("exec", pod, "--", "python", "-c", "import os; os.kill(1, 15)")


def delete(namespace, pod):
    namespace.kubectl("delete", "pod", pod, "--wait=false")


def evict(namespace, pod):
    """Evict a pod, as `kubectl drain` does with each pod of a node."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
    namespace.kubectl("create", "--raw", path, "--filename", "-", stdin=json.dumps(eviction))


def hit_one_that_trains(namespace, how, but):
    """Apply `how` to a pod that is training and whose index is not in `but`; return its name and index."""

    def hit():
        for pod in pods_of(namespace, "trial"):
            name = pod["metadata"]["name"]
            if pod["status"]["phase"] != "Running" or index_of(pod) in but:
                continue
            lines = namespace.attempt("logs", name)
            if ": training " in lines and '"result"' not in lines:
                how(namespace, name)
                return name, index_of(pod)
        return None

    return namespace.until(hit)


def is_replaced(namespace, name, index):
    return {pod["metadata"]["name"] for pod in pods_of(namespace, "trial") if index_of(pod) == index} - {name}


def test_a_run_ends_complete_whatever_becomes_of_its_pods_and_its_bucket(namespace, release, gcs, status):
    output, values = into(gcs)
    sweep = {**output, "neurons": [*range(2, 8)], "replicates": 1000, "epochs": 10_000, "keep_training": True}
    release(helm("helm"), "install", sweep=sweep, parallelism=2, resources=LIGHT, **values)
    hit = {}
    for how in (stop, delete, evict):
        name, index = hit_one_that_trains(namespace, how, but=hit)
        hit[index] = name
    delete(namespace, pods_of(namespace, "driver")[0]["metadata"]["name"])
    namespace.until(lambda: all(is_replaced(namespace, name, index) for index, name in hit.items()))

    # A Service that leads nowhere: the bucket keeps what it has.
    gcs.lead_to("nobody")
    time.sleep(15)
    gcs.lead_to("gcs")

    namespace.job("demo-xor-sweep-r1", "Complete", seconds=240)
    namespace.job("demo-xor-sweep-r1-driver", "Complete")
    shown, trials = status("demo")
    assert (shown["outcome"], shown["counts"]["done"]) == ("Complete", 6)
    summary = json.loads(gcs.read("runs/demo-xor-sweep-r1/report/summary.json"))
    assert (summary["done"], summary["failed"]) == (6, [])
    names = {
        name.split("/")[3]
        for name in gcs.objects("runs/demo-xor-sweep-r1/trials/")
        if name.endswith("/result.json")
    }
    assert names == set(trials)


@pytest.fixture
def two_fake_gpus(cluster):
    """The name of a resource of which a node claims to have two; scheduling is real, the devices are not."""
    name = f"gpu-{uuid.uuid4().hex[:8]}"
    nodes = json.loads(subprocess.check_output([cluster, "get", "nodes", "--output", "json"]))["items"]
    node = next(n["metadata"]["name"] for n in nodes if not n["spec"].get("taints"))
    paths = [f"/status/{kind}/xor-sweep.example~1{name}" for kind in ("capacity", "allocatable")]

    def patch(operation, **value):
        patches = json.dumps([{"op": operation, "path": path, **value} for path in paths])
        words = ["patch", "node", node, "--subresource=status", "--type=json", "--patch", patches]
        subprocess.run([cluster, *words], check=True, capture_output=True)

    patch("add", value="2")
    yield f"xor-sweep.example/{name}"
    patch("remove")


def test_as_many_trials_run_as_there_are_gpus_and_one_that_sees_none_says_so(
    namespace, release, gcs, status, two_fake_gpus
):
    output, values = into(gcs)
    gpu = {"enabled": True, "resourceName": two_fake_gpus}
    sweep = {**output, "neurons": [2, 3, 4]}
    fault = {"backoffLimitPerIndex": 0, "resources": LIGHT, "gpu": gpu}
    release(helm("helm"), "install", sweep=sweep, **fault, **values)

    def two_run():
        _, trials = status("demo")
        reasons = sorted(trial.get("reason", trial["state"]) for trial in trials.values())
        return reasons == ["Unschedulable", "running", "running"] and trials

    [waits] = [trial for trial in namespace.until(two_run).values() if trial["state"] == "pending"]
    assert f"Insufficient {two_fake_gpus}" in waits["why"]

    namespace.job("demo-xor-sweep-r1", "Failed")
    _, trials = status("demo")
    assert all(trial["why"].startswith("exit code 4: no GPU found (") for trial in trials.values())
    namespace.job("demo-xor-sweep-r1-driver", "Complete")
    summary = json.loads(gcs.read("runs/demo-xor-sweep-r1/report/summary.json"))
    assert [failed["why"] for failed in summary["failed"]] == [trial["why"] for trial in trials.values()]


@pytest.fixture
def queue(namespace):
    """The name of a queue of Kueue in the namespace, with room for one small trial."""
    name = namespace.name
    if not namespace.attempt("get", "crd", "clusterqueues.kueue.x-k8s.io"):
        pytest.skip("no Kueue in the cluster")
    version = "kueue.x-k8s.io/v1beta1"
    quota = [{"name": "cpu", "nominalQuota": "150m"}, {"name": "memory", "nominalQuota": "1Gi"}]
    group = {"coveredResources": ["cpu", "memory"], "flavors": [{"name": name, "resources": quota}]}
    spec = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
        "resourceGroups": [group],
    }
    objects = [
        {"apiVersion": version, "kind": "ResourceFlavor", "metadata": {"name": name}},
        {"apiVersion": version, "kind": "ClusterQueue", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": version, "kind": "LocalQueue", "metadata": {"name": "one"}, "spec": {"clusterQueue": name}},
    ]
    for item in objects:
        namespace.until(lambda item=item: namespace.attempt("create", "--filename", "-", stdin=json.dumps(item)))
    yield "one"
    namespace.kubectl("delete", "jobs", "--all")
    namespace.kubectl("delete", "localqueue", "one")
    namespace.kubectl("delete", "clusterqueue,resourceflavor", name, "--wait=false")


def test_of_two_sweeps_in_a_queue_with_room_for_one_the_second_waits_says_why_and_then_runs(
    namespace, release, gcs, status, queue
):
    output, values = into(gcs)
    values |= {"kueue": {"queueName": queue}, "resources": LIGHT}
    release(helm("helm"), "install", name="first", sweep={**output, **LONG, "neurons": [16]}, **values)
    namespace.until(lambda: status("first")[0]["counts"]["running"])
    release(helm("helm"), "install", name="second", sweep={**output, "neurons": [4]}, **values)

    shown, trials = namespace.until(
        lambda: (told := status("second"))[0]["why"] and "quota" in told[0]["why"] and told
    )
    assert "insufficient unused quota for cpu" in shown["why"]
    assert (trials["l1-n4"]["state"], trials["l1-n4"]["why"]) == ("pending", shown["why"])
    driver = "job/second-xor-sweep-r1-driver"
    namespace.until(lambda: "insufficient unused quota for cpu" in namespace.attempt("logs", driver, "--tail=-1"))

    release(helm("helm"), "uninstall", name="first")
    namespace.job("second-xor-sweep-r1", "Complete")
    namespace.job("second-xor-sweep-r1-driver", "Complete")
    assert status("second")[0]["counts"]["done"] == 1
