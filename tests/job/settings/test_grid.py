"""The grid: which trials there are, what they are called, and which seeds their replicates have."""

import itertools
from dataclasses import dataclass, field

import pytest

from job.cli.training import sweep_command
from job.errors import ConfigError
from job.settings import grid
from job.settings.axes import AXES, AXIS_NAMES, LEARNING_RATES, LOSSES
from job.settings.grid import SEED_SPAN, Architecture, replicate_seeds, trial_at, trial_named, trials, trials_of_pod
from job.settings.sweep import Sweep
from job.settings.validation import make_settings


def test_the_default_grid_is_three_depths_by_five_widths():
    names = [trial.name for trial in trials(make_settings({}))]
    assert names == [f"l{layers}-n{neurons}" for layers in (1, 2, 3) for neurons in (2, 4, 8, 16, 32)]


def test_a_name_tells_the_other_axes_only_where_the_grid_varies_them():
    config = make_settings(
        {"layers": 1, "neurons": 4, "activation": ["relu", "tanh"], "learning_rate": [0.1, 1e-05]}
    )
    assert [trial.name for trial in trials(config)] == [
        "l1-n4-relu-lr0.1",
        "l1-n4-relu-lr1e-05",
        "l1-n4-tanh-lr0.1",
        "l1-n4-tanh-lr1e-05",
    ]


def test_trials_can_be_found_by_index_and_by_name():
    config = make_settings({"layers": [1, 3], "neurons": [2, 5, 9], "loss": ["binary_crossentropy"]})
    for index, trial in enumerate(trials(config)):
        assert trial.index == index
        assert trial_at(config, index) == trial
        assert trial_named(config, trial.name) == trial
    assert config.trial_count == 6


@pytest.mark.parametrize("index", [-1, 15, 10**9])
def test_an_index_outside_the_grid_is_refused_with_the_indexes_that_there_are(index):
    with pytest.raises(ConfigError, match=r"0 to 14"):
        trials_of_pod(make_settings({}), index)


def test_without_a_learning_rate_each_optimizer_has_its_own_default():
    config = make_settings({"layers": 1, "neurons": 2, "optimizer": ["adam", "sgd"]})
    rates = [trial.architecture.learning_rate for trial in trials(config)]
    assert rates == [LEARNING_RATES["adam"], LEARNING_RATES["sgd"]]


def test_the_number_of_weights_counts_kernels_and_biases():
    assert Architecture(1, 16).weights == 2 * 16 + 16 + 16 + 1
    assert Architecture(3, 4).weights == (2 * 4 + 4) + 2 * (4 * 4 + 4) + (4 + 1)


def test_an_architecture_has_the_same_seeds_in_every_grid():
    small, large = make_settings({"layers": 2, "neurons": 16}), make_settings({"activation": ["relu", "tanh"]})
    one = trial_named(small, "l2-n16").architecture
    same = trial_named(large, "l2-n16-relu").architecture
    assert replicate_seeds(small, one) == replicate_seeds(large, same)


def test_more_replicates_begin_with_the_seeds_of_fewer():
    few, many = make_settings({"replicates": 10}), make_settings({"replicates": 20})
    architecture = Architecture(1, 2)
    shared = set(replicate_seeds(few, architecture)) & set(replicate_seeds(many, architecture))
    assert len(shared) == 10


def test_two_trials_and_two_sweeps_share_no_seed():
    configs = [make_settings({"seed": seed}) for seed in (0, 1)]
    ranges = [set(replicate_seeds(config, trial.architecture)) for config in configs for trial in trials(config)]
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(ranges, 2))


def test_a_new_axis_changes_the_seeds_only_of_architectures_that_differ_on_it(monkeypatch):
    @dataclass(frozen=True)
    class Later(Architecture):
        dropout: float = field(default=0.0, repr=False)

    Later.__qualname__ = "Architecture"
    monkeypatch.setattr(grid, "AXIS_NAMES", (*AXIS_NAMES, "dropout"))
    sweep = make_settings({})
    assert replicate_seeds(sweep, Later(1, 8)) == replicate_seeds(sweep, Architecture(1, 8))
    seeds = [set(replicate_seeds(sweep, Later(1, 8, dropout=dropout))) for dropout in (0.0, 0.1, 0.2)]
    assert len(set.union(*seeds)) == 3 * sweep.replicates


def test_every_seed_is_one_that_keras_tells_from_all_others():
    config = make_settings({"replicates": 1_000_000, "epochs": 1})
    seeds = replicate_seeds(config, Architecture(1, 2))
    assert len(seeds) == 1_000_000
    assert min(seeds) >= 0
    assert max(seeds) < SEED_SPAN


@pytest.mark.parametrize("trials_per_pod", [1, 2, 4, 15, 100])
def test_the_pods_of_a_job_train_each_trial_once(trials_per_pod):
    config = make_settings({"trials_per_pod": trials_per_pod})
    trained = [trial for index in range(config.pod_count) for trial in trials_of_pod(config, index)]
    assert trained == list(trials(config))
    assert all(trials_of_pod(config, index) for index in range(config.pod_count))
    with pytest.raises(ConfigError):
        trials_of_pod(config, config.pod_count)


def names(**settings):
    return [trial.name for trial in trials(make_settings(settings))]


def test_without_hidden_layers_an_architecture_counts_once_whatever_neurons_and_activation():
    grid = {"layers": [1, 0, 2], "neurons": [4, 8], "activation": ["relu", "tanh"], "loss": LOSSES}
    found = names(**grid)
    assert found[:8] == [f"l1-n{n}-{a}-{loss}" for n in (4, 8) for a in ("relu", "tanh") for loss in LOSSES]
    assert found[8:10] == [f"l0-{loss}" for loss in LOSSES]
    assert found[10].startswith("l2-n4-")
    assert len(found) == make_settings(grid).trial_count == 18
    assert [trial.index for trial in trials(make_settings(grid))] == [*range(18)]


def test_a_network_without_hidden_layers_has_no_neurons_and_no_activation_and_sees_the_inputs():
    (trial,) = trials(make_settings({"layers": 0, "neurons": [2, 4], "data": "parity:3"}))
    of = trial.architecture
    assert (trial.name, of.neurons, of.activation) == ("l0", 0, None)
    assert (of.widths, of.weights) == ((3, 1), 4)


def test_every_axis_is_a_field_of_the_sweep_and_of_the_architecture_and_an_option():
    fields = [name for name in Sweep.model_fields if name in AXIS_NAMES]
    assert fields == list(AXIS_NAMES) == list(Architecture.__dataclass_fields__)[: len(AXES)]
    assert [axis.flag for axis in AXES] == [
        option
        for parameter in sweep_command.params
        for option in parameter.opts
        if option in {axis.flag for axis in AXES}
    ]


def test_the_seeds_of_a_trial_are_the_same_whatever_is_learned():
    seeds = [
        replicate_seeds(settings, next(trials(settings)).architecture)
        for settings in (make_settings({"layers": 2, "data": data}) for data in ("xor", "parity:3"))
    ]
    assert seeds[0] == seeds[1]
