"""The driver: it watches a sweep to its end, and says of every trial without a result why."""

import csv
import html
import json
import re

import pytest
from jobs import FAIL_INDEX, WAITS, create, finished_run, kubectl, let_go, sweep_job
from run_files import content

from job.errors import ConfigError
from job.runs.run import Run
from job.settings.validation import make_settings
from job.storage import open_storage
from k8s.commands.driver import without_cut_line
from k8s.release.reachability import check_reachable


@pytest.fixture(scope="module")
def failed(zoo):
    """What the summary says of each trial that failed."""
    summary = json.loads((zoo.output / "runs/zoo-r1/report/summary.json").read_text())
    return {item["trial"]: item for item in summary["failed"]}


def test_the_driver_ends_with_0_and_a_verdict_though_the_job_failed(zoo):
    assert zoo.driver.code == 0, zoo.driver.err
    last = zoo.driver.log[-1]
    assert last["message"].startswith("l1-n1 (1 hidden layer of 1 neuron): half of its starts solve XOR")
    assert (last["trials"], last["done"], last["failed"]) == (8, 1, 7)


def test_the_leaderboard_has_the_trials_that_have_results(zoo):
    rows = list(csv.DictReader((zoo.output / "runs/zoo-r1/report/leaderboard.csv").read_text().splitlines()))
    assert [row["trial"] for row in rows] == ["l1-n1"]


def test_the_page_shows_the_verdict_and_of_each_trial_that_failed_why_with_its_log(zoo, failed):
    page = (zoo.output / "runs/zoo-r1/report/index.html").read_text()
    shown = html.unescape(re.search(r'<section id="undone">.*?</section>', page, re.DOTALL)[0])
    assert "l1-n1 (1 hidden layer of 1 neuron): half of its starts solve XOR" in re.sub("<.*?>", "", page)
    assert shown.count("<tr>") == 1 + len(failed)
    for trial, told in failed.items():
        assert f'<th scope="row" class="left">{trial}</th>' in shown
        assert told["why"] in shown
        assert "\n".join(told["log"]) in shown


@pytest.mark.parametrize(
    ("trial", "reason", "code", "words"),
    [
        ("l1-n2", "NoResult", None, "its pod succeeded, but there is no result"),
        ("l1-n3", "ExitCode", 1, "exit code 1"),
        ("l1-n4", "ExitCode", 3, "retrying cannot help"),
        ("l1-n5", "OOMKilled", 137, "more memory than its limit of 64Mi"),
        ("l1-n6", "Evicted", 137, "ephemeral local storage"),
        ("l1-n7", "DeadlineExceeded", None, "was stopped"),
        ("l1-n8", "ExitCode", 139, "killed by SIGSEGV"),
    ],
)
def test_the_summary_says_why_a_trial_has_no_result(failed, trial, reason, code, words):
    told = failed[trial]
    assert (told["reason"], told["exit_code"]) == (reason, code)
    assert words in told["why"]


@pytest.mark.parametrize("index", [2, 3, 4, 5, 6, 7])
def test_the_summary_has_the_last_lines_of_a_failed_pods_log(failed, index):
    told = failed[f"l1-n{index + 1}"]
    evicted_without_a_trace = index == 5 and not told["log"]  # The kubelet may be quick to remove its container.
    assert evicted_without_a_trace or told["log"][0] == f"index {index} begins"
    assert told["pod"].startswith(f"zoo-r1-{index}-")


def test_the_log_tells_of_each_failed_attempt_as_it_happens(zoo):
    lines = [line["message"] for line in zoo.driver.log]
    assert lines[0] == "watching zoo-r1: 8 trials in 8 pods, 8 at a time"
    for name in ("l1-n3", "l1-n4", "l1-n5", "l1-n6", "l1-n8"):
        assert any(line.startswith(f"{name}: attempt 1 failed: ") for line in lines)
    assert not any(line.startswith("l1-n7: attempt") for line in lines)  # The deadline's doing, not its own.


def test_a_driver_that_comes_after_the_end_finds_what_is_still_there(zoo, xor_sweep, tmp_path):
    finished_run(tmp_path, "zoo-r1", zoo.run.settings.model_dump(exclude={"run"}), {"l1-n1"})
    assert xor_sweep("driver", "zoo", "--output", tmp_path).code == 0
    summary = json.loads((tmp_path / "runs/zoo-r1/report/summary.json").read_text())
    told = {item["trial"]: item["reason"] for item in summary["failed"]}
    assert told["l1-n5"] == "OOMKilled"
    assert told["l1-n7"] == "DeadlineExceeded"


@pytest.mark.parametrize(
    ("release", "trial", "reason", "words"),
    [
        ("nowhere", "l1-n1", "Unschedulable", "then the Job failed: DeadlineExceeded"),
        ("unpulled", "l1-n1", "ErrImageNeverPull", "localhost/nothing:here"),
        ("wrong", "l1-n1", "ExitCode", "the command line or the configuration is wrong"),
        ("wrong", "l1-n2", "PodFailurePolicy", "was stopped"),
        ("wrong", "l1-n3", "PodFailurePolicy", "was not completed"),
        ("retried", "l1-n1", "ExitCode", "exit code 1"),
    ],
)
def test_how_else_a_job_can_fail(other_ends, release, trial, reason, words):
    told = {item["trial"]: item for item in other_ends[release].summary["failed"]}[trial]
    assert told["reason"] == reason
    assert words in told["why"]


def test_without_any_result_there_is_a_summary_and_no_leaderboard(other_ends):
    end = other_ends["nowhere"]
    assert end.program.code == 0
    assert end.summary["verdict"] == "No trial has a result."
    assert end.summary["winner"] is None


def test_the_last_of_several_attempts_is_the_one_that_is_told(other_ends):
    assert other_ends["retried"].summary["failed"][0]["attempt"] == 2
    attempts = [line["message"] for line in other_ends["retried"].program.log if "attempt" in line["message"]]
    assert len(attempts) == 2


def test_the_log_says_once_what_pods_wait_for(other_ends):
    for release, words in (("nowhere", "Unschedulable"), ("unpulled", "ErrImageNeverPull")):
        lines = [line["message"] for line in other_ends[release].program.log if "is pending" in line["message"]]
        assert len({*lines}) == len(lines) >= 1
        assert any(words in line for line in lines)


def test_of_a_log_whose_beginning_was_cut_the_half_line_is_left_out():
    line = '{"message": "epoch 7", "epoch": 7}'
    assert without_cut_line([line[9:], line, "alas"]) == [line, "alas"]
    assert without_cut_line([line, "alas"]) == [line, "alas"]
    assert without_cut_line(["begins", line]) == ["begins", line]
    assert without_cut_line([line[9:]]) == [line[9:]]


RIGHTS = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/log", "configmaps"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
    {"apiGroups": ["kueue.x-k8s.io"], "resources": ["workloads"], "verbs": ["list"]},
]
"""What the chart's Role gives the driver."""


def test_the_driver_needs_no_more_rights_than_these(other_ends, account, xor_sweep, tmp_path):  # noqa: ARG001
    env = {"KUBECONFIG": str(account("driver", RIGHTS))}
    said = xor_sweep("driver", "retried", "--output", tmp_path, **env)
    assert said.code == 0, said.err
    summary = json.loads((tmp_path / "runs/retried-r1/report/summary.json").read_text())
    assert summary["failed"][0]["log"] == ["alas"]


def test_without_a_right_that_it_needs_it_says_which(zoo, account, xor_sweep, tmp_path):  # noqa: ARG001
    rights = [rule for rule in RIGHTS if "pods" not in rule["resources"]]
    said = xor_sweep("driver", "zoo", "--output", tmp_path, KUBECONFIG=str(account("few", rights)))
    assert said.code == 2
    assert 'cannot list resource "pods"' in said.error


def test_an_output_that_is_not_here_is_refused_before_the_watch(zoo, xor_sweep):  # noqa: ARG001
    said = xor_sweep("driver", "zoo")
    assert said.code == 2
    assert said.error.startswith("the sweep's output /output can be reached only from its pods")
    assert said.out == ""


def test_a_job_that_is_deleted_under_the_driver_ends_it(namespace, start, tmp_path):
    create(namespace, sweep_job("deleted", "sleep 300", neurons=[1]))
    driver = start("driver", "deleted", "--output", str(tmp_path))
    driver.wait_until(lambda: driver.has_said("1 pending or running"))
    kubectl("delete", "job", "deleted-r1", "-n", namespace, "--wait=false")
    said = driver.end(timeout=30)
    assert (said.code, said.error) == (1, "the Job deleted-r1 was deleted while the driver watched it")


def test_a_run_of_another_sweep_is_left_as_it_is(namespace, xor_sweep, tmp_path):
    settings = {**json.loads(sweep_job("other", "exit 2", neurons=[7])[0]["data"]["sweep.yaml"])}
    finished_run(tmp_path, "other-r1", settings, {"l1-n7"})
    create(namespace, sweep_job("other", "exit 2", neurons=[1], podFailurePolicy=FAIL_INDEX))
    before = content(tmp_path)
    said = xor_sweep("driver", "other", "--output", tmp_path)
    assert said.code == 2
    assert "holds another sweep" in said.error
    assert content(tmp_path) == before


def test_a_driver_in_a_killed_ones_place_knows_why_what_is_gone_had_failed(namespace, start, xor_sweep, tmp_path):
    script = f'[ "$JOB_COMPLETION_INDEX" = 0 ] && {{ {WAITS}; exit 0; }}; echo "at the end"; exit 3'
    create(namespace, sweep_job("drained", script, neurons=[1, 2], podFailurePolicy=FAIL_INDEX))
    driver = start("driver", "drained", "--output", str(tmp_path))
    driver.wait_until(lambda: list(tmp_path.glob("runs/drained-r1/report/failures/1.json")))
    driver.process.kill()
    driver.end()
    failed = "batch.kubernetes.io/job-name=drained-r1,batch.kubernetes.io/job-completion-index=1"
    kubectl("delete", "pods", "-n", namespace, "--selector", failed)
    let_go(namespace, "drained-r1", 0)
    assert xor_sweep("driver", "drained", "--output", tmp_path).code == 0
    summary = json.loads((tmp_path / "runs/drained-r1/report/summary.json").read_text())
    told = {item["trial"]: item for item in summary["failed"]}["l1-n2"]
    assert (told["reason"], told["exit_code"], told["log"]) == ("ExitCode", 3, ["at the end"])


def test_how_a_container_ended_is_told_also_where_the_kubelet_says_it_later(namespace, start, tmp_path):
    """A Job and its pod that no controller and no kubelet has: their statuses are ours to write."""
    objects = sweep_job("later", "exit 0", neurons=[1], managedBy="tests/nobody")
    create(namespace, objects)
    spec = objects[1]["spec"]["template"]["spec"] | {"schedulerName": "nobody"}
    labels = {
        "batch.kubernetes.io/job-name": "later-r1",
        "batch.kubernetes.io/job-completion-index": "0",
    }
    create(
        namespace,
        [
            {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "later-r1-0", "labels": labels}}
            | {"spec": spec}
        ],
    )

    def tell(kind, name, **status):
        patch = ["--subresource=status", "--type=merge", "--patch", json.dumps({"status": status})]
        kubectl("patch", kind, name, "-n", namespace, *patch)

    driver = start("driver", "later", "--output", str(tmp_path))
    driver.wait_until(lambda: driver.has_said("watching"))
    evicted = {"phase": "Failed", "reason": "Evicted", "message": "too much"}
    tell("pod", "later-r1-0", **evicted)
    driver.wait_until(lambda: driver.has_said("attempt 1 failed: Evicted: too much"))
    terminated = {"exitCode": 137, "reason": "Error", "startedAt": None, "finishedAt": None}
    container = {"name": "trial", "image": "a", "imageID": "", "ready": False, "restartCount": 0}
    tell("pod", "later-r1-0", containerStatuses=[container | {"state": {"terminated": terminated}}])
    ended = {"type": "Failed", "status": "True", "reason": "FailedIndexes", "message": "so it is"}
    target = ended | {"type": "FailureTarget"}
    now = "2026-01-01T00:00:00Z"
    conditions = [one | {"lastTransitionTime": now, "lastProbeTime": now} for one in (target, ended)]
    tell("job", "later-r1", startTime=now, failedIndexes="0", failed=1, conditions=conditions)
    assert driver.end().code == 0
    (told,) = json.loads((tmp_path / "runs/later-r1/report/summary.json").read_text())["failed"]
    assert (told["reason"], told["exit_code"]) == ("Evicted", 137)


def test_an_output_below_the_volumes_folder_is_made_with_the_first_result(tmp_path, monkeypatch):
    monkeypatch.setattr("k8s.release.reachability.VOLUME", tmp_path)
    config = make_settings({"output": f"{tmp_path}/below/it"})
    check_reachable(Run(open_storage(config.output), config, "run"))
    with pytest.raises(ConfigError):
        check_reachable(Run(open_storage(f"{tmp_path}-elsewhere"), config, "run"))


def test_sigterm_ends_the_driver_at_once(namespace, start, tmp_path):
    create(namespace, sweep_job("stopped", "sleep 300", neurons=[1]))
    driver = start("driver", "stopped", "--output", str(tmp_path))
    driver.wait_until(lambda: driver.has_said("watching"))
    driver.process.terminate()
    said = driver.end(timeout=10)
    assert said.code == 143
    assert "SIGTERM" in said.error
    kubectl("delete", "job", "stopped-r1", "-n", namespace, "--wait=false")


def test_a_driver_lives_through_an_api_server_that_is_away_and_asks_it_seldom(namespace, start, proxy, tmp_path):
    script = "sleep $((4 + JOB_COMPLETION_INDEX * 4)); exit $JOB_COMPLETION_INDEX"
    create(namespace, sweep_job("patient", script, neurons=[1, 2, 3, 4], parallelism=4))
    driver = start("driver", "patient", "--output", str(tmp_path), KUBECONFIG=str(proxy.kubeconfig))
    driver.wait_until(lambda: driver.has_said("pending or running"))
    proxy.cut()
    before = proxy.connections
    proxy.down(5)
    said = driver.end(timeout=60)
    assert said.code == 0, said.err
    summary = json.loads((tmp_path / "runs/patient-r1/report/summary.json").read_text())
    assert [item["exit_code"] for item in summary["failed"]] == [None, 1, 2, 3]
    lines = [line["message"] for line in said.log]
    assert any("trying again" in line for line in lines)
    assert "the cluster answers again" in lines
    assert proxy.connections - before < 20
