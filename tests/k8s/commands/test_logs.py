"""The log of a trial: by name and index, followed, of its last attempt, and when its pods are gone."""

import json

import pytest
from jobs import (
    WAITS,
    create,
    finished_run,
    kubectl,
    let_go,
    pod_of,
    sweep_job,
    wait_for,
    wait_for_end,
    wait_until_ready,
)


@pytest.mark.parametrize("trial", ["l1-n3", "2"])
@pytest.mark.usefixtures("zoo")
def test_a_trial_is_given_by_its_name_or_its_index(xor_sweep, trial):
    first, second = xor_sweep("logs", "zoo", trial).out.splitlines()
    assert first == "index 2 begins"
    assert json.loads(second)["message"] == "boom"
    assert xor_sweep("logs", "zoo", trial, "--log-format", "text").out.splitlines() == [first, "boom"]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["zoo", "l1-n33"], 2, "the grid has no trial 'l1-n33'; did you mean 'l1-n3'?"),
        (["zoo", "xyz"], 2, "the grid has no trial 'xyz'; its trials are l1-n1 to l1-n8"),
        (["zoo", "8"], 2, "8 is not in the grid: give a whole number from 0 to 7, or a trial's name"),
        (["zooo", "l1-n3"], 2, "there is no release 'zooo' in the namespace "),
        (["zoo"], 2, "Missing argument 'TRIAL'."),
    ],
)
@pytest.mark.usefixtures("zoo")
def test_a_trial_that_is_not_there_is_refused_with_what_would_be(xor_sweep, words, code, line):
    said = xor_sweep("logs", *words)
    assert (said.code, said.out) == (code, "")
    assert said.error.startswith(line)


def test_of_a_pod_that_is_gone_the_stored_log_is_shown(gone, xor_sweep):
    said = xor_sweep("logs", "gone", "l1-n1", "--output", gone.output)
    assert [line["message"] for line in said.log] == ["l1-n1: kept"]
    assert said.err == "l1-n1 no longer has a pod; this is the log that the run has stored\n"
    assert xor_sweep("logs", "gone", "l1-n1", "-f", "--output", gone.output).out == said.out


def test_of_a_pod_that_is_gone_without_a_stored_log_it_says_where_it_looked(gone, xor_sweep):
    said = xor_sweep("logs", "gone", "l1-n2", "--output", gone.output)
    assert (said.code, said.out) == (1, "")
    assert said.error == f"l1-n2 no longer has a pod, and {gone.output}/runs/gone-r1 has no log of it"
    said = xor_sweep("logs", "gone", "l1-n1")
    assert said.code == 2
    assert said.error.startswith("the sweep's output /output can be reached only from its pods")


def test_of_a_pod_whose_container_was_removed_the_stored_log_is_shown(namespace, xor_sweep, tmp_path):
    # What the kubelet says instead of the log; only the node's administrator could make it say so here.
    objects = sweep_job("swept", "echo unable to retrieve container logs for containerd://0", neurons=[1])
    create(namespace, objects)
    wait_for_end(namespace, "swept-r1")
    for follow in ((), ("-f",)):
        said = xor_sweep("logs", "swept", "l1-n1", "--output", tmp_path, *follow)
        assert (said.code, said.out) == (1, "")
        assert said.error.startswith("l1-n1 has a pod whose log the cluster has removed, and ")
    finished_run(tmp_path, "swept-r1", json.loads(objects[0]["data"]["sweep.yaml"]), ["l1-n1"])
    for follow in ((), ("-f",)):
        said = xor_sweep("logs", "swept", "l1-n1", "--output", tmp_path, *follow)
        assert [line["message"] for line in said.log] == ["l1-n1: kept"]
        assert (
            said.err
            == "l1-n1 has a pod whose log the cluster has removed; this is the log that the run has stored\n"
        )


@pytest.mark.usefixtures("gone")
def test_an_attempt_that_died_half_way_may_have_stored_its_log(xor_sweep, tmp_path):
    for attempt, time in (
        ("b", "2026-01-01T00:00:01Z"),
        ("a", "2026-01-01T00:00:02Z"),
        ("c", "2026-01-01T00:00:00Z"),
    ):
        path = tmp_path / f"runs/gone-r1/trials/l1-n2/{attempt}/log.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"message": f"attempt {attempt}", "time": time}))
    assert xor_sweep("logs", "gone", "l1-n2", "--output", tmp_path).log[0]["message"] == "attempt a"


def test_of_a_pod_with_several_trials_only_the_lines_of_the_one_are_shown(namespace, xor_sweep):
    lines = [{"message": "begins"}, {"message": "one", "trial": "l1-n1"}, {"message": "two", "trial": "l1-n2"}]
    script = "; ".join(f"echo '{json.dumps(line)}'" for line in lines)
    create(namespace, sweep_job("both", script, neurons=[1, 2], settings={"trials_per_pod": 2}))
    wait_for_end(namespace, "both-r1")
    for trial, word in (("l1-n1", "one"), ("l1-n2", "two"), ("1", "two")):
        assert [line["message"] for line in xor_sweep("logs", "both", trial).log] == ["begins", word]


COUNTS = f"echo begins; {WAITS}; n=0; while [ $n -lt 30 ]; do n=$((n + 1)); echo $n; sleep 0.1; done; echo ends"


def test_a_trial_is_followed_from_before_it_begins_to_its_end_through_broken_connections(
    namespace, xor_sweep, start, proxy
):
    create(namespace, sweep_job("followed", COUNTS, neurons=[1], suspend=True))
    said = xor_sweep("logs", "followed", "l1-n1")
    assert (said.code, said.error) == (1, "l1-n1 is pending: the Job is suspended (--follow waits for it)")
    follow = start("logs", "followed", "l1-n1", "-f", KUBECONFIG=str(proxy.kubeconfig))
    follow.wait_until(lambda: any("is pending: the Job is suspended" in line for line in follow.err))
    kubectl(
        "patch", "job", "followed-r1", "-n", namespace, "--type=merge", "--patch", '{"spec": {"suspend": false}}'
    )
    follow.wait_until(lambda: follow.has_said("begins"))
    let_go(namespace, "followed-r1", 0)
    for words in ("5", "15"):
        follow.wait_until(lambda words=words: f"{words}\n" in follow.out)
        proxy.cut()
    said = follow.end(timeout=60)
    assert said.code == 0, said.err
    assert said.out.split() == ["begins", *map(str, range(1, 31)), "ends"]


COUNT = {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-index-failure-count']"}
FAILURES = {"name": "FAILURES", "valueFrom": {"fieldRef": COUNT}}


def test_a_trial_is_followed_through_its_attempts(namespace, start):
    script = f"echo failures before: $FAILURES; {WAITS}; exit $((1 - FAILURES))"
    create(
        namespace, sweep_job("again", script, neurons=[1], container={"env": [FAILURES]}, backoffLimitPerIndex=1)
    )
    follow = start("logs", "again", "l1-n1", "-f")
    for failures in (0, 1):
        follow.wait_until(lambda failures=failures: follow.has_said(f"failures before: {failures}"))
        let_go(namespace, "again-r1", 0)
    said = follow.end(timeout=60)
    assert (said.code, said.out) == (0, "failures before: 0\nfailures before: 1\n")
    assert "is pending: will be retried after attempt 1: exit code 1: anything unexpected" in said.err


def test_until_the_next_attempt_begins_the_last_one_is_shown(namespace, xor_sweep):
    needed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "needed"}, "data": {"word": "hello"}}
    word = {"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "needed", "key": "word"}}}
    container, script = {"env": [word]}, f"echo begins; {WAITS}; exit 1"
    create(
        namespace,
        [needed, *sweep_job("once", script, neurons=[1], container=container, backoffLimitPerIndex=1)],
    )
    first = wait_until_ready(namespace, "once-r1", 0)
    kubectl("delete", "configmap", "needed", "-n", namespace)
    let_go(namespace, "once-r1", 0)
    wait_for(lambda: pod_of(namespace, "once-r1", 0) != first)
    said = wait_for(lambda: (said := xor_sweep("logs", "once", "l1-n1")).err.count("CreateContainer") and said)
    assert (said.code, said.out) == (0, "begins\n")
    assert said.err.startswith("attempt 2 is pending: CreateContainerConfigError: ")
    assert said.err.endswith("; this is attempt 1\n")
    kubectl("delete", "job", "once-r1", "-n", namespace, "--wait=false")


def test_who_follows_a_trial_whose_job_is_deleted_is_told(namespace, start):
    create(namespace, sweep_job("taken", "echo begins; sleep 300", neurons=[1]))
    follow = start("logs", "taken", "l1-n1", "-f")
    follow.wait_until(lambda: follow.has_said("begins"))
    kubectl("delete", "job", "taken-r1", "-n", namespace, "--wait=false")
    said = follow.end(timeout=60)
    assert (said.code, said.out) == (1, "begins\n")
    assert "the Job taken-r1 was deleted, and l1-n1 with it" in said.err


def test_following_what_has_failed_for_good_while_others_go_on_ends_at_once(namespace, start):
    script = f'[ "$JOB_COMPLETION_INDEX" = 0 ] && echo no && exit 3; {WAITS}'
    policy = {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}}]}
    create(namespace, sweep_job("half", script, neurons=[1, 2], podFailurePolicy=policy))
    follow = start("logs", "half", "l1-n1", "-f")
    said = follow.end(timeout=60)
    assert (said.code, said.out) == (0, "no\n")
    kubectl("delete", "pod", pod_of(namespace, "half-r1", 0), "-n", namespace)
    said = start("logs", "half", "l1-n1", "-f").end(timeout=60)
    assert said.code == 2  # Its log is gone, too.
    kubectl("delete", "job", "half-r1", "-n", namespace, "--wait=false")


def test_a_sidecar_that_comes_first_is_not_taken_for_the_trial(namespace, xor_sweep, tmp_path):
    talks = "echo of the sidecar; exit 2"
    create(namespace, sweep_job("beside", "echo of the trial; sleep 1; exit 3", neurons=[1], sidecar=talks))
    wait_for_end(namespace, "beside-r1")
    assert xor_sweep("logs", "beside", "l1-n1").out == "of the trial\n"
    assert xor_sweep("logs", "beside", "l1-n1", "-f").out == "of the trial\n"
    run = finished_run(tmp_path, "beside-r1", {"layers": [1], "neurons": [1], "replicates": 30, "epochs": 100}, ())
    assert xor_sweep("driver", "beside", "--output", tmp_path).code == 0
    [failed] = run.failures().values()
    assert (failed.exit_code, failed.log) == (3, ("of the trial",))
