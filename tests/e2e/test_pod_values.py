"""What the chart says of the values that go into a pod as they are, held against the API server."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.charts.pod_values import NEVER_RUN, REFUSED, TAKEN

from .conftest import CHART, helm


@pytest.fixture(scope="session")
def believing(tmp_path_factory):
    """The folder of a chart that refuses nothing."""
    folder = shutil.copytree(CHART, tmp_path_factory.mktemp("chart") / CHART.name)
    (folder / "values.schema.json").unlink()
    (folder / "templates/_validate.tpl").write_text('{{- define "xor-sweep.validate" }}{{ end }}')
    return folder


def job(chart, number, values):
    """The sweep's Job with such values, which nobody has checked."""
    only = ["--show-only", "templates/job.yaml", "--values", "-"]
    made = subprocess.run(
        [helm("helm"), "template", f"case-{number}", chart, "--namespace", "default", *only],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def numbers_taken(kubectl, chart, cases):
    """Which of these values the API server would take in a Job: their numbers."""
    with ThreadPoolExecutor(2) as threads:
        jobs = list(threads.map(partial(job, chart), range(len(cases)), cases))
    create = [kubectl, "create", "--dry-run=server", "--validate=strict", "--namespace", "default"]
    said = subprocess.run(
        [*create, "--output", "name", "--filename", "-"],
        input="\n---\n".join(jobs),
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(line.split("-")[1]) for line in said.stdout.splitlines()}


def test_the_api_server_takes_what_helm_takes(cluster, believing):
    assert set(range(len(TAKEN))) - numbers_taken(cluster, believing, TAKEN) == set()


def test_the_api_server_refuses_what_helm_refuses_for_it(cluster, believing):
    refused = [values for values, _ in REFUSED]
    assert [refused[number] for number in numbers_taken(cluster, believing, refused)] == []


def test_what_helm_refuses_because_it_would_never_run_is_not_for_the_api_server(cluster, believing):
    never = [values for values, _ in NEVER_RUN if "runAsUser" not in str(values)]
    assert numbers_taken(cluster, believing, never) == set(range(len(never)))
