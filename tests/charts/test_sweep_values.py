"""The values under `sweep`: the chart takes and counts them as the program does."""

import json

import pytest

from job.errors import ConfigError
from job.settings.validation import make_settings

# The two may differ in one place: Helm's YAML has only one kind of number, so that 2.0 is 2.
SWEEPS = [
    *(
        {"layers": layers}
        for layers in (0, 1, 100, [0], [0, 1, 100], 101, -1, [-1], [], "1", [1.5], True, [[1]], [3, 3], {})
    ),
    *({"neurons": neurons} for neurons in (4096, 4097, 0, [0], [1, 4096], ["2"], [None])),
    *({"activation": names} for names in ("relu", ["relu", "tanh"], "selu", "ReLU", [], ["relu", "relu"], 3, "")),
    *({"loss": names} for names in ("binary_crossentropy", "mse", ["mean_squared_error", "bce"])),
    *({"optimizer": names} for names in ("sgd", ["adamw", "lion"], "Adam", [1])),
    *(
        {"learning_rate": rate}
        for rate in (None, 1, 1000, 1e-9, [0.1, 1], 0, -1, 1001, [0.1, 0.1], [], "0.1", [None])
    ),
    *(
        {"data": data}
        for data in ("xor", "parity:2", "parity:8", "parity:1", "parity:9", "parity", "XOR", "", ["xor"], 2)
    ),
    *({"replicates": count} for count in (1, 0, 1_000_001, 1.5, "1", [1], True)),
    *({"epochs": count} for count in (1, 1_000_000, 0, 1_000_001, {"a": 1})),
    *({"replicates": 250, "epochs": epochs} for epochs in (1_000_000, 999_999)),
    {"replicates": 251, "epochs": 1_000_000},
    *({"seed": seed} for seed in (0, 2**32 - 1, 2**32, -1, "0")),
    *({"keep_training": keep} for keep in (True, False, "yes", 1)),
    *({"device": device} for device in ("auto", "cpu", "gpu", "tpu", 1, "")),
    *({"trials_per_pod": count} for count in (1, 100_000, 0, 100_001)),
    *({name: 1} for name in ("neuron", "LAYERS", "")),
]


@pytest.mark.parametrize("sweep", SWEEPS, ids=json.dumps)
def test_helm_takes_just_those_sweeps_that_the_program_takes(chart, sweep):
    try:
        make_settings(sweep)
        taken = True
    except ConfigError:
        taken = False
    gpu = {"enabled": sweep.get("device") == "gpu"}  # Without one, the chart has no GPU for it.
    assert (chart.run("template", sweep=sweep, gpu=gpu).returncode == 0) == taken
