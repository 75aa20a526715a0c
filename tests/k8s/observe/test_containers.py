"""The program's container is found by its name, wherever a cluster puts its sidecars."""

import copy
import json
from pathlib import Path

import pytest

from job.errors import ConfigError
from k8s.observe.causes import log_tail, why_failed
from k8s.observe.containers import find_program_container
from k8s.observe.state import parse_pod, termination_message

PODS = json.loads(Path(__file__).with_name("pods.json").read_text())
RUNS = {"running": {"startedAt": "2020-01-01T00:00:00Z"}}
FAILED = {"terminated": {"exitCode": 2, "reason": "Error", "message": "proxy", "startedAt": "2020-01-01T00:00:00Z"}}


def with_sidecar(name, state, kind="containerStatuses"):
    """Return a pod of the real cluster's, to which a sidecar is added that comes first."""
    pod = copy.deepcopy(PODS[name])
    pod["spec"]["containers"].insert(0, {"name": "proxy", "image": "proxy"})
    pod["status"].setdefault(kind, []).insert(0, {"name": "proxy", "state": state})
    return pod


@pytest.mark.parametrize("kind", ["initContainerStatuses", "containerStatuses"])
@pytest.mark.parametrize("name", ["exit code 1", "exit code 3", "out of memory", "evicted", "no such command"])
def test_a_pod_failed_for_what_the_trial_says_even_if_its_sidecar_failed_too(name, kind):
    pod = with_sidecar(name, FAILED, kind)
    assert why_failed(pod) == why_failed(PODS[name])
    assert log_tail(pod) == log_tail(PODS[name])


def test_of_a_sidecar_that_alone_failed_its_own_name_and_words_are_shown():
    pod = with_sidecar("exit code 1", FAILED)
    del pod["status"]["containerStatuses"][1]
    cause = why_failed(pod)
    assert (cause.text, cause.exit_code) == ("the container proxy ended with exit code 2: proxy", 2)


def test_a_trial_has_been_running_since_its_own_container_started():
    assert parse_pod(with_sidecar("running", RUNS)).since == parse_pod(PODS["running"]).since
    assert parse_pod(with_sidecar("starting", RUNS)).phase == "pending"


def test_the_termination_message_is_the_trials():
    assert (
        termination_message(with_sidecar("exit code 1", FAILED)) == termination_message(PODS["exit code 1"]) != ""
    )


@pytest.mark.parametrize("name", ["trial", "driver", "retraining"])
def test_the_containers_of_the_chart_are_found_behind_a_sidecar(name):
    assert find_program_container({"containers": [{"name": "proxy"}, {"name": name}]}) == {"name": name}


def test_a_pod_without_the_program_is_refused():
    with pytest.raises(ConfigError, match="none of the pod's containers is named trial, driver, retraining"):
        find_program_container({"containers": [{"name": "proxy"}]})
