"""Retraining: one run for each Job that retrains, whatever dies; bad words start nothing."""

import json

import pytest
from jobs import create, finished_run, kubectl, sweep_job
from ruamel.yaml import YAML


@pytest.fixture
def retraining(namespace, tmp_path):
    """Makes the Job that retrains, and the manifest of what it starts: retraining(name, script) -> words, uid."""

    def make(name, script):
        config, job = sweep_job(f"{name}-sweep", script, neurons=[1, 2], backoffLimitPerIndex=0)
        job["spec"]["template"]["spec"]["volumes"] = [{"name": "sweep", "configMap": {"name": "another"}}]
        folder = tmp_path / name
        folder.mkdir()
        (folder / "job.yaml").write_text(json.dumps(job))
        (folder / "sweep.yaml").write_text(config["data"]["sweep.yaml"])
        owner = sweep_job(name, "sleep 300", neurons=[1], suspend=True)[1]
        owner["metadata"]["name"] = name
        create(namespace, [owner])
        uid = kubectl("get", "job", name, "-n", namespace, "-o", "jsonpath={.metadata.uid}")
        run = f"{job['metadata']['name']}-t{uid[:8]}"
        output = tmp_path / f"{name}-output"
        return folder, run, ["retrain", "--job", name, "--manifest", folder / "job.yaml", "--output", output]

    return make


def jobs(namespace):
    return {
        item["metadata"]["name"]: item
        for item in json.loads(kubectl("get", "jobs", "-n", namespace, "-o", "json"))["items"]
    }


def test_the_run_belongs_to_the_job_that_retrains_and_a_second_attempt_goes_on_with_it(
    namespace, retraining, start, xor_sweep
):
    _, run, words = retraining("again", "sleep 5")
    output = words[-1]
    output.mkdir()
    before = set(jobs(namespace))
    first = start(*words)
    first.wait_until(lambda: first.has_said("watching"))
    made = jobs(namespace)
    assert set(made) - before == {run}
    assert [owner["name"] for owner in made[run]["metadata"]["ownerReferences"]] == ["again"]
    [volume] = made[run]["spec"]["template"]["spec"]["volumes"]
    assert volume["configMap"]["name"] == run
    sweep = json.loads(kubectl("get", "configmap", run, "-n", namespace, "-o", "json"))["data"]["sweep.yaml"]
    settings = YAML(typ="safe").load(sweep)
    finished_run(output, run, settings, {"l1-n1", "l1-n2"})

    said, again = first.end(timeout=60), xor_sweep(*words)
    assert (said.code, again.code) == (0, 0), said.err + again.err
    seed = settings["seed"]
    assert said.log[0]["message"] == f"again started {run}, seed {seed}"
    assert again.log[0]["message"] == f"again continues {run}, seed {seed}"
    assert set(jobs(namespace)) - before == {run}
    champions = json.loads((output / "champion.json").read_text())
    assert [decision["contender"]["run"] for decision in champions["history"]] == [run]


def test_a_run_without_a_winner_challenges_nobody_and_is_not_tried_again(retraining, xor_sweep):
    _, run, words = retraining("hopeless", "exit 1")
    output = words[-1]
    output.mkdir()
    said = xor_sweep(*words)
    assert said.code == 3  # The chart gives it up.
    assert said.error == f"{run} has no winner: No trial has a result."
    assert not (output / "champion.json").exists()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("job.yaml", None, "cannot be read: No such file or directory"),
        ("job.yaml", "a: [", "is not a Job as the chart renders it"),
        ("job.yaml", "kind: Job", "is not a Job as the chart renders it"),
        ("job.yaml", "", "is not a Job as the chart renders it"),
        ("sweep.yaml", None, "cannot be read: No such file or directory"),
        ("sweep.yaml", "neurns: [1]", "no such setting; did you mean 'neurons'?"),
    ],
)
def test_a_manifest_that_is_none_starts_nothing(namespace, retraining, xor_sweep, request, file, content, words):
    name = f"bad-{abs(hash(request.node.name)) % 10**8}"
    folder, _, line = retraining(name, "exit 0")
    before = set(jobs(namespace))
    (folder / file).unlink() if content is None else (folder / file).write_text(content)
    said = xor_sweep(*line)
    assert (said.code, said.out) == (2, "")
    assert words in said.error
    assert str(folder / file) in said.error
    assert set(jobs(namespace)) == before


def test_a_job_that_is_not_there_starts_nothing(namespace, retraining, xor_sweep):
    _, _, words = retraining("there", "exit 0")
    words[2] = "elsewhere"
    before = set(jobs(namespace))
    said = xor_sweep(*words)
    assert (said.code, said.error) == (2, f"there is no Job elsewhere in the namespace {namespace}")
    assert set(jobs(namespace)) == before
