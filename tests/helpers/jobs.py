"""Jobs of sweeps whose pods run a few lines of shell, and a proxy between the program and the API server."""

import contextlib
import csv
import io
import json
import os
import socket
import subprocess
import threading
import time
from hashlib import sha256

from run_files import summary_of

from job.runs.layout import attempt_file
from job.runs.results import StoredFile, TrialResult
from job.settings.grid import trials
from job.settings.validation import make_settings
from job.statistics.champion import Contender
from job.storage import open_storage

# Any image with a shell will do.
IMAGE = os.environ.get("XOR_SWEEP_IMAGE", "docker.io/library/python:3.13-slim-trixie")
PROBLEMS_SECONDS = 90


def kubectl(*words, content=None, check=True):
    """Run kubectl, and return what it prints."""
    given = None if content is None else json.dumps(content)
    done = subprocess.run(["kubectl", *words], input=given, text=True, capture_output=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def sweep_job(
    release, script, *, neurons, revision=1, settings=None, container=None, sidecar=None, pod=None, **spec
):
    """Return the ConfigMap and the Job of a release, for a grid of one layer with one index per trial.

    `sidecar` is the shell script of a container that comes before the trial's.
    """
    name, labels = (
        f"{release}-r{revision}",
        {"app.kubernetes.io/name": "xor-sweep", "app.kubernetes.io/instance": release},
    )
    small = {"layers": [1], "neurons": neurons, "replicates": REPLICATES, "epochs": 100}
    sweep = {**small, "output": "/output", **(settings or {})}
    config = make_settings(sweep)
    about = {"name": name, "labels": labels}
    runs = {
        "name": "trial",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "resources": {"requests": {"cpu": "5m", "memory": "8Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **(container or {}),
    }
    template = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [*([{**runs, "name": "sidecar", "command": ["sh", "-c", sidecar]}] if sidecar else []), runs],
        **(pod or {}),
    }
    job = {
        "completionMode": "Indexed",
        "completions": config.pod_count,
        "parallelism": config.pod_count,
        "backoffLimitPerIndex": 0,
        "podReplacementPolicy": "Failed",
        "template": {"metadata": {"labels": labels}, "spec": template},
        **spec,
    }
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"sweep.yaml": json.dumps(sweep)}},
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": job},
    ]


def create(namespace, objects):
    """Create objects in a namespace."""
    kubectl("apply", "-n", namespace, "-f", "-", content={"apiVersion": "v1", "kind": "List", "items": objects})


def wait_for_end(namespace, job):
    """Wait until a Job is Complete or Failed."""

    def has_ended():
        status = json.loads(kubectl("get", "job", job, "-n", namespace, "-o", "json"))["status"]
        return {"Complete", "Failed"} & {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}

    wait_for(has_ended)


def wait_for(look):
    """Call `look` until it returns something, and return that."""
    deadline = time.monotonic() + PROBLEMS_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.3)
    return seen


REPLICATES = 30

FAIL_INDEX = {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}}]}

WAITS = "until [ -e /tmp/go ]; do sleep 0.2; done"
"""A shell script that continues when `let_go` is called."""


def pod_of(namespace, job, index):
    """Wait for a pod of an index of a Job, and return the name of the newest."""
    labels = f"batch.kubernetes.io/job-name={job},batch.kubernetes.io/job-completion-index={index}"
    words = ("get", "pods", "-n", namespace, "-l", labels, "-o", "name", "--sort-by=.metadata.creationTimestamp")
    return wait_for(lambda: kubectl(*words).split())[-1].partition("/")[2]


def wait_until_ready(namespace, job, index):
    """Wait until the pod of an index runs, and return its name."""
    pod = pod_of(namespace, job, index)
    kubectl("wait", f"pod/{pod}", "-n", namespace, "--for=condition=Ready", f"--timeout={PROBLEMS_SECONDS}s")
    return pod


def let_go(namespace, job, index):
    """Let the script WAITS in the pod of an index continue."""
    kubectl("exec", wait_until_ready(namespace, job, index), "-n", namespace, "--", "touch", "/tmp/go")


def finished_run(output, name, settings, done):
    """Store a run in which these trials have results, the first one being the fastest."""
    config = make_settings(settings)
    run = _run(output, config, name)
    run.begin({"where": "tests"})
    for place, trial in enumerate(trial for trial in trials(config) if trial.name in done):
        _commit(run, trial, median=10 * (place + 1))
    return run


def _run(output, config, name):
    from job.runs.run import Run

    return Run(open_storage(str(output)), config, name)


def _commit(run, trial, median):
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["seed", "epochs_to_solve", "epochs_trained", "last_loss", "last_accuracy"])
    writer.writerows([seed, median + seed % 3 - 1, 100, 0.1, 1.0] for seed in range(REPLICATES))
    log = json.dumps({"message": f"{trial.name}: kept", "time": "2026-01-01T00:00:00Z", "trial": trial.name})
    files = {
        "replicates.csv": rows.getvalue().encode(),
        "history.csv": b"epoch\n1\n",
        "model.keras": bytes(1000),
        "log.jsonl": f"{log}\n".encode(),
    }
    for name, data in files.items():
        run.storage.create(run.object_name(attempt_file(trial.name, "first", name)), data)
    stored = [
        StoredFile(name=name, size=len(data), sha256=sha256(data).hexdigest()) for name, data in files.items()
    ]
    run.commit(
        TrialResult(
            trial=trial.name,
            index=trial.index,
            attempt="first",
            config_hash=run.settings.hash,
            summary=summary_of(median),
            files=tuple(stored),
        )
    )


class Proxy:
    """Passes bytes between a program and the API server, and can break all connections for a while.

    Each connection also breaks after `most_bytes`.
    """

    def __init__(self, host, port):
        self.target = (host, port)
        self.connections = 0
        self.most_bytes = float("inf")
        self.open = []
        self.listener = None
        self.listen()
        self.port = self.listener.getsockname()[1]

    def listen(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = listener.accept()
                self.connections += 1
                theirs = socket.create_connection(self.target)
                self.open += [ours, theirs]
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self.copy, args=pair, daemon=True).start()

    def copy(self, source, target):
        passed = 0
        with contextlib.suppress(OSError):
            while (data := source.recv(1 << 16)) and passed < self.most_bytes:
                target.sendall(data)
                passed += len(data)
        self.close(source, target)

    def close(self, *sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def cut(self):
        """Break all open connections."""
        self.close(*self.open)
        self.open = []

    def down(self, seconds):
        """Refuse connections for a while, like an API server that is restarting."""
        self.close(self.listener)
        self.cut()
        time.sleep(seconds)
        self.listen(self.port)


def refused(said):
    """Return the exit code and the one line of an error that is not a traceback."""
    assert said.out == ""
    return said.code, said.error


def winner(run, low):
    model = f"runs/{run}/trials/l1-n2/first/model.keras"
    median = {"median": low + 1, "median_low": low, "median_high": low + 2}
    return Contender(run=run, trial="l1-n2", model=model, epochs=100, share_solved=1.0, **median)
