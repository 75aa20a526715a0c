"""A run's results in a folder: from a local folder, a bucket, and a volume of the cluster; again, and elsewhere."""

import json
import os
import re
import signal
import subprocess
import tarfile
import threading

import pytest
from jobs import WAITS, create, finished_run, kubectl, let_go, sweep_job, wait_until_ready
from runs import content

from job.champion import Contender, challenge
from job.config import make_config
from job.errors import SweepError
from job.storage import open_storage
from k8s.client import connect
from k8s.outputs import find_output
from k8s.volume import _pod

FILES = {"result.json", "replicates.csv", "history.csv", "model.keras", "log.jsonl"}
TWO_OF_THREE = {"l1-n1", "l1-n3"}
PICTURES_OF_ROWS = {"heatmap", "heatmap-solved", "intervals", "survival", "accuracy", "activations"}
"""What can be drawn of these runs: they have no networks.json."""


def names_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def layout(done, *more):
    report = {"index.html", "leaderboard.csv", *(f"pictures/{kind}.svg" for kind in PICTURES_OF_ROWS)}
    return {"sweep.json", *report, *more, *(f"{trial}/{name}" for trial in done for name in FILES)}


@pytest.fixture(scope="module")
def settings(namespace):
    """The sweep of the release "kept", whose Job never runs: its run is made by each test."""
    objects = sweep_job("kept", "exit 0", neurons=[1, 2, 3], suspend=True)
    create(namespace, objects)
    return json.loads(objects[0]["data"]["sweep.yaml"])


@pytest.fixture
def output(settings, tmp_path):
    """A local output with the release's run: two of its three trials are done."""
    finished_run(tmp_path / "output", "kept-r1", settings, TWO_OF_THREE)
    return tmp_path / "output"


@pytest.fixture
def fetch(xor_sweep, output):
    return lambda folder, *words: xor_sweep("results", "kept", folder, "--output", output, *words)


def test_the_layout_is_for_people(fetch, output, tmp_path):
    said = fetch("here")
    assert said.code == 0
    assert said.log[-1]["message"] == "here has 2 trials of kept-r1, 2 of them new"
    here = tmp_path / "here"
    assert names_in(here) == layout(TWO_OF_THREE)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "output"}
    assert (here.stat().st_mode & 0o777) == 0o755
    first = output / "runs/kept-r1/trials/l1-n1"
    assert (here / "l1-n1/model.keras").read_bytes() == (first / "first/model.keras").read_bytes()
    assert json.loads((here / "l1-n1/result.json").read_text()) == json.loads((first / "result.json").read_text())
    assert [line.split(",")[1] for line in (here / "leaderboard.csv").read_text().splitlines()] == [
        "trial",
        "l1-n1",
        "l1-n3",
    ]


def test_the_page_leads_to_the_files_beside_it(fetch, tmp_path):
    assert fetch("here").code == 0
    here = tmp_path / "here"
    links = set(re.findall(r'href="([^"#:]+)"', (here / "index.html").read_text()))
    assert links == {"leaderboard.csv", "l1-n1/model.keras", "l1-n3/model.keras"}
    assert all((here / link).is_file() for link in links)


def test_an_empty_folder_is_filled(fetch, tmp_path):
    (tmp_path / "empty").mkdir()
    assert fetch("empty").code == 0
    assert names_in(tmp_path / "empty") == layout(TWO_OF_THREE)


def test_into_a_folder_of_the_same_run_come_the_trials_that_it_lacks(fetch, output, settings, tmp_path):
    assert fetch("here").code == 0
    mine = tmp_path / "here/l1-n1/notes.txt"
    mine.write_text("keep me")
    before = content(tmp_path / "here/l1-n1")
    assert fetch("here").log[-1]["message"] == "here has 2 trials of kept-r1, 0 of them new"
    assert content(tmp_path / "here/l1-n1") == before

    finished_run(tmp_path / "later", "kept-r1", settings, {"l1-n2"})
    (tmp_path / "later/runs/kept-r1/trials/l1-n2").rename(output / "runs/kept-r1/trials/l1-n2")
    (output / "runs/kept-r1/report").mkdir()
    (output / "runs/kept-r1/report/summary.json").write_text('{"failed": []}')
    assert fetch("here").log[-1]["message"] == "here has 3 trials of kept-r1, 1 of them new"
    assert content(tmp_path / "here/l1-n1") == before
    mine.unlink()
    assert names_in(tmp_path / "here") == layout({"l1-n1", "l1-n2", "l1-n3"}, "summary.json")
    assert len((tmp_path / "here/leaderboard.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("kind", ["another run", "something else", "a file"])
def test_a_folder_with_anything_else_is_left_alone(fetch, settings, tmp_path, kind):
    target = tmp_path / "taken"
    if kind == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        other = {"run": "other-r1", "config_hash": make_config(settings).hash} if kind == "another run" else "mine"
        (target / "sweep.json").write_text(json.dumps(other))
    before = content(tmp_path)
    said = fetch("taken")
    assert (said.code, said.out) == (2, "")
    assert said.error == (
        "taken is not a folder"
        if kind == "a file"
        else "taken is not empty and holds no results of this run: name another folder"
    )
    assert content(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_refused(fetch, tmp_path):
    (tmp_path / "file").write_text("")
    said = fetch("file/here")
    assert (said.code, said.error) == (2, "file/here cannot be written: File exists")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda trial: (trial / "first/model.keras").write_bytes(b"x"), "first/model.keras is damaged"),
        (lambda trial: (trial / "first/model.keras").unlink(), "first/model.keras"),
        (lambda trial: (trial / "result.json").write_text("{"), "result.json is damaged"),
        (lambda trial: rename_in_result(trial, "../model.keras"), "result.json is damaged"),
    ],
    ids=["changed", "gone", "no result", "another folder's"],
)
def test_what_is_damaged_is_refused_and_nothing_is_written(fetch, output, tmp_path, damage, words):
    damage(output / "runs/kept-r1/trials/l1-n3")
    said = fetch("here")
    assert (said.code, said.out) == (1, "")
    assert words in said.error
    assert {path.name for path in tmp_path.iterdir()} == {"output"}


def rename_in_result(trial, name):
    result = json.loads((trial / "result.json").read_text())
    result["files"][2]["name"] = name
    (trial / "result.json").write_text(json.dumps(result))


@pytest.mark.usefixtures("settings")
def test_a_run_that_has_not_begun_has_no_results(xor_sweep, tmp_path):
    said = xor_sweep("results", "kept", "here", "--output", tmp_path)
    assert (said.code, said.error) == (1, "kept-r1 has no results yet")
    assert not (tmp_path / "here").exists()


def test_of_a_run_that_no_trial_has_begun_the_drivers_report_comes(settings, xor_sweep, tmp_path):
    report = tmp_path / "output/runs/kept-r1/report"
    report.mkdir(parents=True)
    failed = [{"trial": "l1-n1", "why": "Unschedulable: no node", "log": []}]
    (report / "summary.json").write_text(json.dumps({"run": "kept-r1", "failed": failed}))
    for _ in range(2):
        said = xor_sweep("results", "kept", "here", "--output", tmp_path / "output")
        assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == {
        "index.html",
        "leaderboard.csv",
        "summary.json",
        "pictures/activations.svg",
    }
    assert "Unschedulable: no node" in (tmp_path / "here/index.html").read_text()
    finished_run(tmp_path / "output", "kept-r1", settings, TWO_OF_THREE)
    said = xor_sweep("results", "kept", "here", "--output", tmp_path / "output")
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") >= layout(TWO_OF_THREE)


def test_from_a_bucket_the_same_files_come(namespace, gcs_server, gcs_url, xor_sweep, tmp_path):
    objects = sweep_job("bucket", "exit 0", neurons=[1, 2, 3], settings={"output": gcs_url}, suspend=True)
    create(namespace, objects)
    finished_run(gcs_url, "bucket-r1", json.loads(objects[0]["data"]["sweep.yaml"]), TWO_OF_THREE)
    said = xor_sweep("results", "bucket", "here", STORAGE_EMULATOR_HOST=gcs_server)
    assert said.code == 0, said.err
    assert names_in(tmp_path / "here") == layout(TWO_OF_THREE)


LARGE = 30_000_000


GONE = ("volume-r7", "volume-t12345678", "cron-r3")
"""Runs on the volume whose own Jobs are gone."""


def winner(run, low):
    model = f"runs/{run}/trials/l1-n2/first/model.keras"
    median = {"median": low + 1, "median_low": low, "median_high": low + 2}
    return Contender(run=run, trial="l1-n2", model=model, epochs=100, share_solved=1.0, **median)


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
        finished_run(output, name, run.config.model_dump(mode="json"), {"l1-n2"})
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
        "volume-r1 is not to be had from /output in the cluster: the connection to the cluster "
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
        "not-there-r1 is not to be had from /output in the cluster: there is no runs/not-there-r1 yet; "
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
        "nothing of the release cron is left in the cluster that mounts its output /output: `helm upgrade` "
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
    assert said.error == "there is no champion before this one in /output/champion.json"
    assert helper_pods(namespace) == []


def test_the_champion_in_a_releases_bucket_is_read_from_here(namespace, gcs_server, gcs_url, xor_sweep):
    objects = sweep_job("crowned", "exit 0", neurons=[1], settings={"output": gcs_url}, suspend=True)
    create(namespace, objects)
    challenge(open_storage(gcs_url), winner("crowned-r1", 10))
    said = xor_sweep("champion", "show", "--release", "crowned", STORAGE_EMULATOR_HOST=gcs_server)
    assert said.out.startswith("l1-n2 of crowned-r1 "), said.err


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
        with _pod(cluster, find_output(cluster, "volume"), told.append):
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
    assert said.err.startswith(f"the {pod.replace('/', ' ')} could not be removed (the cluster does not allow it: ")
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


def test_a_bucket_that_has_no_run_yet_is_asked_and_no_pod_is(namespace, xor_sweep, gcs_url, gcs_server):
    objects = sweep_job("early", "exit 0", neurons=[1], suspend=True, settings={"output": gcs_url})
    create(namespace, objects)
    said = xor_sweep("results", "early", "here", STORAGE_EMULATOR_HOST=gcs_server)
    assert (said.code, said.error) == (1, "early-r1 has no results yet")
    assert (
        kubectl("get", "events", "-n", namespace, "--field-selector", "involvedObject.kind=Pod").count("early") == 0
    )


@pytest.mark.usefixtures("volume")
def test_who_may_not_start_a_pod_is_told(account, xor_sweep):
    said = xor_sweep("results", "volume", "here", KUBECONFIG=str(account("reader", READS)))
    assert said.code == 2
    assert 'cannot create resource "pods"' in said.error
