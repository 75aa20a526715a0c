"""Renders the chart with the `helm` on the path; nothing here talks to a cluster."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

CHART = Path(__file__).parents[2] / "charts" / "xor-sweep"
NOWHERE = {**os.environ, "KUBECONFIG": "/dev/null"}


class Chart:
    """The chart, as `helm template` and `helm install --dry-run=client` render it."""

    def __init__(self, program, folder=CHART):
        self.program = program
        self.folder = folder

    def run(self, command, *words, release="demo", namespace="lab", **values):
        where = ["--namespace", namespace, "--values", "-"]
        if command == "template" and "--kube-version" not in words:
            where += ["--kube-version", "1.35"]  # Helm 3 without a cluster takes it for 1.20
        line = [self.program, command, release, self.folder, *where, *words]
        return subprocess.run(
            line, input=json.dumps(values), capture_output=True, text=True, check=False, env=NOWHERE
        )

    def objects(self, **values):
        """The rendered objects by their kind; those of a driver or a retraining by that, too: "Job driver"."""
        done = self.run("template", **values)
        assert not done.returncode, done.stderr
        documents = [document for document in YAML(typ="safe").load_all(done.stdout) if document]
        return {self._key(document): document for document in documents}

    @staticmethod
    def _key(document):
        component = document["metadata"]["labels"].get("app.kubernetes.io/component")
        beside = component in ("driver", "retraining") and document["kind"] != "CronJob"
        return f"{document['kind']} {component}" if beside else document["kind"]

    def job(self, **values):
        return self.objects(**values)["Job"]

    def pod(self, **values):
        """The pod spec of the trials."""
        return self.job(**values)["spec"]["template"]["spec"]

    def container(self, **values):
        return self.pod(**values)["containers"][0]

    def refusal(self, **values):
        """What helm says when it refuses the values."""
        done = self.run("template", **values)
        assert done.returncode, "these values were not refused"
        assert not done.stdout
        return done.stderr

    def notes(self, **values):
        done = self.run("install", "--dry-run=client", "--output", "json", **values)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)["info"]["notes"]


@pytest.fixture(scope="session", params=["helm", "helm3"])
def each_helm(request):
    """The path of each Helm that is here: the one called helm, and Helm 3 where it is beside that one."""
    program = shutil.which(request.param)
    if not program:
        pytest.skip(f"no `{request.param}` on the path: these tests render the chart with it")
    return program


@pytest.fixture(scope="session")
def chart():
    program = shutil.which("helm")
    if not program:
        pytest.skip("no `helm` on the path: these tests render the chart with it")
    return Chart(program)
