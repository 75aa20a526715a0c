"""Retraining in a real cluster: on schedule, by hand, in parallel, with a pod that dies; nothing is left behind."""

import json

import pytest

from .conftest import CHART, helm, what_is_left

SMALL = {"layers": [1], "neurons": [16], "replicates": 32, "epochs": 300}


@pytest.fixture
def releases(namespace, image, gcs):
    """Calls helm for a release that writes to the bucket: releases(command, name, values...)."""
    repository, _, tag = image.rpartition(":")

    def call(command, name, **values):
        values = {
            "image": {"repository": repository, "tag": tag},
            "sweep": {**SMALL, "output": gcs.url},
            "extraEnv": [{"name": "STORAGE_EMULATOR_HOST", "value": gcs.host}],
            **values,
        }
        words = [CHART, "--values", "-"] if command == "install" else []
        return namespace.run(helm("helm"), command, name, *words, stdin=json.dumps(values))

    return call


def messages(namespace, job):
    lines = namespace.kubectl("logs", f"job/{job}", "--tail=-1").splitlines()
    return [json.loads(line)["message"] for line in lines]


def owned_by(namespace, kind, owner):
    """The objects of a kind that belong to a Job, by its name."""
    items = namespace.get(kind)["items"]
    return [item for item in items if owner in [o["name"] for o in item["metadata"].get("ownerReferences", ())]]


def test_retrainings_at_once_end_with_one_champion_and_a_whole_history(namespace, releases, gcs):
    releases("install", "clock", retrain={"schedule": "* * * * *"}, driver={"enabled": False})
    odd = {"a": "12e4567", "b": "=", "c": "<<", "d": "\u2028"}  # What readers of YAML may take for something else.
    releases("install", "hand", retrain={"schedule": "@yearly"}, driver={"enabled": False}, podAnnotations=odd)
    namespace.kubectl("create", "job", "now", "--from=cronjob/hand-xor-sweep-retrain")

    # A retraining whose pod goes away continues its run.
    namespace.until(lambda: owned_by(namespace, "jobs", "now"))
    namespace.kubectl("delete", "pod", "--selector", "batch.kubernetes.io/job-name=now", "--wait=false")
    [by_hand] = owned_by(namespace, "jobs", "now")
    assert by_hand["spec"]["template"]["metadata"]["annotations"] == odd
    namespace.job("now", "Complete")
    name = by_hand["metadata"]["name"]
    assert messages(namespace, "now")[0].startswith(f"now continues {name}, seed ")
    assert len(owned_by(namespace, "jobs", "now")) == 1

    # By the clock: with a seed, and so with results, of its own.
    retraining = namespace.until(
        lambda: [
            job["metadata"]["name"]
            for job in namespace.get("jobs")["items"]
            if job["metadata"]["name"].startswith("clock-xor-sweep-retrain-")
        ],
        seconds=90,
    )[0]
    namespace.job(retraining, "Complete")
    [by_clock] = owned_by(namespace, "jobs", retraining)
    runs = {name, by_clock["metadata"]["name"]}
    seeds = {json.loads(gcs.read(f"runs/{run}/sweep.json"))["config"]["seed"] for run in runs}
    assert len(seeds - {0}) == 2

    champions = json.loads(gcs.read("champion.json"))
    actions = [decision["action"] for decision in champions["history"]]
    assert {decision["contender"]["run"] for decision in champions["history"]} >= runs
    assert actions[0] == "crowned"
    assert champions["champion"] in [decision["contender"] for decision in champions["history"]]

    for release in ("clock", "hand"):
        releases("uninstall", release)
    namespace.until(lambda: not what_is_left(namespace))
