"""A namespace on the cluster that KUBECONFIG names; without one, these tests are skipped."""

import json
import os
import shutil
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from jobs import WAITS, Proxy, create, finished_run, kubectl, let_go, sweep_job, wait_until_ready
from programs import ENVIRONMENT, OnATerminal, Running, run_program

from job.errors import SweepError
from k8s.api.connect import connect


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory):
    """A kubeconfig of the cluster, as a file with one context."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG is not set: these tests talk to a real cluster")
    if not shutil.which("kubectl"):
        pytest.skip("there is no kubectl: these tests talk to a real cluster")
    try:
        connect(os.environ["KUBECONFIG"]).read("configmaps", "kube-root-ca.crt")
    except SweepError as error:
        pytest.skip(f"no cluster: {error}")
    path = tmp_path_factory.mktemp("kubeconfig") / "config"
    path.write_text(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    return path


@pytest.fixture(scope="session")
def namespace(kubeconfig):  # noqa: ARG001
    """An empty namespace that enforces the restricted Pod Security Standard; gone when the tests end."""
    name = f"xor-sweep-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    about = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    kubectl("create", "-f", "-", content=about)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def cluster(kubeconfig, namespace):
    return connect(str(kubeconfig), namespace=namespace)


@pytest.fixture(scope="session")
def environment(kubeconfig, namespace):
    """What makes the program find the namespace."""
    return {"KUBECONFIG": str(kubeconfig), "XOR_SWEEP_NAMESPACE": namespace}


@pytest.fixture
def xor_sweep(tmp_path, environment):
    """The program as a process; returns when it has ended."""

    def run(*words, **more):
        return run_program(*map(str, words), cwd=tmp_path, env={**environment, **more})

    return run


@pytest.fixture
def start(tmp_path, environment):
    """The program as a process that goes on."""
    started = []

    def begin(*words, **more):
        started.append(Running(*map(str, words), cwd=tmp_path, env={**environment, **more}))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


@pytest.fixture
def on_a_terminal(tmp_path, environment, monkeypatch):
    """The program on a terminal, where it goes on."""
    for name, value in environment.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)
    started = []

    def begin(*words, columns=140):
        started.append(OnATerminal(*map(str, words), cwd=tmp_path, columns=columns))
        return started[-1]

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


@pytest.fixture
def proxy(kubeconfig, tmp_path):
    """A proxy to the API server, and a kubeconfig that leads through it."""
    settings = json.loads(kubeconfig.read_text())
    server = settings["clusters"][0]["cluster"]
    url = urllib.parse.urlsplit(server["server"])
    proxy = Proxy(url.hostname, url.port or 443)
    server |= {"server": f"https://127.0.0.1:{proxy.port}", "tls-server-name": url.hostname}
    proxy.kubeconfig = tmp_path / "through-the-proxy"
    proxy.kubeconfig.write_text(json.dumps(settings))
    yield proxy
    proxy.close(proxy.listener)
    proxy.cut()


@pytest.fixture(scope="session")
def account(kubeconfig, namespace, tmp_path_factory):
    """A service account with these rights in the namespace; gives a kubeconfig with its token."""

    def make(name, rules):
        group = "rbac.authorization.k8s.io"
        role = {"apiGroup": group, "kind": "Role", "name": name}
        objects = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": name},
                "roleRef": role,
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
            },
        ]
        create(namespace, objects)
        settings = json.loads(kubeconfig.read_text())
        settings["users"][0]["user"] = {"token": kubectl("create", "token", name, "-n", namespace).strip()}
        path = tmp_path_factory.mktemp(name) / "config"
        path.write_text(json.dumps(settings))
        return path

    return make


@pytest.fixture(scope="session")
def told():
    """Read what the program wrote to its standard error: one JSON object a line."""
    return lambda text: [json.loads(line)["message"] for line in text.splitlines()]


ZOO = """
echo "index $JOB_COMPLETION_INDEX begins"
case $JOB_COMPLETION_INDEX in
0|1) exit 0 ;;
2) echo '{"severity": "ERROR", "message": "boom", "exit_code": 1}'; exit 1 ;;
3) exit 3 ;;
4) exec python3 -c "x = b'1' * 500_000_000" ;;
5) head -c 60000000 /dev/zero > /tmp/big; sleep 300 ;;
6) trap 'echo stopping; exit 143' TERM; sleep 300 & wait ;;
7) exit 139 ;;
esac
"""
"""One way to end for each index: the first two succeed, and only the first of them has a result."""


@pytest.fixture(scope="session")
def zoo(namespace, environment, tmp_path_factory):
    """A release of eight trials that end in eight ways, and the driver that watched it; its output is `output`."""
    output = tmp_path_factory.mktemp("zoo")
    neurons = [1, 2, 3, 4, 5, 6, 7, 8]
    limits = {"limits": {"memory": "64Mi", "ephemeral-storage": "20Mi"}, "requests": {"cpu": "5m", "memory": "8Mi"}}
    # As in the chart: of an evicted pod, the kubelet may have no log any more.
    container = {"resources": limits, "terminationMessagePolicy": "FallbackToLogsOnError"}
    objects = sweep_job("zoo", ZOO, neurons=neurons, container=container, activeDeadlineSeconds=30)
    create(namespace, objects)
    settings = json.loads(objects[0]["data"]["sweep.yaml"])
    run = finished_run(output, "zoo-r1", settings, {"l1-n1"})
    driver = run_program("driver", "zoo", "--output", str(output), cwd=output, env=environment)
    return SimpleNamespace(output=output, run=run, driver=driver, namespace=namespace)


STUCK = f'[ "$JOB_COMPLETION_INDEX" = 0 ] && {{ {WAITS}; exit 2; }}; sleep 300'


@pytest.fixture(scope="session")
def other_ends(namespace, environment, tmp_path_factory):
    """Drivers of releases that ended otherwise, all at once; gives each one's summary and program."""
    unschedulable = {"nodeSelector": {"no-such": "label"}}
    fail_job = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}}]}
    releases = {
        "nowhere": sweep_job("nowhere", "exit 0", neurons=[1], pod=unschedulable),
        "unpulled": sweep_job(
            *("unpulled", "exit 0"),
            neurons=[1],
            container={"image": "localhost/nothing:here", "imagePullPolicy": "Never"},
        ),
        "wrong": sweep_job("wrong", STUCK, neurons=[1, 2, 3], parallelism=2, podFailurePolicy=fail_job),
        "retried": sweep_job("retried", "echo alas; exit 1", neurons=[1], backoffLimitPerIndex=1),
    }
    ended = {}

    def drive(release):
        output = tmp_path_factory.mktemp(release)
        program = Running("driver", release, "--output", str(output), cwd=output, env=environment)
        if release == "wrong":
            wait_until_ready(namespace, "wrong-r1", 1)
            program.wait_until(lambda: program.has_said("watching"))
            let_go(namespace, "wrong-r1", 0)
        elif release != "retried":
            program.wait_until(lambda: program.has_said("is pending: "))
            patch = json.dumps({"spec": {"activeDeadlineSeconds": 1}})
            kubectl("patch", "job", f"{release}-r1", "-n", namespace, "--type=merge", "--patch", patch)
        program = program.end()
        summary = output / f"runs/{release}-r1/report/summary.json"
        ended[release] = SimpleNamespace(program=program, summary=json.loads(summary.read_text()))

    for objects in releases.values():
        create(namespace, objects)
    with ThreadPoolExecutor(len(releases)) as threads:
        list(threads.map(drive, releases))
    return ended


@pytest.fixture(scope="session")
def gone(namespace, environment, tmp_path_factory):
    """A release whose pods are gone: of its two trials one is done, one failed; its output is `output`."""
    output = tmp_path_factory.mktemp("gone")
    fail_index = {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}}]}
    objects = sweep_job("gone", 'exit "$((JOB_COMPLETION_INDEX * 3))"', neurons=[1, 2], podFailurePolicy=fail_index)
    create(namespace, objects)
    run = finished_run(output, "gone-r1", json.loads(objects[0]["data"]["sweep.yaml"]), {"l1-n1"})
    driver = run_program("driver", "gone", "--output", str(output), cwd=output, env=environment)
    assert driver.code == 0, driver.err
    kubectl("delete", "pods", "-n", namespace, "--selector", "batch.kubernetes.io/job-name=gone-r1")
    return SimpleNamespace(output=output, run=run)
