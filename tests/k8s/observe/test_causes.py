"""Why pods fail and wait, said of pods as a real cluster (Kubernetes 1.35) had them."""

import copy
import json
from pathlib import Path

import pytest

from k8s.observe.causes import (
    exit_code_in_words,
    is_trouble,
    log_tail,
    why_failed,
    why_job_failed,
    why_pending,
    why_suspended,
)
from k8s.observe.state import parse_pod

PODS = json.loads(Path(__file__).with_name("pods.json").read_text())
WORKLOADS = json.loads(Path(__file__).with_name("workloads.json").read_text())


def test_a_failed_pods_reason_is_the_clusters_own_word_and_its_text_says_what_to_look_at():
    told = {name: why_failed(PODS[name]) for name in PODS if PODS[name]["status"]["phase"] == "Failed"}
    assert {name: (cause.reason, cause.exit_code) for name, cause in told.items()} == {
        "exit code 1": ("ExitCode", 1),
        "exit code 3": ("ExitCode", 3),
        "out of memory": ("OOMKilled", 137),
        "evicted": ("Evicted", 137),
        "drained": ("EvictionByEvictionAPI", 137),
        "no such command": ("StartError", 128),
        "stopped before it began": ("ContainerStatusUnknown", 137),
        "stopped while it ran": ("ExitCode", 143),
        "deleted by a person": ("ExitCode", 137),
    }
    assert told["exit code 1"].text == "exit code 1: boom"
    assert (
        told["exit code 3"].text
        == "exit code 3: retrying cannot help: a trial's numbers are not finite, or a run has no winner"
    )
    assert told["out of memory"].text == "OOMKilled: it needs more memory than its limit of 64Mi"
    assert "ephemeral local storage usage exceeds the total limit" in told["evicted"].text
    assert "evicted, as when a node is drained" in told["drained"].text
    assert "nothing-here" in told["no such command"].text
    assert all("\n" not in cause.text for cause in told.values())


def test_a_pending_pods_reason_is_the_clusters_own_word():
    told = {name: why_pending(pod) for name, pod in PODS.items() if parse_pod(pod).phase == "pending"}
    assert {name: (cause.reason, is_trouble(cause)) for name, cause in told.items()} == {
        "unschedulable": ("Unschedulable", True),
        "image not there": ("ImagePullBackOff", True),
        "no such ConfigMap": ("CreateContainerConfigError", True),
        "created": ("Starting", False),
        "starting": ("Starting", False),
    }
    assert "0/1 nodes are available" in told["unschedulable"].text
    assert "localhost/nothing:here" in told["image not there"].text
    assert 'configmap "nope" not found' in told["no such ConfigMap"].text
    assert told["starting"].text == "starting on node-1"


@pytest.mark.parametrize(
    ("name", "phase", "stopped"),
    [
        ("running", "running", False),
        ("ended before it was seen to run", "running", False),
        ("stopped while it ran", "failed", True),
        ("deleted by a person", "failed", True),
        ("drained", "failed", False),
        ("evicted", "failed", False),
        ("exit code 1", "failed", False),
    ],
)
def test_what_a_pod_is_and_whether_it_was_deleted(name, phase, stopped):
    pod = parse_pod(PODS[name])
    assert (pod.phase, pod.stopped) == (phase, stopped)
    assert (pod.since or "2026").startswith("2026")


def test_a_second_attempt_is_known_as_one():
    assert [parse_pod(PODS[name]).attempt for name in ("exit code 3", "exit code 1")] == [1, 2]


def test_a_pod_of_no_index_is_none_of_the_sweeps():
    pod = copy.deepcopy(PODS["running"])
    pod["metadata"]["labels"] = {}
    assert parse_pod(pod) is None


def test_the_end_of_the_log_is_taken_from_the_pod_where_the_kubelet_has_put_it_there():
    assert "index 3 begins" in log_tail(PODS["out of memory"])
    assert log_tail(PODS["no such command"]) == ""


def test_that_the_kubelet_had_already_removed_the_log_is_not_taken_for_the_log():
    pod = copy.deepcopy(PODS["evicted"])
    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert log_tail(pod) == "index 4 begins\n"
    terminated["message"] = (
        "Error on reading termination message from logs: failed to try resolving symlinks in path"
        ' "/var/log/pods/a/trial/0.log": lstat /var/log/pods/a/trial/0.log: no such file or directory'
    )
    assert log_tail(pod) == ""
    assert why_failed(pod) == why_failed(PODS["evicted"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, "exit code 2: the command line or the configuration is wrong"),
        (139, "exit code 139: killed by SIGSEGV"),
        (77, "exit code 77"),
        (255, "exit code 255"),
    ],
)
def test_exit_codes_in_words(code, words):
    assert exit_code_in_words(code) == words


def test_the_programs_own_last_words_go_before_the_table_of_exit_codes():
    line = json.dumps({"message": "l1-n2: the loss is not finite", "exit_code": 3})
    assert exit_code_in_words(3, f"one\n{line}\nSegmentation fault") == "exit code 3: l1-n2: the loss is not finite"
    assert exit_code_in_words(1, f"{line}\ncut off") == "exit code 1: anything unexpected"
    assert exit_code_in_words(3, '{"exit_code": 3, "mess').startswith("exit code 3: retrying cannot")


def test_a_job_that_is_about_to_fail_says_why():
    condition = {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
    assert why_job_failed({"status": {"conditions": [condition]}}).text == "DeadlineExceeded: too long"
    assert why_job_failed({"status": {}}) is None


def test_a_suspended_job_says_what_its_queue_waits_for():
    assert why_suspended(None).text == "the Job is suspended"
    told = {name: why_suspended(workload) for name, workload in WORKLOADS.items()}
    assert "insufficient" in told["waits for quota"].text
    assert told["waits for quota"].reason == "Pending"
    assert told["waits for quota"].text.startswith("waiting for quota in the queue: couldn't assign flavors")
    held = {
        "type": "QuotaReserved",
        "status": "False",
        "reason": "Pending",
        "message": "The ClusterQueue is stopped",
    }
    assert (
        why_suspended({"status": {"conditions": [held]}}).text
        == "waiting for its queue: The ClusterQueue is stopped"
    )
    evicted = {
        "type": "Evicted",
        "status": "True",
        "reason": "Deactivated",
        "message": "The workload is deactivated",
    }
    quota = {**held, "message": evicted["message"]}
    told_of = why_suspended({"spec": {"active": False}, "status": {"conditions": [quota, evicted]}})
    assert told_of.reason == "Deactivated"
    assert told_of.text == "Kueue does not start it: The workload is deactivated (its spec.active is false)"
    assert told["no such queue"].text == "waiting for its queue: LocalQueue nope doesn't exist"
