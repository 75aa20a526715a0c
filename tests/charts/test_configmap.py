"""templates/configmap.yaml: the sweep file."""

import pytest

from job.settings.file import read_sweep_file
from job.settings.validation import make_settings


def sweep_file(chart, tmp_path, **values):
    path = tmp_path / "sweep.yaml"
    path.write_text(chart.objects(**values)["ConfigMap"]["data"]["sweep.yaml"])
    return make_settings(*read_sweep_file(path))


def test_the_default_sweep_is_the_programs_default_sweep(chart, tmp_path):
    assert sweep_file(chart, tmp_path) == make_settings({"device": "cpu", "output": "/output"})


@pytest.mark.parametrize(
    "sweep",
    [
        {"layers": 2, "neurons": [4096], "activation": "tanh", "optimizer": ["sgd", "adam"]},
        {"learning_rate": [1e-7, 1e-05, 0.001, 1, 1000]},
        {"seed": 4294967295, "replicates": 1_000_000, "epochs": 250},
        {"keep_training": True, "trials_per_pod": 100_000, "loss": "binary_crossentropy"},
        {"layers": [0, 1], "data": "parity:3"},
        {"output": "gs://bucket/a prefix/é"},
        {"output": "/output/team: a #1"},
        {"output": "/output/a\u00a0b'\"\\"},
    ],
)
def test_the_program_reads_what_the_values_say(chart, tmp_path, sweep):
    wanted = make_settings({"output": "/output", **sweep, "device": "cpu"})
    assert sweep_file(chart, tmp_path, sweep=sweep) == wanted


@pytest.mark.parametrize(
    ("gpu", "device", "rendered"),
    [
        (False, "auto", "cpu"),
        (True, "auto", "gpu"),
        (True, "gpu", "gpu"),
        (False, "cpu", "cpu"),
    ],
)
def test_with_the_gpu_on_a_trial_trains_on_it_or_fails(chart, tmp_path, gpu, device, rendered):
    settings = sweep_file(chart, tmp_path, gpu={"enabled": gpu}, sweep={"device": device})
    assert settings.device == rendered


def test_a_runtime_class_may_show_a_pod_the_gpus_without_a_request_for_one(chart, tmp_path):
    assert sweep_file(chart, tmp_path, runtimeClassName="nvidia", sweep={"device": "gpu"}).device == "gpu"


def test_each_revision_has_a_sweep_file_of_its_own(chart):
    objects = chart.objects()
    assert objects["ConfigMap"]["metadata"]["name"] == objects["Job"]["metadata"]["name"]
