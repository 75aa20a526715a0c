"""A run's results, and the champion, from a volume of the cluster: through a pod that is then gone."""

import json
import os
import signal
import subprocess
import tarfile
import threading

import pytest
from jobs import WAITS, create, finished_run, kubectl, let_go, sweep_job, wait_until_ready, winner
from layouts import layout, names_in

from job.errors import SweepError
from job.statistics.champion import challenge
from job.storage import open_storage
from k8s.api.connect import connect
from k8s.release.helper_pod import running_helper_pod
from k8s.release.outputs import find_release_output

LARGE = 30_000_000


GONE = ("volume-r7", "volume-t12345678", "cron-r3")
"""Runs on the volume whose own Jobs are gone."""


@pytest.fixture(scope="module")
def volume(namespace, tmp_path_factory):
    """The release "volume", whose run is on the volume of a claim; it has a large file."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "output"}, "spec": spec}
    pod = {
        "volumes": [{"name": "output", "persistentVolumeClaim": {"claimName": "output"}}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    container = {"volumeMounts": [{"name": "output", "mountPath": "/output"}]}
    objects = sweep_job("volume", WAITS, neurons=[1, 2], parallelism=1, container=container, pod=pod)
    create(namespace, [claim, *objects])
    output = tmp_path_factory.mktemp("volume")
    run = finished_run(output, "volume-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1"})
    for name in GONE:
        finished_run(output, name, run.settings.model_dump(mode="json"), {"l1-n2"})
    for name, low in (("volume-r7", 50), ("volume-r1", 10)):
        challenge(open_storage(str(output)), winner(name, low))
    (output / f"{run.folder}/trials/l1-n2/second").mkdir(parents=True)
    (output / f"{run.folder}/trials/l1-n2/second/model.keras").write_bytes(bytes(LARGE))
    first = wait_until_ready(namespace, "volume-r1", 0)
    with tarfile.open(output / "run.tar", "w") as archive:
        archive.add(output / "runs", "runs")
        archive.add(output / "champion.json", "champion.json")
    with (output / "run.tar").open("rb") as stream:
        words = ["kubectl", "exec", "-i", first, "-n", namespace, "--", "tar", "-xf", "-", "-C", "/output"]
        subprocess.run([*words, "--no-same-owner", "-m"], stdin=stream, check=True)
    let_go(namespace, "volume-r1", 0)
    yield output / "runs"
    kubectl("delete", "job", "volume-r1", "-n", namespace, "--wait=false")


def helper_pods(namespace):
    labels = "app.kubernetes.io/component=results"
    return kubectl("get", "pods", "-n", namespace, "-l", labels, "-o", "name").split()


@pytest.mark.usefixtures("volume")
def test_from_a_volume_the_files_come_through_a_pod_that_is_then_gone(namespace, xor_sweep, tmp_path):
    said = xor_sweep("results", "volume", "here")
    assert said.code == 0, said.err
    assert said.log[-1]["message"] == "here has 1 trials of volume-r1, 1 of them new"
    assert names_in(tmp_path / "here") == layout({"l1-n1"})
    assert xor_sweep("results", "volume", "here").log[-1]["message"].endswith(", 0 of them new")
    assert helper_pods(namespace) == []


@pytest.mark.usefixtures("volume")
def test_a_run_that_grows_on_its_volume_is_fetched_as_far_as_it_is(namespace, xor_sweep, tmp_path):
    second = wait_until_ready(namespace, "volume-r1", 1)
    grows = "while cd /output/runs/volume-r1/trials; do mkdir -p l1-n2/$((n = n + 1)) new-$n; done >&- 2>&- &"
    kubectl("exec", second, "-n", namespace, "--", "sh", "-c", grows)
    said = xor_sweep("results", "volume", "here")
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout({"l1-n1"})


@pytest.mark.usefixtures("volume")
def test_a_connection_that_breaks_while_files_come_is_told_and_nothing_is_written(
    namespace, xor_sweep, proxy, tmp_path
):
    proxy.most_bytes = LARGE / 2
    said = xor_sweep("results", "volume", "here", KUBECONFIG=str(proxy.kubeconfig))
    assert (said.code, said.out) == (1, "")
    assert said.error.startswith(
        "cannot fetch volume-r1 from /output in the cluster: the connection to the cluster "
    )
    assert not (tmp_path / "here").exists()
    assert helper_pods(namespace) == []


@pytest.mark.usefixtures("volume")
def test_a_run_that_is_not_on_the_volume_is_told(namespace, xor_sweep):
    objects = sweep_job("not-there", "exit 0", neurons=[1], suspend=True)
    template = json.loads(kubectl("get", "job", "volume-r1", "-n", namespace, "-o", "json"))["spec"]["template"]
    objects[1]["spec"]["template"]["spec"] = template["spec"]
    create(namespace, objects)
    said = xor_sweep("results", "not-there", "here")
    assert (said.code, said.out) == (1, "")
    assert said.error == (
        "cannot fetch not-there-r1 from /output in the cluster: there is no runs/not-there-r1 yet; "
        "there are: cron-r3 volume-r1 volume-r7 volume-t12345678"
    )
    assert helper_pods(namespace) == []


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("words", [("--revision", "7"), ("--run", "volume-t12345678")])
def test_a_run_whose_own_job_is_gone_comes_through_another_jobs_volume(namespace, xor_sweep, tmp_path, words):
    said = xor_sweep("results", "volume", "here", *words)
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout({"l1-n2"})
    assert helper_pods(namespace) == []


@pytest.fixture
def cron(namespace, volume):  # noqa: ARG001
    """The release "cron" on the same volume: its Job was removed, and only its CronJob is left."""
    objects = sweep_job("cron", "exit 0", neurons=[1, 2], revision=3)
    pod = json.loads(kubectl("get", "job", "volume-r1", "-n", namespace, "-o", "json"))["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "sweep", "configMap": {"name": "cron-r3"}})
    template = {"metadata": {"labels": objects[1]["metadata"]["labels"]}, "spec": {"template": {"spec": pod}}}
    about = {"name": "cron-retrain", "labels": objects[1]["metadata"]["labels"]}
    spec = {"schedule": "@yearly", "suspend": True, "jobTemplate": template}
    create(namespace, [objects[0], {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": about, "spec": spec}])
    yield
    kubectl("delete", "cronjob", "cron-retrain", "-n", namespace, "--ignore-not-found")


@pytest.mark.usefixtures("cron")
def test_a_release_whose_job_was_removed_says_so_and_its_results_come_through_what_is_left(
    namespace, xor_sweep, tmp_path
):
    said = xor_sweep("status", "cron")
    assert (said.code, said.out) == (2, "")
    assert said.error == (
        "the Job of cron-r3 has been removed, by its ttlSecondsAfterFinished or by hand; the run is in the output "
        "/output: `xor-sweep results cron FOLDER` copies it"
    )
    said = xor_sweep("results", "cron", "here")
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout({"l1-n2"})
    kubectl("delete", "cronjob", "cron-retrain", "-n", namespace)
    said = xor_sweep("results", "cron", "there")
    assert (said.code, said.out) == (2, "")
    assert said.error.startswith(
        "no Job or CronJob of the release cron is left in the cluster to mount its output /output: "
    )


@pytest.mark.usefixtures("volume")
@pytest.mark.skipif("XOR_SWEEP_IMAGE" not in os.environ, reason="XOR_SWEEP_IMAGE is not set: it has the program")
def test_the_champion_on_a_volume_is_shown_explained_and_rolled_back(namespace, xor_sweep):
    said = xor_sweep("champion", "show", "--release", "volume")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{winner('volume-r1', 10)}\n{winner('volume-r1', 10).model}\n"
    said = xor_sweep("champion", "history", "--release", "volume", "--format", "json")
    assert [line["contender"]["run"] for line in said.log] == ["volume-r7", "volume-r1"]
    said = xor_sweep("champion", "rollback", "--release", "volume")
    assert said.out == f"champion again: {winner('volume-r7', 50)}\n"
    said = xor_sweep("champion", "rollback", "--release", "volume")
    assert (said.code, said.out) == (2, "")
    assert said.error == "there is no previous champion in /output/champion.json"
    assert helper_pods(namespace) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_stopped_while_the_pod_waits_has_said_why_and_leaves_neither_pod_nor_folder(
    namespace, start, tmp_path, number
):
    pod = {"nodeSelector": {"no-such": "label"}}
    create(namespace, sweep_job("placeless", "exit 0", neurons=[1], suspend=True, pod=pod))
    program = start("results", "placeless", "here")
    program.wait_until(lambda: any("is pending: Unschedulable: " in line for line in program.err))
    assert len(helper_pods(namespace)) == 1
    program.process.send_signal(number)
    said = program.end(timeout=60)
    assert (said.code, said.out) == (128 + number, "")
    assert f"stopped by {number.name}" in said.err
    assert helper_pods(namespace) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("volume")
def test_a_pod_that_cannot_be_removed_while_the_cluster_is_away_is_removed_when_it_is_back(namespace, proxy):
    cluster, told = connect(str(proxy.kubeconfig), namespace=namespace), []

    def fail():
        with running_helper_pod(cluster, find_release_output(cluster, "volume"), told.append):
            proxy.close(proxy.listener)
            proxy.cut()
            threading.Timer(2, proxy.listen, [proxy.port]).start()
            raise SweepError("its own error")

    with pytest.raises(SweepError, match="its own error"):
        fail()
    assert "trying again to remove the pod volume-r1-results-" in told[-1]
    assert helper_pods(namespace) == []


EXEC = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}


READS = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
]


@pytest.mark.usefixtures("volume")
def test_who_may_not_remove_the_pod_keeps_what_came_and_is_told_its_name(namespace, account, xor_sweep, tmp_path):
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "watch"]}
    config = account("keeper", [*READS, pods, EXEC])
    said = xor_sweep("results", "volume", "here", KUBECONFIG=str(config))
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout({"l1-n1"})
    [pod] = helper_pods(namespace)
    assert said.err.startswith(
        f"the {pod.replace('/', ' ')} could not be removed (the cluster does not allow this: "
    )
    kubectl("wait", pod, "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
    kubectl("delete", pod, "-n", namespace)


@pytest.mark.usefixtures("volume")
def test_a_folder_in_the_way_is_refused_before_a_pod_is_started(account, xor_sweep, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/sweep.json").write_text('{"run": "other-r1"}')
    config = account("no-pods", READS)
    for target, words in (
        ("file", "file is not a folder"),
        ("full", "full is not empty and holds no results of this run: name another folder"),
        ("file/here", "file/here cannot be written: File exists"),
    ):
        said = xor_sweep("results", "volume", target, KUBECONFIG=str(config))
        assert (said.code, said.error) == (2, words)


@pytest.mark.usefixtures("volume")
def test_who_may_not_start_a_pod_is_told(account, xor_sweep):
    said = xor_sweep("results", "volume", "here", KUBECONFIG=str(account("reader", READS)))
    assert said.code == 2
    assert 'cannot create resource "pods"' in said.error
