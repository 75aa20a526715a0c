"""What the end-to-end tests talk to: a container engine, an image built before, and a cluster."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest

CHART = Path(__file__).parents[2] / "charts" / "xor-sweep"
SMALL = {"layers": [1], "neurons": [2, 4], "replicates": 8, "epochs": 20}


@pytest.fixture(scope="session")
def docker():
    """The `docker` on the path, if it answers."""
    program = shutil.which("docker")
    if not program or subprocess.run([program, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no `docker` that answers: these tests run containers")
    return program


@pytest.fixture(scope="session")
def image():
    """The image's name, as `docker` and the cluster know it."""
    name = os.environ.get("XOR_SWEEP_IMAGE")
    if not name:
        pytest.skip("XOR_SWEEP_IMAGE is not set: these tests need the name of an image that was built before")
    return name


@pytest.fixture(scope="session")
def cluster():
    """The cluster that KUBECONFIG names, if it answers; its value is the path of kubectl."""
    program = shutil.which("kubectl")
    if not os.environ.get("KUBECONFIG") or not program:
        pytest.skip("KUBECONFIG and kubectl are not both there: these tests install the chart in a cluster")
    answer = subprocess.run(
        [program, "get", "--raw", "/readyz", "--request-timeout=10s"], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        pytest.skip(f"the cluster that KUBECONFIG names does not answer: {answer.stderr.strip()}")
    return program


class Namespace:
    """A namespace, and the commands that a person types in it."""

    def __init__(self, kubectl):
        self.name = f"xor-sweep-{uuid.uuid4().hex[:8]}"
        self._kubectl = kubectl

    def kubectl(self, *words, stdin=None):
        """What kubectl prints; it must succeed."""
        return self.run(self._kubectl, *words, stdin=stdin)

    def run(self, program, *words, stdin=None):
        """What a program prints that takes --namespace; it must succeed."""
        line = [program, *words[:1], "--namespace", self.name, *words[1:]]
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, check=False, timeout=300)
        assert not done.returncode, f"{' '.join(map(str, line))}: {done.stderr}{done.stdout}"
        return done.stdout

    def attempt(self, *words, stdin=None):
        """What kubectl prints; nothing where it fails."""
        try:
            return self.kubectl(*words, stdin=stdin)
        except AssertionError:
            return ""

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "--output", "json"))

    def job(self, name, condition, seconds=300):
        """Wait until a Job has a condition, such as Complete, and return the Job."""
        self.kubectl("wait", f"job/{name}", f"--for=condition={condition}", f"--timeout={seconds}s")
        return self.get("job", name)

    def until(self, look, seconds=180):
        """Look until there is something to see, and return it."""
        deadline = time.monotonic() + seconds
        while not (seen := look()):
            assert time.monotonic() < deadline, f"nothing came within {seconds} s"
            time.sleep(0.5)
        return seen


@pytest.fixture
def namespace(cluster):
    """A fresh namespace that enforces the restricted Pod Security Standard; deleted afterwards."""
    fresh = Namespace(cluster)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fresh.name, "labels": labels}}
    fresh.kubectl("create", "--filename", "-", stdin=json.dumps(manifest))
    yield fresh
    # The Jobs first: a namespace's deletion begins with its pods, and a failed pod of a Job with per-index retries
    # waits for the one that replaces it, which cannot be made any more.
    fresh.kubectl("delete", "jobs", "--all")
    fresh.kubectl("delete", "namespace", fresh.name, "--wait=false")


def helm(name):
    """The path of a Helm, by its name."""
    program = shutil.which(name)
    if not program:
        pytest.skip(f"no `{name}` on the path")
    return program


def what_is_left(namespace):
    """What a release has made, by kind and name; what is there anyway is left out."""
    kinds = "jobs,cronjobs,pods,configmaps,persistentvolumeclaims,serviceaccounts,secrets,roles,rolebindings"
    of_kubernetes = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default", "Pod/gcs"}
    names = {f"{item['kind']}/{item['metadata']['name']}" for item in namespace.get(kinds)["items"]}
    return names - of_kubernetes


@pytest.fixture
def release(namespace, image):
    """Calls helm for a release, "demo" unless named: release(program, command, *words, values...)."""
    repository, _, tag = image.rpartition(":")

    def call(program, command, *words, name="demo", sweep=None, **values):
        line = [program, command, name, *words]
        if command in ("install", "upgrade", "template"):
            values = {
                "image": {"repository": repository, "tag": tag},
                "sweep": {**SMALL, **(sweep or {})},
                **values,
            }
            line[3:3] = [CHART, "--values", "-"]
        return namespace.run(*line, stdin=json.dumps(values))

    return call


@pytest.fixture
def xor_sweep(namespace):
    """Runs the program here, as a person does; what it prints."""
    program = Path(sys.executable).with_name("xor-sweep")
    return lambda *words: namespace.run(program, *words)


def into(bucket):
    """The sweep's settings and the other values that lead into a bucket."""
    return {"output": bucket.url}, {"extraEnv": [{"name": "STORAGE_EMULATOR_HOST", "value": bucket.host}]}


class Bucket:
    """An empty bucket of a fake-gcs-server in a namespace."""

    def __init__(self, namespace):
        self.host = f"http://gcs.{namespace.name}.svc.cluster.local:4443"
        self.url = "gs://results/e2e"
        self._namespace = namespace
        self._proxy = f"/api/v1/namespaces/{namespace.name}/services/http:gcs:4443/proxy/storage/v1/b"

    def make(self):
        body = json.dumps({"name": "results"})
        words = ("create", "--raw", self._proxy, "--filename", "-")
        self._namespace.until(lambda: self._namespace.attempt(*words, stdin=body))

    def lead_to(self, app):
        """Let the Service lead to the pods of this name: to nobody, and the bucket is away."""
        patch = json.dumps({"spec": {"selector": {"app": app}}})
        self._namespace.kubectl("patch", "service", "gcs", "--type=merge", "--patch", patch)

    def read(self, name):
        return self._namespace.kubectl(
            "get", "--raw", f"{self._proxy}/results/o/{quote(f'e2e/{name}', safe='')}?alt=media"
        )

    def objects(self, prefix=""):
        """Each object's name, and its generation, which every write changes."""
        listed = json.loads(self._namespace.kubectl("get", "--raw", f"{self._proxy}/results/o?prefix=e2e/{prefix}"))
        return {item["name"].removeprefix("e2e/"): item["generation"] for item in listed.get("items", ())}


@pytest.fixture
def gcs(namespace):
    """A real storage server in the namespace, with a bucket; `gcs.host` is what STORAGE_EMULATOR_HOST must be."""
    bucket = Bucket(namespace)
    arguments = ["-scheme", "http", "-port", "4443", "-backend", "memory", "-data", "/tmp/none"]
    public = ["-public-host", f"gcs.{namespace.name}.svc.cluster.local"]
    container = {
        "name": "gcs",
        "image": "docker.io/fsouza/fake-gcs-server:latest",
        "imagePullPolicy": "IfNotPresent",
        "args": [*arguments, *public],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"enableServiceLinks": False, "securityContext": user, "containers": [container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gcs", "labels": {"app": "gcs"}}, "spec": spec}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gcs"}}
    service["spec"] = {"selector": {"app": "gcs"}, "ports": [{"port": 4443}]}
    both = {"apiVersion": "v1", "kind": "List", "items": [pod, service]}
    namespace.kubectl("create", "--filename", "-", stdin=json.dumps(both))
    namespace.kubectl("wait", "pod/gcs", "--for=condition=Ready", "--timeout=60s")
    bucket.make()
    return bucket
