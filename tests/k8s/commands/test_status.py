"""A release's trials: pending and why, running, done with its median, failed and why; once, as JSON, and live."""

import json
import re
import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from jobs import FAIL_INDEX, WAITS, create, finished_run, kubectl, let_go, sweep_job, wait_for

from job.cli.main import cli

MIXED = """
case $JOB_COMPLETION_INDEX in
0) exit 0 ;;
1) exit 3 ;;
3) exit 1 ;;
esac
sleep 600
"""
"""Two at a time: one is done, one has failed for good, one runs, one is tried again and again, one waits."""


@pytest.fixture
def look(xor_sweep):
    """The status of a release as JSON: its trials by their names, looked at until they are as they should be."""

    def until(release, is_so, *words, **env):
        def seen():
            said = xor_sweep("status", release, "--format", "json", *words, **env)
            assert said.code == 0, said.err
            shown = json.loads(said.out)
            trials = {trial["trial"]: trial for trial in shown["trials"]}
            return is_so(trials) and (shown, trials)

        return wait_for(seen)

    return until


@pytest.fixture(scope="module")
def mixed(namespace, tmp_path_factory):
    """The output of a release "mixed" that goes on: its trials are in all states there are."""
    objects = sweep_job(
        *("mixed", MIXED),
        neurons=[1, 2, 3, 4, 5],
        parallelism=2,
        backoffLimitPerIndex=100,
        podFailurePolicy=FAIL_INDEX,
    )
    create(namespace, objects)
    output = tmp_path_factory.mktemp("mixed")
    finished_run(output, "mixed-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1"})
    yield output
    kubectl("delete", "job", "mixed-r1", "-n", namespace, "--wait=false")


def is_mixed(trials):
    states = [trial["state"] for trial in trials.values()]
    return states == ["done", "failed", "running", "pending", "pending"] and trials["l1-n4"]["reason"] == "ExitCode"


def test_the_json_has_every_trial_with_all_that_is_known_of_it(mixed, look, namespace):
    seen, trials = look("mixed", is_mixed, "--output", mixed)
    assert {name: seen[name] for name in ("release", "run", "namespace", "outcome", "why", "ended")} == {
        "release": "mixed",
        "run": "mixed-r1",
        "namespace": namespace,
        "outcome": None,
        "why": None,
        "ended": None,
    }
    assert seen["counts"] == {"pending": 2, "running": 1, "done": 1, "failed": 1}
    assert [trial["index"] for trial in trials.values()] == [0, 1, 2, 3, 4]
    done, failed, running, again, turn = trials.values()
    assert (done["median"], done["median_low"], done["median_high"]) == (10, 9, None)
    assert (failed["reason"], failed["exit_code"]) == ("ExitCode", 3)
    assert re.fullmatch(r"mixed-r1-2-\w{5}", running["pod"])
    assert running["since"] > seen["started"]
    tried = f"will be retried after attempt {again['attempt']}: exit code 1: anything unexpected"
    assert (again["reason"], again["exit_code"], again["why"]) == ("ExitCode", 1, tried)
    assert (turn["reason"], turn["why"]) == ("Turn", "waiting for its turn (2 pods at a time)")


def test_the_table_has_a_line_for_each_trial_below_a_headline(mixed, look, xor_sweep):
    look("mixed", is_mixed, "--output", mixed)
    headline, *lines = xor_sweep("status", "mixed", "--output", mixed).out.splitlines()
    assert re.fullmatch(r"mixed-r1: 1 failed, 1 done, [12] running, [12] pending of 5 trials", headline)
    patterns = [
        r"l1-n1  done     median 10 \(95% interval 9 to >100\)",
        r"l1-n2  failed   exit code 3: \w.*",
        r"l1-n3  running  since \S+Z \((\d+ min )?\d+ s\)",
        r"l1-n4  (pending|running)  .*",
        r"l1-n5  pending  waiting for its turn \(2 pods at a time\)",
    ]
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


@pytest.mark.usefixtures("mixed")
def test_what_cannot_be_read_from_here_is_said_once_and_the_rest_is_shown(look, xor_sweep):
    _, trials = look("mixed", is_mixed)
    assert trials["l1-n1"] == {"trial": "l1-n1", "index": 0, "state": "done"}
    _, first, *_, last = xor_sweep("status", "mixed").out.splitlines()
    assert first == "l1-n1  done"
    assert last.startswith(
        "Some medians are missing: the sweep's output /output can be reached only from its pods: "
    )


TELLING = """
[ "$JOB_COMPLETION_INDEX" = 2 ] && sleep 600
[ "$JOB_COMPLETION_INDEX" = 1 ] && exit 0
echo '{"l1-n1": {"median": 48, "median_low": 44, "median_high": null, "share_solved": 0.75}}' > /dev/termination-log
"""


def test_where_the_run_is_on_a_volume_its_pods_tell_their_results(look, xor_sweep, namespace):
    create(namespace, sweep_job("telling", TELLING, neurons=[1, 2, 3]))
    shown, trials = look(
        "telling", lambda trials: [t["state"] for t in trials.values()] == ["done", "done", "running"]
    )
    numbers = {"median": 48, "median_low": 44, "median_high": None, "share_solved": 0.75}
    assert trials["l1-n1"] == {"trial": "l1-n1", "index": 0, "state": "done", **numbers}
    assert trials["l1-n2"] == {"trial": "l1-n2", "index": 1, "state": "done"}
    assert "can be reached only from its pods" in shown["results"]
    _, first, second, _, last = xor_sweep("status", "telling").out.splitlines()
    assert first == "l1-n1  done     median 48 (95% interval 44 to >100)"
    assert second == "l1-n2  done"
    assert last.startswith("Some medians are missing: ")
    kubectl("delete", "job", "telling-r1", "-n", namespace, "--wait=false")


def test_where_the_bucket_is_out_of_reach_the_pods_tell_their_results(look, xor_sweep, namespace):
    with socket.create_server(("127.0.0.1", 0)) as free:
        away = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{free.getsockname()[1]}"}
    create(namespace, sweep_job("remote", TELLING, neurons=[1, 2], settings={"output": "gs://bucket/prefix"}))
    look("remote", lambda trials: {t["state"] for t in trials.values()} == {"done"}, **away)
    _, first, *_, last = xor_sweep("status", "remote", **away).out.splitlines()
    assert first == "l1-n1  done     median 48 (95% interval 44 to >100)"
    assert last.startswith("Some medians are missing: gs://bucket is not available")


ONE_POD = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "one-pod"},
    "spec": {"hard": {"pods": "1"}, "scopes": ["Terminating"]},
}
"""Of the pods that have a deadline, one at a time."""


@pytest.fixture(scope="module")
def waiting(namespace):
    """Releases of which nothing can run."""
    for objects in (
        sweep_job("stuck", "exit 0", neurons=[1], pod={"nodeSelector": {"no-such": "label"}}),
        sweep_job("forbidden", "exit 0", neurons=[1], container={"securityContext": {}}),
        sweep_job("suspended", "exit 0", neurons=[1], suspend=True),
        sweep_job("unpulled-yet", "exit 0", neurons=[1], container={"image": "localhost/nothing:here"}),
        sweep_job("none-at-a-time", "exit 0", neurons=[1], parallelism=0),
        [ONE_POD],
        sweep_job("half-in", "sleep 300", neurons=[2, 1], pod={"activeDeadlineSeconds": 600}),
    ):
        create(namespace, objects)
    yield
    kubectl("delete", "resourcequota", "one-pod", "-n", namespace)
    for release in ("stuck", "forbidden", "suspended", "unpulled-yet", "none-at-a-time", "half-in"):
        kubectl("delete", "job", f"{release}-r1", "-n", namespace, "--wait=false")


@pytest.mark.parametrize(
    ("release", "reasons", "words"),
    [
        ("stuck", {"Unschedulable"}, "didn't match Pod's node affinity/selector"),
        ("forbidden", {"FailedCreate"}, 'violates PodSecurity "restricted:latest"'),
        ("suspended", {"Suspended"}, "the Job is suspended"),
        ("none-at-a-time", {"Parallelism"}, "no pods start: parallelism is 0"),
        ("half-in", {"FailedCreate"}, "exceeded quota: one-pod"),
        ("unpulled-yet", {"ErrImagePull", "ImagePullBackOff"}, "localhost/nothing:here"),
    ],
)
@pytest.mark.usefixtures("waiting")
def test_what_waits_says_for_what(look, release, reasons, words):
    _, trials = look(release, lambda trials: trials["l1-n1"].get("reason") in reasons)
    assert trials["l1-n1"]["state"] == "pending"
    assert words in trials["l1-n1"]["why"]


@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.usefixtures("waiting")
def test_on_a_narrow_terminal_a_long_reason_is_cut_and_never_the_name_or_the_state(on_a_terminal, columns):
    live = on_a_terminal("status", "stuck", columns=columns)
    live.wait_until("l1-n1  ")
    live.wait_until("Unschedulable: 0/")
    live.process.terminate()
    line = next(line for line in live.end()[1].splitlines() if "Unschedulable" in line)
    shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line).strip()
    assert shown.startswith("l1-n1  pending  Unschedulable: 0/")
    assert len(shown) <= columns


@pytest.mark.usefixtures("waiting")
def test_what_the_job_as_a_whole_waits_for_is_in_the_headline(look, xor_sweep):
    seen, _ = look("forbidden", lambda trials: trials["l1-n1"]["reason"] == "FailedCreate")
    assert 'violates PodSecurity "restricted:latest"' in seen["why"]
    headline = xor_sweep("status", "forbidden").out.splitlines()[0]
    assert headline.startswith("forbidden-r1: 1 pending of 1 trials; Error creating: pods ")


def test_after_the_end_each_trial_that_failed_says_why(zoo, xor_sweep):
    seen = json.loads(xor_sweep("status", "zoo", "--format", "json", "--output", zoo.output).out)
    assert seen["outcome"] == "Failed"
    assert seen["ended"] > seen["started"]
    # To the cluster a pod that ended well is done; the driver's summary says that there is no result.
    assert seen["counts"] == {"pending": 0, "running": 0, "done": 2, "failed": 6}
    trials = {trial["trial"]: trial for trial in seen["trials"]}
    reasons = ["ExitCode", "ExitCode", "OOMKilled", "Evicted", "DeadlineExceeded", "ExitCode"]
    assert [trials[f"l1-n{n}"]["reason"] for n in range(3, 9)] == reasons
    headline, *lines = xor_sweep("status", "zoo", "--output", zoo.output).out.splitlines()
    assert headline.startswith("zoo-r1: 6 failed, 2 done of 8 trials; its Job is Failed (DeadlineExceeded: ")
    assert lines[4] == "l1-n5  failed   OOMKilled: it needs more memory than its limit of 64Mi"


def test_of_pods_that_are_gone_the_drivers_summary_says_why_they_failed(gone, xor_sweep):
    seen = json.loads(xor_sweep("status", "gone", "--format", "json", "--output", gone.output).out)
    done, failed = seen["trials"]
    assert (done["state"], done["median"]) == ("done", 10)
    assert (failed["state"], failed["reason"], failed["exit_code"]) == ("failed", "ExitCode", 3)
    assert "retrying cannot help" in failed["why"]
    [_, _, line, *_] = xor_sweep("status", "gone").out.splitlines()
    assert line == "l1-n2  failed   its pod is gone, and nothing shows why it failed"


def test_of_several_trials_in_a_pod_those_with_a_result_are_done(namespace, tmp_path, look):
    settings = {"trials_per_pod": 2}
    objects = sweep_job("shared", "sleep 600", neurons=[1, 2, 3, 4], settings=settings, parallelism=1)
    create(namespace, objects)
    finished_run(tmp_path, "shared-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1"})
    states = ["done", "running", "pending", "pending"]
    look("shared", lambda trials: [trial["state"] for trial in trials.values()] == states, "--output", tmp_path)
    kubectl("delete", "job", "shared-r1", "-n", namespace, "--wait=false")


def test_a_damaged_result_is_told_and_the_states_are_shown_all_the_same(namespace, tmp_path, xor_sweep, look):
    objects = sweep_job("damaged", "exit 0", neurons=[1, 2])
    create(namespace, objects)
    finished_run(tmp_path, "damaged-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1", "l1-n2"})
    result = tmp_path / "runs/damaged-r1/trials/l1-n1/result.json"
    result.write_text("{")
    (tmp_path / "runs/damaged-r1/report").mkdir()
    (tmp_path / "runs/damaged-r1/report/summary.json").write_text("{")
    look("damaged", lambda trials: {trial["state"] for trial in trials.values()} == {"done"}, "--output", tmp_path)
    said = xor_sweep("status", "damaged", "--output", tmp_path)
    assert said.code == 0
    _, first, second, last = said.out.splitlines()
    assert first == "l1-n1  done"
    assert second == "l1-n2  done     median 20 (95% interval 19 to >100)"
    assert str(result) in last


def last_frame(sent):
    """Return the lines that the terminal shows in the end: what came after its lines were last erased."""
    *_, frame = re.split(r"(?:\x1b\[1A\x1b\[2K)+", sent)
    return [line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", frame).splitlines()]


def test_on_a_terminal_the_table_goes_on_until_the_job_has_ended(namespace, tmp_path, on_a_terminal):
    script = f'{WAITS}; exit "$((JOB_COMPLETION_INDEX * 3))"'
    objects = sweep_job("brief", script, neurons=[1, 2], podFailurePolicy=FAIL_INDEX)
    create(namespace, objects)
    finished_run(tmp_path, "brief-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1"})
    live = on_a_terminal("status", "brief", "--output", tmp_path)
    live.wait_until("2 running of 2 trials")
    let_go(namespace, "brief-r1", 0)
    live.wait_until("1 done, 1 running of 2 trials")
    let_go(namespace, "brief-r1", 1)
    code, sent = live.end()
    assert code == 0
    headline, first, second = last_frame(sent)
    assert headline.startswith("brief-r1: 1 failed, 1 done of 2 trials; its Job is Failed (FailedIndexes: ")
    assert first == "l1-n1  done    median 10 (95% interval 9 to >100)"
    assert second.startswith("l1-n2  failed  exit code 3: ")
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h")  # The cursor is there again.


@pytest.mark.usefixtures("waiting")
def test_once_shows_the_same_on_a_terminal_and_ends(on_a_terminal, look):
    look("suspended", lambda trials: trials["l1-n1"]["reason"] == "Suspended")
    code, sent = on_a_terminal("status", "suspended", "--once").end()
    assert code == 0
    assert sent.splitlines()[0] == "suspended-r1: 1 pending of 1 trials; the Job is suspended"


def test_a_low_terminal_shows_what_matters_most_and_how_many_more_there_are(namespace, tmp_path, on_a_terminal):
    settings = {"trials_per_pod": 30}
    objects = sweep_job("long", 'exit "$((JOB_COMPLETION_INDEX * 3))"', neurons=[*range(1, 61)], settings=settings)
    create(namespace, objects)
    code, sent = on_a_terminal("status", "long", "--output", tmp_path).end()
    lines = last_frame(sent)
    assert code == 0
    assert lines[-1] == "and 25 more (--once shows all)"
    assert sum("failed" in line for line in lines[1:]) == 30
    assert len(lines) <= 40


def test_the_live_table_says_that_the_cluster_is_away_and_goes_on_when_it_is_back(
    namespace, proxy, tmp_path, on_a_terminal
):
    create(namespace, sweep_job("broken", WAITS, neurons=[1]))
    live = on_a_terminal("status", "broken", "--output", tmp_path, "--kubeconfig", proxy.kubeconfig)
    live.wait_until("1 running of 1 trials")
    proxy.close(proxy.listener)
    proxy.cut()
    live.wait_until("does not answer")
    let_go(namespace, "broken-r1", 0)
    proxy.listen(proxy.port)
    code, sent = live.end()
    assert code == 0
    assert last_frame(sent) == ["broken-r1: 1 done of 1 trials; its Job is Complete", "l1-n1  done"]


@pytest.fixture(scope="module")
def ten_thousand(namespace, cluster):
    """A Job of 10,000 indexes, 1,500 of them with a pod; its status is ours to write: no controller has it."""
    spec = {"managedBy": "tests/nobody", "parallelism": 1500, "backoffLimitPerIndex": 3}
    neurons, layers = [*range(1, 101)], [*range(1, 101)]
    objects = sweep_job("vast", "exit 0", neurons=neurons, settings={"layers": layers}, **spec)
    create(namespace, objects)
    status = {
        "startTime": "2026-01-01T00:00:00Z",
        "active": 1500,
        "completedIndexes": "0-7999",
        "failedIndexes": "8000-8499",
    }
    patch = json.dumps({"status": status})
    kubectl("patch", "job", "vast-r1", "-n", namespace, "--subresource=status", "--type=merge", "--patch", patch)
    template = objects[1]["spec"]["template"]["spec"] | {"schedulerName": "nobody"}

    def make(index):
        labels = {
            "batch.kubernetes.io/job-name": "vast-r1",
            "batch.kubernetes.io/job-completion-index": str(index),
        }
        about = {"name": f"vast-r1-{index}", "labels": labels}
        cluster.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": template})

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(make, range(8500, 10_000)))
    yield "vast"
    kubectl("delete", "job", "vast-r1", "-n", namespace, "--wait=false")


@pytest.mark.parametrize("table_format", ["table", "json"])
def test_ten_thousand_indexes_are_shown_page_by_page(ten_thousand, cluster, environment, table_format):
    words = ["status", ten_thousand, "--format", table_format]
    runner = CliRunner(env=environment)
    runner.invoke(cli, words)  # What is imported and cached stays.
    tracemalloc.start()
    all_pods = list(cluster.list_objects("pods", labels="batch.kubernetes.io/job-name=vast-r1"))
    whole = tracemalloc.get_traced_memory()[1]
    assert len(all_pods) == 1500
    all_pods.clear()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    said = runner.invoke(cli, words)
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert said.exit_code == 0, said.output
    if table_format == "json":
        counts = json.loads(said.output)["counts"]
        assert counts == {"pending": 1500, "running": 0, "done": 8000, "failed": 500}
        assert len(json.loads(said.output)["trials"]) == 10_000
    else:
        assert len(said.output.splitlines()) == 10_002
    assert most < 0.9 * whole, f"at most {most} bytes; all pods at once take {whole}"
